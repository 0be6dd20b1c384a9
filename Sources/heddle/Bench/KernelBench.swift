import HeddleCore
import HeddleEngine
import HeddleKernels

/// Times each kernel alone, on TinyLlama's sizes, against the roofs measured in the same run.
///
/// Matrices lie one behind another in far more memory than the caches hold, so that products read from memory as they do in
/// a step; everything else works on what the step before left in the caches.
struct KernelBench {
    var threadCount = 2
    var roundCount = 7
    var formats: [PackedFormat] = [.bf16, .int8, .int4]
    /// Only kernels whose names hold this.
    var filter: String?

    struct Timing: Encodable {
        var kernel: String
        /// Median of the rounds, for one call.
        var microseconds: Double
        /// Bytes that must come from memory or caches, a second; as a share of the bandwidth probe's.
        var gigabytesPerSecond: Double
        var shareOfBandwidth: Double
        var gigaoperationsPerSecond: Double
        /// Of what the arithmetic probe of the kernel's format reached.
        var shareOfArithmetic: Double
    }

    struct Report: Encodable {
        var instructions: String
        var threads: Int
        var bandwidthGigabytesPerSecond: Double
        var arithmeticGigaoperationsPerSecond: [String: Double]
        var timings: [Timing]
    }

    /// A kernel made ready: what one call reads and computes.
    private struct Kernel {
        var name: String
        var format: PackedFormat
        var bytes: Int
        var operations: Int
        /// Calls in a round, so that a round takes milliseconds.
        var callCount: Int
        var call: (_ index: Int) -> Void
    }

    func run(progress: BenchProgress) throws -> Report {
        guard let team = ThreadTeam(threadCount: threadCount, spinMicroseconds: 200) else {
            throw CommandFailure("\(threadCount) threads were refused")
        }
        let roofs = try Roofs(threadCount: threadCount)
        var kernels: [Kernel] = []
        for format in formats { kernels += try products(format, team) }
        kernels += try lora(team)
        kernels += attention(team)
        kernels += rowKernels(team)
        kernels += sampling()
        if let filter { kernels = kernels.filter { $0.name.contains(filter) } }
        if kernels.isEmpty { throw CommandFailure("no kernel has “\(filter ?? "")” in its name", exit: .notFound) }
        var seconds = [[Double]](repeating: [], count: kernels.count)
        let used = Array(Set(kernels.map(\.format))).sorted { $0.rawValue < $1.rawValue }
        for round in -1..<roundCount {
            roofs.probe(used)
            for (index, kernel) in kernels.enumerated() {
                progress.say("timing kernels", max(0, round) * kernels.count + index, of: roundCount * kernels.count)
                let took = Stopwatch.seconds { for call in 0..<kernel.callCount { kernel.call(call) } }
                if round >= 0 { seconds[index].append(took / Double(kernel.callCount)) }
            }
        }
        progress.done()
        let timings = zip(kernels, seconds).map { kernel, seconds in
            let took = seconds.median
            return Timing(
                kernel: kernel.name, microseconds: took * 1e6, gigabytesPerSecond: Double(kernel.bytes) / took / 1e9,
                shareOfBandwidth: Double(kernel.bytes) / took / roofs.bandwidth,
                gigaoperationsPerSecond: Double(kernel.operations) / took / 1e9,
                shareOfArithmetic: Double(kernel.operations) / took / roofs.arithmetic(kernel.format))
        }
        return Report(
            instructions: InstructionSet.current.rawValue, threads: threadCount,
            bandwidthGigabytesPerSecond: roofs.bandwidth / 1e9,
            arithmeticGigaoperationsPerSecond: Dictionary(
                uniqueKeysWithValues: used.map { ("\($0)", roofs.arithmetic($0) / 1e9) }),
            timings: timings)
    }

    // MARK: Kernels

    private static let hidden = 2048
    private static let wide = 5632

    /// gate_proj of some layers, one call a layer.
    private func products(_ format: PackedFormat, _ team: ThreadTeam) throws -> [Kernel] {
        let layers = try (0..<8).map { try matrix(format, outputs: Self.wide, inputs: Self.hidden, seed: $0) }
        let bytes = PackedMatrix.byteCount(format: format, outputs: Self.wide, inputs: Self.hidden)
        return [1, 4, 8, 16, 32, 128, 512].map { rows in
            let x = floats(rows * Self.hidden, seed: rows).rows(rows, width: Self.hidden)
            let y = FloatMemory(count: rows * Self.wide).rows(rows, width: Self.wide)
            let memory = OperandMemory()
            return Kernel(
                name: "product \(format) \(rows) rows", format: format, bytes: bytes,
                operations: 2 * rows * Self.wide * Self.hidden, callCount: rows > 64 ? 2 : 8
            ) { call in
                memory.reset()
                var list = ProductList()
                list.add(layers[call % layers.count], memory.operands(of: x, team: team)(for: format), into: y)
                list.run(team)
            }
        }
    }

    /// x · A and then B onto the base's rows, for 32 rows of as many adapters as said.
    private func lora(_ team: ThreadTeam) throws -> [Kernel] {
        var kernels: [Kernel] = []
        for rank in [16, 64] {
            let pairs = try (0..<64).map { index in
                (
                    a: try matrix(.bf16, outputs: rank, inputs: Self.hidden, seed: index),
                    b: try matrix(.bf16, outputs: Self.hidden, inputs: rank, seed: index + 99)
                )
            }
            for adapters in [1, 32] {
                let rows = 32
                let each = rows / adapters
                let x = floats(rows * Self.hidden, seed: 1).rows(rows, width: Self.hidden)
                let y = FloatMemory(count: rows * Self.hidden).rows(rows, width: Self.hidden)
                let shrunk = FloatMemory(count: rows * rank).rows(rows, width: rank)
                let memory = OperandMemory()
                kernels.append(
                    Kernel(
                        name: "lora rank \(rank), 32 rows of \(adapters)", format: .bf16,
                        bytes: adapters * 2 * 2 * rank * Self.hidden, operations: 2 * 2 * rows * rank * Self.hidden,
                        callCount: 8
                    ) { call in
                        memory.reset()
                        var list = ProductList()
                        let input = memory.operands(of: x, team: team)(for: .bf16)
                        for adapter in 0..<adapters {
                            let own = (adapter * each)..<((adapter + 1) * each)
                            list.add(pairs[(call + adapter) % 64].a, input[own], into: shrunk[own])
                        }
                        list.run(team)
                        list.removeAll()
                        let narrow = memory.operands(of: shrunk, team: team)(for: .bf16)
                        for adapter in 0..<adapters {
                            let own = (adapter * each)..<((adapter + 1) * each)
                            list.add(pairs[(call + adapter) % 64].b, narrow[own], scaledBy: 2, onto: y[own])
                        }
                        list.run(team)
                    })
            }
        }
        return kernels
    }

    /// Sequences that decode with so many positions behind them, and a prompt.
    private func attention(_ team: ThreadTeam) -> [Kernel] {
        let heads = AttentionHeads(headDimension: 64, kvHeadCount: 4, kvHeadOfHead: (0..<32).map { $0 / 8 })
        return [(16, 1, 256), (16, 1, 1024), (1, 1, 32_768), (1, 512, 512)].map { sequences, rows, positions in
            let blockCount = positions / kvBlockTokens
            let kv = floats(sequences * blockCount * heads.blockFloatCount, seed: 7)
            var sequenceRows = SequenceRows()
            for sequence in 0..<sequences {
                sequenceRows.append(
                    rowCount: rows, firstPosition: positions - rows,
                    blocks: (0..<blockCount).map { Int32(sequence * blockCount + $0) })
            }
            let count = sequences * rows
            let queries = floats(count * 2048, seed: 3).rows(count, width: 2048)
            let out = FloatMemory(count: count * 2048).rows(count, width: 2048)
            let seen = rows == 1 ? positions : positions / 2
            let all = sequenceRows
            return Kernel(
                name: "attention \(sequences) × \(rows) rows over \(positions)", format: .f32,
                bytes: sequences * positions * 2 * 4 * 64 * 4, operations: count * seen * 2 * 2 * 2048, callCount: 4
            ) { _ in all.attend(queries: queries, heads: heads, kv: kv.floats, into: out, team: team) }
        }
    }

    private func rowKernels(_ team: ThreadTeam) -> [Kernel] {
        let rows = 32
        let x = floats(rows * Self.hidden, seed: 5).rows(rows, width: Self.hidden)
        let y = FloatMemory(count: rows * Self.hidden).rows(rows, width: Self.hidden)
        let gate = floats(rows * Self.wide, seed: 6).rows(rows, width: Self.wide)
        let up = floats(rows * Self.wide, seed: 7).rows(rows, width: Self.wide)
        let ones = [Float](repeating: 1, count: Self.hidden)
        let memory = OperandMemory()
        var kernels = [
            Kernel(
                name: "norm 32 rows", format: .f32, bytes: rows * Self.hidden * 8, operations: rows * Self.hidden * 4,
                callCount: 50
            ) { _ in RowKernels.rmsNorm(x, weight: ones, epsilon: 1e-5, into: y, team: team) },
            Kernel(
                name: "gate 32 rows", format: .f32, bytes: rows * Self.wide * 12, operations: rows * Self.wide * 20,
                callCount: 50
            ) { _ in RowKernels.gate(gate, by: up, team: team) },
        ]
        for format in formats {
            kernels.append(
                Kernel(
                    name: "rounding to \(format) 32 rows", format: .f32, bytes: rows * Self.wide * 4,
                    operations: rows * Self.wide * 4, callCount: 50
                ) { _ in
                    memory.reset()
                    _ = memory.operands(of: gate, team: team)(for: format)
                })
        }
        return kernels
    }

    private func sampling() -> [Kernel] {
        let count = 151_936
        let logits = floats(count, seed: 9)
        return [
            Kernel(name: "argmax of 151936", format: .f32, bytes: count * 4, operations: count, callCount: 20) { _ in
                _ = RowKernels.argmax(UnsafeBufferPointer(rebasing: logits.floats[..<count]))
            },
            Kernel(name: "log-sum-exp of 151936", format: .f32, bytes: count * 4, operations: count * 20, callCount: 20)
            {
                _ in _ = RowKernels.logSumExp(UnsafeBufferPointer(rebasing: logits.floats[..<count]))
            },
        ]
    }

    // MARK: Numbers

    private func matrix(_ format: PackedFormat, outputs: Int, inputs: Int, seed: Int) throws -> PackedMatrix {
        let source = floats(outputs * inputs, seed: seed)
        let byteCount = PackedMatrix.byteCount(format: format, outputs: outputs, inputs: inputs)
        let memory = PackedMemory(byteCount: byteCount) { bytes in
            PackedMatrix.pack(format: format, outputs: outputs, inputs: inputs, into: bytes) { rows, part in
                for (index, at) in (rows.lowerBound * inputs..<rows.upperBound * inputs).enumerated() {
                    part[index] = source.floats[at]
                }
            }
        }
        guard let memory else { throw CommandFailure("no memory for \(byteCount) bytes of weights") }
        return PackedMatrix(in: memory, byteOffset: 0, format: format, outputs: outputs, inputs: inputs)
    }

    private func floats(_ count: Int, seed: Int) -> FloatMemory {
        let memory = FloatMemory(count: count)
        var random = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15 | 1
        for index in 0..<count {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            memory.floats[index] = Float(Int32(truncatingIfNeeded: random >> 32)) * 0x1p-31
        }
        return memory
    }
}
