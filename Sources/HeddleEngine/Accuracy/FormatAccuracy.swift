import HeddleCore
import HeddleFiles
import HeddleKernels

/// How far a weight format's logits are from those of another format of the same model, over given texts.
public struct FormatAccuracy: Hashable, Sendable {
    /// The format that is judged.
    public let format: WeightFormat
    /// The format that it is compared with.
    public let reference: WeightFormat
    /// Tokens that were judged.
    public private(set) var tokenCount = 0
    /// exp of the mean negative log-probability of the judged tokens.
    public var perplexity: Double { Self.exponential(surprise / Double(max(1, tokenCount))) }
    /// The same of the reference.
    public var referencePerplexity: Double { Self.exponential(referenceSurprise / Double(max(1, tokenCount))) }
    /// The share of judged places at which both hold the same token for the likeliest: what greedy decoding would take.
    public var greedyAgreement: Double { Double(agreedCount) / Double(max(1, tokenCount)) }
    /// Root mean square of the logits' differences, relative to that of the reference's logits around each row's mean.
    public var logitError: Double { spread > 0 ? (difference / spread).squareRoot() : 0 }
    /// The largest difference of a logit.
    public private(set) var logitErrorMax = 0.0
    /// Mean Kullback-Leibler divergence of the reference's distribution from this one, in nats.
    public var divergence: Double { divergenceSum / Double(max(1, tokenCount)) }

    private var surprise = 0.0
    private var referenceSurprise = 0.0
    private var agreedCount = 0
    private var difference = 0.0
    private var spread = 0.0
    private var divergenceSum = 0.0

    /// Runs the texts through both formats. Rotary encodings and adapters play no part; the model is not split.
    ///
    /// - Parameters:
    ///   - onText: hears of each text that is done.
    public init(
        of format: WeightFormat, against reference: WeightFormat, model: ModelFolder, texts: [ScoredText],
        threadCount: Int = 1, onText: (Int) -> Void = { _ in }
    ) throws {
        self.format = format
        self.reference = reference
        let plan = try ShardPlan(configuration: model.configuration, rank: 0, rankCount: 1)
        let longest = texts.map(\.tokens.count).max() ?? 1
        func pass(_ format: WeightFormat) throws -> CPUForwardPass {
            var limits = ForwardLimits()
            limits.blockCount = (longest + kvBlockTokens - 1) / kvBlockTokens
            limits.stepRowCountMax = Self.chunkTokenCount
            limits.threadCount = threadCount
            return try CPUForwardPass(
                shard: PackedShard(model: model, plan: plan, format: format, threadCount: threadCount),
                collective: nil, limits: limits)
        }
        let (judged, known) = (try pass(format), try pass(reference))
        var step: UInt64 = 0
        for (number, text) in texts.enumerated() {
            let blocks = (0..<Int32((text.tokens.count + kvBlockTokens - 1) / kvBlockTokens)).map { BlockID($0) }
            for first in stride(from: 0, to: text.tokens.count, by: Self.chunkTokenCount) {
                step += 1
                let end = min(text.tokens.count, first + Self.chunkTokenCount)
                let plan = StepPlan(
                    step: step,
                    segments: [
                        StepPlan.Segment(
                            sequence: SequenceID(UInt64(number + 1)), adapter: nil,
                            tokens: Array(text.tokens[first..<end]), firstPosition: first,
                            promptTokenCount: text.tokens.count,
                            blocks: Array(blocks[..<((end + kvBlockTokens - 1) / kvBlockTokens)]), logits: .all)
                    ])
                let (rows, knownRows) = (try judged.run(plan), try known.run(plan))
                for position in first..<end where position + 1 < text.tokens.count {
                    if position + 1 < text.firstScored { continue }
                    let token = Int(text.tokens[position + 1])
                    rows.withRow(position - first) { row in
                        knownRows.withRow(position - first) { compare(row, $0, token: token) }
                    }
                }
            }
            onText(number)
        }
    }

    private static let chunkTokenCount = 64

    private mutating func compare(
        _ row: UnsafeBufferPointer<Float>, _ known: UnsafeBufferPointer<Float>, token: Int
    ) {
        let (this, other) = (Distribution(row), Distribution(known))
        tokenCount += 1
        surprise += this.surprise(of: token, in: row)
        referenceSurprise += other.surprise(of: token, in: known)
        if this.likeliest == other.likeliest { agreedCount += 1 }
        var (divergence, squares, spread) = (0.0, 0.0, 0.0)
        for index in row.indices {
            let off = Double(row[index]) - Double(known[index])
            squares += off * off
            logitErrorMax = max(logitErrorMax, abs(off))
            let around = Double(known[index]) - other.mean
            spread += around * around
            let surprise = other.surprise(of: index, in: known)
            divergence += Self.exponential(-surprise) * (this.surprise(of: index, in: row) - surprise)
        }
        difference += squares
        self.spread += spread
        divergenceSum += divergence
    }
}
