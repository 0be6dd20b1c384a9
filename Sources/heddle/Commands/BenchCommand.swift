import ArgumentParser
import Foundation
import HeddleActors

/// `heddle bench`: measurements that anyone can repeat.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure this machine.",
        discussion: """
            Each measurement is compared with a limit that is measured in the same run: raw libzmq, memory bandwidth, peak
            arithmetic. Compare the ratios: times move with the machine's neighbours.

            EXAMPLES
              heddle bench calls
              heddle bench kernels
              heddle bench decode --weights int8 --batch 1,16,32
              heddle bench prefill --weights bf16 --prompt 512
              heddle bench accuracy --model-dir DIR --text FILE
            """, subcommands: [Calls.self, Kernels.self, Decode.self, Prefill.self, Accuracy.self])

    /// `heddle bench calls`: remote calls beside bare libzmq.
    struct Calls: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "calls", abstract: "Time remote calls against bare libzmq, and the sums of a worker group.",
            discussion: """
                A 100-byte echo, the two kinds taking turns in the same run; over ipc and tcp the other end is another
                process. The ratio compares medians. Then a sum of 2048 floats by two ranks, over each kind of collective.

                Examples:
                  heddle bench calls
                  heddle bench calls --wire ipc --rounds 21
                  heddle bench calls --json
                """)

        @Option(help: "Only this wire: inproc, ipc or tcp. Repeat for several.")
        var wire: [String] = []

        @Option(help: "Rounds of each measurement, of which the median is shown.")
        var rounds = 9

        @Option(help: "Calls in a round.")
        var calls = 500

        @Option(help: "Bytes of each call's argument and result.")
        var payload = 100

        @Flag(help: "Print one JSON object.")
        var json = false

        /// The calls' report, with the timings of the sums under `sums` beside its own keys.
        private struct Answer: Encodable {
            var report: CallBenchReport
            var sums: CollectiveTiming

            private enum Key: String, CodingKey {
                case sums
            }

            func encode(to encoder: any Encoder) throws {
                try report.encode(to: encoder)
                var container = encoder.container(keyedBy: Key.self)
                try container.encode(sums.timings, forKey: .sums)
            }
        }

        // The far end, in its own process.
        @Option(help: .hidden) var serve: String?
        @Option(help: .hidden) var folder = ""

        func validate() throws {
            for name in wire + [serve].compactMap({ $0 }) where CallBench.Wire(rawValue: name) == nil {
                throw ValidationError("“\(name)” is no wire; there are inproc, ipc and tcp")
            }
            guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be 1 to 1000") }
            guard (1...1_000_000).contains(calls) else { throw ValidationError("--calls must be 1 to 1000000") }
            guard (1...(1 << 20)).contains(payload) else { throw ValidationError("--payload must be 1 to 1048576") }
        }

        func run() async throws {
            if let serve, let wire = CallBench.Wire(rawValue: serve) {
                return try await BenchServer.serveUntilInputCloses(wire: wire, folder: folder)
            }
            var bench = CallBench()
            if !wire.isEmpty { bench.wires = wire.compactMap(CallBench.Wire.init) }
            bench.roundCount = rounds
            bench.callsPerRound = calls
            bench.payloadBytes = payload
            let report = try await bench.run(path: "/proc/self/exe") { wire, folder in
                ["bench", "calls", "--serve", wire.rawValue, "--folder", folder]
            }
            // After the calls, so that its spinning threads take nothing from them.
            let sums = try CollectiveTiming.measure()
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                print(String(decoding: try encoder.encode(Answer(report: report, sums: sums)), as: UTF8.self))
            } else {
                print(report.table)
                print()
                print(sums.table)
            }
        }
    }
}
