import Foundation
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleFiles
import HeddleKernels
import HeddleRoles

/// Times forward passes of one worker group: every rank a process of its own, as in a mesh, and nothing else of the mesh.
struct StepBench {
    /// One kind of step.
    struct Case: Hashable, Sendable {
        enum Kind: String, Codable, Sendable { case decode, prefill }
        var kind: Kind
        /// Rows: sequences that decode, or tokens of one prompt.
        var rowCount: Int
        /// Which adapters the rows go through: none, or this many distinct ones taking turns.
        var adapterCount: Int
    }

    var shape: ModelShape
    var weights = WeightFormat.int8
    var threadCount = 2
    var rankCount = 1
    /// Positions that a decoding sequence has behind it.
    var contextTokenCount = 128
    var adapterRank = 16
    var roundCount = 7
    /// The folder of the model, its adapters and the group's meeting place.
    var folder: String

    /// What one kind of step took.
    struct Timing: Encodable {
        var kind: Case.Kind
        var rows: Int
        var adapters: Int
        var weights: String
        /// Median of the rounds.
        var milliseconds: Double
        var tokensPerSecond: Double
        /// Weights of base model and adapters read in a step, over the step's time, and as a share of the probe's.
        var gigabytesPerSecond: Double
        var shareOfBandwidth: Double
        /// Multiplications and additions with weights, likewise.
        var gigaoperationsPerSecond: Double
        var shareOfArithmetic: Double
        /// The time that the slower of the two roofs alone would take, over the step's time.
        var shareOfRoof: Double
    }

    struct Report: Encodable {
        var shape: String
        var layers: Int
        var instructions: String
        var threads: Int
        var tensorParallel: Int
        var contextTokens: Int
        var adapterRank: Int
        var bandwidthGigabytesPerSecond: Double
        var arithmeticGigaoperationsPerSecond: Double
        var packedBytes: Int
        var timings: [Timing]
    }

    func adapterPath(_ index: Int) -> String { "\(folder)/adapter-\(index)" }

    /// Runs all cases, taking turns, and compares each with the roofs of the same run.
    func run(_ cases: [Case], progress: BenchProgress) throws -> Report {
        let adapterCount = cases.map(\.adapterCount).max() ?? 0
        progress.say("packing \(weights.rawValue) weights")
        let others = try (1..<max(1, rankCount)).map { try launch(rank: $0, cases: cases) }
        defer { for other in others where other.isRunning { other.terminate() } }
        let (engine, shard) = try engine(rank: 0, cases: cases)
        let roofs = try Roofs(threadCount: threadCount * rankCount)
        let format = shard.projectionFormat
        var plans = StepPlans(shape: shape, contextTokenCount: contextTokenCount)
        for plan in plans.contexts(cases) { _ = try engine.run(plan) }
        var seconds = [[Double]](repeating: [], count: cases.count)
        for round in -1..<roundCount {
            for (index, kind) in cases.enumerated() {
                progress.say("round \(max(0, round + 1)) of \(roundCount): \(kind.kind.rawValue) \(kind.rowCount)")
                let plan = plans.next(kind)
                if round >= 0 { roofs.probe([format]) }
                let took = try Stopwatch.seconds { _ = try engine.run(plan) }
                // The first round warms caches and memory.
                if round >= 0 { seconds[index].append(took) }
            }
        }
        roofs.probe([format])
        engine.abort()
        for other in others { other.waitUntilExit() }
        progress.done()
        let adapterBytes = adapterCount == 0 ? 0 : try self.adapterBytes(engine)
        let timings = zip(cases, seconds).map { kind, seconds in
            timing(
                kind, seconds.median, baseBytes: shard.byteCount * rankCount, adapterBytes: adapterBytes, roofs, format)
        }
        return Report(
            shape: shape.name, layers: shape.layerCount, instructions: InstructionSet.current.rawValue,
            threads: threadCount,
            tensorParallel: rankCount,
            contextTokens: contextTokenCount, adapterRank: adapterRank,
            bandwidthGigabytesPerSecond: roofs.bandwidth / 1e9,
            arithmeticGigaoperationsPerSecond: roofs.arithmetic(format) / 1e9,
            packedBytes: shard.byteCount * rankCount, timings: timings)
    }

    private func timing(
        _ kind: Case, _ seconds: Double, baseBytes: Int, adapterBytes: Int, _ roofs: Roofs, _ format: PackedFormat
    ) -> Timing {
        let isDecode = kind.kind == .decode
        let outputRows = isDecode ? kind.rowCount : 1
        let used = min(kind.adapterCount, isDecode ? kind.rowCount : 1)
        let bytes = Double(baseBytes + used * adapterBytes)
        let adapterWeights =
            kind.adapterCount == 0
            ? 0
            : shape.layerCount
                * shape.projections.reduce(0) { $0 + adapterRank * ($1.outputs + $1.inputs) }
        let operations =
            2.0
            * Double(
                (shape.layerWeightCount + adapterWeights) * kind.rowCount + shape.outputWeightCount * outputRows)
        let roof = max(bytes / roofs.bandwidth, operations / roofs.arithmetic(format))
        return Timing(
            kind: kind.kind, rows: kind.rowCount, adapters: kind.adapterCount, weights: weights.rawValue,
            milliseconds: seconds * 1e3, tokensPerSecond: Double(kind.rowCount) / seconds,
            gigabytesPerSecond: bytes / seconds / 1e9, shareOfBandwidth: bytes / seconds / roofs.bandwidth,
            gigaoperationsPerSecond: operations / seconds / 1e9,
            shareOfArithmetic: operations / seconds / roofs.arithmetic(format), shareOfRoof: roof / seconds)
    }

    // MARK: Ranks

    /// Another rank's life: it obeys until rank 0 ends the group.
    func obey(rank: Int, cases: [Case]) throws {
        let (engine, _) = try engine(rank: rank, cases: cases)
        while (try? engine.obey()) != nil {}
    }

    private func launch(rank: Int, cases: [Case]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
        let options: KeyValuePairs<String, String> = [
            "--shape": shape.name, "--layers": String(shape.layerCount), "--weights": weights.rawValue,
            "--threads": String(threadCount), "--tensor-parallel": String(rankCount),
            "--context": String(contextTokenCount), "--adapter-rank": String(adapterRank), "--join": folder,
            "--join-rank": String(rank), "--adapters": String(cases.map(\.adapterCount).max() ?? 0),
            "--batch": String(cases.map(\.rowCount).max() ?? 1),
        ]
        process.arguments = ["bench", "decode"] + options.flatMap { [$0.key, $0.value] }
        try process.run()
        return process
    }

    private func engine(rank: Int, cases: [Case]) throws -> (RankEngine, PackedShard) {
        let model = try ModelFolder(path: folder + "/model")
        let plan = try ShardPlan(configuration: model.configuration, rank: rank, rankCount: rankCount)
        let shard = try PackedShard(model: model, plan: plan, format: weights)
        let rows = cases.map(\.rowCount).max() ?? 1
        let positions = max(contextTokenCount + 1, rows)
        var limits = ForwardLimits()
        limits.threadCount = threadCount
        limits.spinMicroseconds = 200
        limits.stepRowCountMax = max(rows, contextTokenCount)
        limits.blockCount = max(1, rows) * ((contextTokenCount + 1) / kvBlockTokens + 1) + positions / kvBlockTokens + 1
        var meeting = CollectiveLimits()
        // Every rank packs its shard first.
        meeting.openMax = .seconds(300)
        let collective: (any Collective)? =
            rankCount == 1
            ? nil
            : try SharedMemoryCollective.open(
                directory: folder, group: GroupName("bench"), epoch: Epoch(1), rank: rank, rankCount: rankCount,
                limits: meeting)
        let pass = try CPUForwardPass(shard: shard, collective: collective, limits: limits)
        let engine = RankEngine(pass: pass, collective: collective)
        for index in 0..<(cases.map(\.adapterCount).max() ?? 0) {
            let adapter = try PackedAdapter(
                folder: AdapterFolder(path: adapterPath(index), model: model), for: shard.shape)
            engine.map(adapter, named: AdapterName("a\(index)"), slot: AdapterSlot(Int32(index)))
        }
        return (engine, shard)
    }

    private func adapterBytes(_ engine: RankEngine) throws -> Int {
        let model = try ModelFolder(path: folder + "/model")
        let plan = try ShardPlan(configuration: model.configuration, rank: 0, rankCount: 1)
        let shape = ShardShape(model: model, plan: plan, weights: weights)
        return try PackedAdapter.byteCount(folder: AdapterFolder(path: adapterPath(0), model: model), for: shape)
    }
}

/// Decides the steps that are timed: rows of as many sequences, each with its own blocks, or one prompt.
struct StepPlans {
    let shape: ModelShape
    let contextTokenCount: Int
    private var step: UInt64 = 0

    init(shape: ModelShape, contextTokenCount: Int) {
        self.shape = shape
        self.contextTokenCount = contextTokenCount
    }

    /// What must have run before any of the cases: the tokens behind the rows that decode.
    mutating func contexts(_ cases: [StepBench.Case]) -> [StepPlan] {
        if contextTokenCount == 0 { return [] }
        let blockCount = contextTokenCount / kvBlockTokens + 1
        return (0..<(cases.filter { $0.kind == .decode }.map(\.rowCount).max() ?? 0)).map { index in
            step += 1
            let segment = StepPlan.Segment(
                sequence: SequenceID(UInt64(index + 1)), adapter: nil,
                tokens: (0..<contextTokenCount).map { TokenID(($0 * 104_729 + index) % shape.vocabularyCount) },
                firstPosition: 0,
                blocks: (0..<((contextTokenCount + kvBlockTokens - 1) / kvBlockTokens)).map {
                    BlockID(Int32(index * blockCount + $0))
                }, logits: .none)
            return StepPlan(step: step, segments: [segment])
        }
    }

    mutating func next(_ kind: StepBench.Case) -> StepPlan {
        step += 1
        let isDecode = kind.kind == .decode
        let tokenCount = isDecode ? 1 : kind.rowCount
        let first = isDecode ? contextTokenCount : 0
        let blockCount = (first + tokenCount + kvBlockTokens - 1) / kvBlockTokens
        let segments = (0..<(isDecode ? kind.rowCount : 1)).map { index in
            let tokens = (0..<tokenCount).map { TokenID((index * 7919 + $0 * 104_729 + 3) % shape.vocabularyCount) }
            return StepPlan.Segment(
                sequence: SequenceID(UInt64(index + 1)),
                adapter: kind.adapterCount == 0 ? nil : AdapterSlot(Int32(index % kind.adapterCount)),
                tokens: tokens, firstPosition: first,
                blocks: (0..<blockCount).map { BlockID(Int32(index * blockCount + $0)) }, logits: .last)
        }
        return StepPlan(
            step: step,
            segments: segments.sorted {
                ($0.adapter?.index ?? -1, $0.sequence.number) < ($1.adapter?.index ?? -1, $1.sequence.number)
            })
    }
}
