import ArgumentParser
import Foundation
import HeddleEngine
import HeddleKernels

extension BenchCommand {
    /// `heddle bench kernels`: each kernel alone.
    struct Kernels: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kernels", abstract: "Time each kernel against bandwidth and peak arithmetic of the same run.",
            discussion: """
                Products of each weight format at 1 to 512 rows, LoRA, attention, norms, rounding and sampling, on TinyLlama's
                sizes. HEDDLE_ISA chooses another instruction set.

                Examples:
                  heddle bench kernels
                  heddle bench kernels --only "product int8" --threads 1
                """)

        @Option(help: "Threads that share each call.") var threads = 2
        @Option(help: "Rounds, of which the median is shown.") var rounds = 7
        @Option(help: "Only kernels with this in their names.") var only: String?
        @Flag(help: "Print one JSON object.") var json = false

        func validate() throws {
            guard (1...ThreadTeam.threadCountMax).contains(threads) else {
                throw ValidationError("--threads must be 1 to \(ThreadTeam.threadCountMax)")
            }
            guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be 1 to 1000") }
        }

        func run() throws {
            var bench = KernelBench()
            bench.threadCount = threads
            bench.roundCount = rounds
            bench.filter = only
            let report = try bench.run(progress: BenchProgress())
            if json { return Terminal.print(try Terminal.json(report)) }
            var table = Table(["KERNEL", "µs", "GB/s", "OF BANDWIDTH", "GOP/s", "OF ARITHMETIC"])
            table.rows = report.timings.map {
                [
                    $0.kernel, String(format: "%.1f", $0.microseconds), String(format: "%.1f", $0.gigabytesPerSecond),
                    percent($0.shareOfBandwidth), String(format: "%.0f", $0.gigaoperationsPerSecond),
                    percent($0.shareOfArithmetic),
                ]
            }
            let peaks = report.arithmeticGigaoperationsPerSecond.sorted { $0.key < $1.key }
                .map { "\($0.key) \(String(format: "%.0f", $0.value)) GOP/s" }
            Terminal.print(
                "\(report.instructions), \(report.threads) threads; read "
                    + String(format: "%.1f GB/s, ", report.bandwidthGigabytesPerSecond) + peaks.joined(separator: ", "))
            Terminal.print(table.lines.joined(separator: "\n"))
        }
    }

    /// What `decode` and `prefill` share.
    struct StepOptions: ParsableArguments {
        @Option(help: "The model's sizes: \(ModelShape.names). Its weights are random, made on the fly.")
        var shape = "tinyllama-1.1b"

        @Option(help: "Weight formats: f32, bf16, int8, int4; several with commas.")
        var weights = "int8"

        @Option(help: "Only so many of the shape's layers, for a quick look.") var layers: Int?

        @Option(help: "Threads of each rank.") var threads = 2

        @Option(help: "Ranks, 1 to 8, each a process of its own.") var tensorParallel = 1

        @Option(help: "Rank of the adapters.") var adapterRank = 16

        @Option(help: "Rounds, of which the median is shown.") var rounds = 7

        @Option(help: "Where the random model is written, and deleted afterwards.")
        var scratch = NSTemporaryDirectory()

        @Flag(help: "Print one JSON object.") var json = false

        // Another rank, in its own process.
        @Option(help: .hidden) var join: String?
        @Option(help: .hidden) var joinRank = 0

        var formats: [WeightFormat] { weights.split(separator: ",").compactMap { WeightFormat(rawValue: String($0)) } }

        func validate() throws {
            guard ModelShape(named: shape) != nil else {
                throw ValidationError("“\(shape)” is no shape; there are \(ModelShape.names)")
            }
            for name in weights.split(separator: ",", omittingEmptySubsequences: false)
            where WeightFormat(rawValue: String(name)) == nil || name == "auto" {
                throw ValidationError("“\(name)” is no weight format; there are f32, bf16, int8 and int4")
            }
            guard (1...ThreadTeam.threadCountMax).contains(threads) else {
                throw ValidationError("--threads must be 1 to \(ThreadTeam.threadCountMax)")
            }
            if let layers, layers < 1 { throw ValidationError("--layers must be at least 1") }
            guard (1...8).contains(tensorParallel) else { throw ValidationError("--tensor-parallel must be 1 to 8") }
            guard (1...512).contains(adapterRank) else { throw ValidationError("--adapter-rank must be 1 to 512") }
            guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be 1 to 1000") }
        }

        /// Writes the random model and runs the cases in each format, or obeys as another rank.
        func run(_ cases: [StepBench.Case], context: Int) throws {
            guard var shape = ModelShape(named: shape) else { return }
            if let layers { shape.layerCount = min(layers, shape.layerCount) }
            var bench = StepBench(shape: shape, folder: join ?? "")
            bench.threadCount = threads
            bench.rankCount = tensorParallel
            bench.contextTokenCount = context
            bench.adapterRank = adapterRank
            bench.roundCount = rounds
            if join != nil {
                bench.weights = formats.first ?? .int8
                return try bench.obey(rank: joinRank, cases: cases)
            }
            let progress = BenchProgress()
            let folder = (scratch as NSString).appendingPathComponent("heddle-bench-\(getpid())")
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            defer { try? FileManager.default.removeItem(atPath: folder) }
            bench.folder = folder
            try RandomFolder.writeModel(shape, to: folder + "/model") {
                progress.say("writing random weights", $0 >> 20, of: $1 >> 20)
            }
            for index in 0..<(cases.map(\.adapterCount).max() ?? 0) {
                progress.say("writing random adapter \(index)")
                try RandomFolder.writeAdapter(
                    shape, rank: adapterRank, to: bench.adapterPath(index), seed: UInt64(index + 2))
            }
            var reports: [StepBench.Report] = []
            for format in formats {
                bench.weights = format
                reports.append(try bench.run(cases, progress: progress))
            }
            if json { return Terminal.print(try Terminal.json(reports)) }
            for report in reports { Terminal.print(Self.text(report)) }
        }

        private static func text(_ report: StepBench.Report) -> String {
            var table = Table([
                "STEP", "ROWS", "ADAPTERS", "ms", "TOKENS/s", "GB/s", "OF BANDWIDTH", "GOP/s", "OF ARITHMETIC",
                "OF ROOF",
            ])
            table.rows = report.timings.map {
                [
                    $0.kind.rawValue, String($0.rows), String($0.adapters), String(format: "%.2f", $0.milliseconds),
                    String(format: "%.1f", $0.tokensPerSecond), String(format: "%.1f", $0.gigabytesPerSecond),
                    percent($0.shareOfBandwidth), String(format: "%.0f", $0.gigaoperationsPerSecond),
                    percent($0.shareOfArithmetic), percent($0.shareOfRoof),
                ]
            }
            return
                "\(report.shape), \(report.timings.first?.weights ?? "") weights of \(report.packedBytes >> 20) MiB, "
                + "\(report.tensorParallel) ranks of \(report.threads) threads, \(report.instructions); context "
                + "\(report.contextTokens); read "
                + String(
                    format: "%.1f GB/s, %.0f GOP/s\n", report.bandwidthGigabytesPerSecond,
                    report.arithmeticGigaoperationsPerSecond)
                + table.lines.joined(separator: "\n")
        }
    }

    /// `heddle bench decode`: steps in which every row is another sequence's next token.
    struct Decode: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decode", abstract: "Time decode steps of a named shape, weights random.",
            discussion: """
                One worker group and nothing else of the mesh: the forward pass over as many sequences as --batch says, each
                with --context positions behind it. OF ROOF compares with the slower of bandwidth (weights alone) and
                arithmetic, both probed before every step.

                Examples:
                  heddle bench decode --weights bf16,int8 --batch 1,16,32
                  heddle bench decode --batch 32 --adapters 0,1,32
                  heddle bench decode --threads 1 --tensor-parallel 2
                """)

        @Option(help: "Rows of a step; several with commas.") var batch = "1,16,32"
        @Option(help: "Distinct adapters that the rows take turns with; several with commas.") var adapters = "0"
        @Option(help: "Positions behind each row.") var context = 128
        @OptionGroup var options: StepOptions

        func validate() throws {
            try options.validate()
            _ = try numbers(batch, "--batch", in: 1...512)
            _ = try numbers(adapters, "--adapters", in: 0...512)
            guard (0...32_768).contains(context) else { throw ValidationError("--context must be 0 to 32768") }
        }

        func run() throws {
            let counts = try numbers(adapters, "--adapters", in: 0...512)
            let cases = try numbers(batch, "--batch", in: 1...512).flatMap { rows in
                counts.filter { $0 <= rows || options.join != nil }.map {
                    StepBench.Case(kind: .decode, rowCount: rows, adapterCount: $0)
                }
            }
            if cases.isEmpty { throw ValidationError("no batch has as many rows as --adapters names adapters") }
            try options.run(cases, context: context)
        }
    }

    /// `heddle bench prefill`: steps that take in one prompt.
    struct Prefill: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prefill", abstract: "Time the prefill of a prompt of a named shape, weights random.",
            discussion: """
                Examples:
                  heddle bench prefill --weights bf16,int8 --prompt 512
                """)

        @Option(help: "Tokens of the prompt; several with commas.") var prompt = "512"
        @OptionGroup var options: StepOptions

        func validate() throws {
            try options.validate()
            _ = try numbers(prompt, "--prompt", in: 1...4096)
        }

        func run() throws {
            let cases = try numbers(prompt, "--prompt", in: 1...4096).map {
                StepBench.Case(kind: .prefill, rowCount: $0, adapterCount: 0)
            }
            try options.run(cases, context: 0)
        }
    }
}

/// Numbers with commas between them, each within bounds.
private func numbers(_ text: String, _ option: String, in bounds: ClosedRange<Int>) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map {
        guard let number = Int($0), bounds.contains(number) else {
            throw ValidationError("\(option) takes \(bounds.lowerBound) to \(bounds.upperBound), not “\($0)”")
        }
        return number
    }
}

private func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
