import Foundation
import HeddleCore
import HeddleEngine
import HeddleFiles
import HeddleKernels
import Testing

/// What rounding weights costs, bounded by what rounding them costs each of them.
@Suite struct FormatAccuracyTests {
    private static func texts(_ golden: Golden) -> [ScoredText] {
        golden.sequences.filter { $0.adapter == nil }.compactMap { ScoredText(tokens: $0.fed) }
    }

    /// Relative root mean square error of all projections' packed weights, by packing and unpacking each by itself.
    private static func weightError(_ model: ModelFolder, _ format: PackedFormat) throws -> Double {
        var (off, all) = (0.0, 0.0)
        for case .projection(let layer, let projection) in model.configuration.tensors {
            let tensor = model.tensor(.projection(layer: layer, projection))
            let weights = try tensor.floats()
            let packed = try #require(
                PackedMatrix(
                    format: format, outputs: tensor.rowCount, inputs: tensor.columnCount, rows: weights))
            for row in 0..<tensor.rowCount {
                for (column, found) in packed.weights(of: row).enumerated() {
                    let weight = Double(weights[row * tensor.columnCount + column])
                    off += (Double(found) - weight) * (Double(found) - weight)
                    all += weight * weight
                }
            }
        }
        return (off / all).squareRoot()
    }

    /// The errors of the products on a row's way add up like a random walk: seven a layer and the last. A product's relative
    /// error is that of its weights and that of its row together. Rows are rounded to steps of 1/127 of a group's largest number,
    /// which is about four times their spread. A format that is broken has logits that have nothing to do with the reference's:
    /// their error is the root of two of the spread, or more.
    @Test(arguments: Golden.ofEachArchitecture, [WeightFormat.bf16, .int8, .int4])
    func aFormatsLogitsAreAsFarOffAsItsWeightsSay(_ name: String, _ format: WeightFormat) throws {
        let golden = try Golden(name)
        let found = try FormatAccuracy(of: format, against: .f32, model: golden.model, texts: Self.texts(golden))
        let packed: PackedFormat = format == .bf16 ? .bf16 : format == .int8 ? .int8 : .int4
        let weights = try Self.weightError(golden.model, packed)
        let rows = format == .bf16 ? 0x1p-8 / 12.0.squareRoot() * 2 : 4.0 / 127 / 12.0.squareRoot()
        let products = Double(7 * golden.model.configuration.layerCount + 1)
        let bound = 2 * (products * (weights * weights + rows * rows)).squareRoot()
        #expect(found.tokenCount > 0 && found.logitError.isFinite)
        #expect(found.logitError <= min(bound, 0.9), "error \(found.logitError), weights \(weights), bound \(bound)")
        #expect(found.logitError > 0 || format == .bf16)
    }

    /// The goldens' greedy tokens came from `transformers`: at exact weights they are the likeliest here too.
    @Test func aFormatComparedWithItselfAgreesWholly() throws {
        let golden = try Golden("heads6kv3")
        let found = try FormatAccuracy(of: .f32, against: .f32, model: golden.model, texts: Self.texts(golden))
        #expect(found.greedyAgreement == 1 && found.logitError == 0 && found.logitErrorMax == 0)
        #expect(found.divergence == 0 && found.perplexity == found.referencePerplexity)
    }

    /// Against the logits that `transformers` computed: the perplexity of the tokens that the golden feeds.
    @Test func perplexityIsThatOfTheReferencesLogits() throws {
        let golden = try Golden("heads6kv3")
        let index = try #require(golden.sequences.firstIndex { $0.adapter == nil })
        let sequence = golden.sequences[index]
        let rows = golden.logits[index]
        let count = golden.vocabularyCount
        // The golden's rows are those of the tokens that were fed.
        let first = sequence.fed.count - sequence.rows
        var surprise = 0.0
        var judged = 0
        for row in 0..<sequence.rows where first + row + 1 < sequence.fed.count {
            let logits = rows[(row * count)..<((row + 1) * count)].map(Double.init)
            let most = logits.max() ?? 0
            let sum = logits.reduce(0) { $0 + exp($1 - most) }
            surprise += most + log(sum) - logits[Int(sequence.fed[first + row + 1])]
            judged += 1
        }
        let text = try #require(ScoredText(tokens: sequence.fed, firstScored: first + 1))
        let found = try FormatAccuracy(of: .f32, against: .f32, model: golden.model, texts: [text])
        #expect(found.tokenCount == judged)
        #expect(abs(found.perplexity - exp(surprise / Double(judged))) < 1e-3 * found.perplexity)
    }

    @Test func windowsCoverATextOnce() {
        let tokens = (0..<10).map { TokenID($0) }
        let windows = ScoredText.windows(of: tokens, tokenCount: 4)
        #expect(windows.map(\.tokens) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
        #expect(ScoredText.windows(of: [1], tokenCount: 4).isEmpty)
        #expect(ScoredText(tokens: [1, 2], firstScored: 2) == nil && ScoredText(tokens: [1, 2], firstScored: 0) == nil)
    }
}
