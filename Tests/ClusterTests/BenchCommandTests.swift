import Foundation
import Testing

/// `heddle bench`: that every measurement runs, whatever its figures are.
@Suite struct BenchCommandTests {
    @Test func stepsAreTimedOverTwoProcesses() async throws {
        let ended = try await HeddleProgram.run(
            [
                "bench", "decode", "--shape", "qwen2.5-0.5b", "--layers", "1", "--weights", "int8", "--batch", "1,2",
                "--adapters", "0,2", "--context", "20", "--threads", "1", "--tensor-parallel", "2", "--rounds", "1",
                "--json",
            ], within: .seconds(120))
        #expect(ended.code == 0, "\(ended.errors)")
        let reports = try #require(
            JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [[String: Any]])
        let report = try #require(reports.first)
        #expect(report["tensorParallel"] as? Int == 2 && report["layers"] as? Int == 1)
        let timings = try #require(report["timings"] as? [[String: Any]])
        #expect(
            timings.map { $0["rows"] as? Int } == [1, 2, 2] && timings.map { $0["adapters"] as? Int } == [0, 0, 2])
        for timing in timings {
            #expect((timing["milliseconds"] as? Double ?? 0) > 0 && (timing["shareOfRoof"] as? Double ?? 0) > 0)
        }
    }

    @Test func kernelsAreTimedBesideTheRoofs() async throws {
        let ended = try await HeddleProgram.run(
            ["bench", "kernels", "--rounds", "1", "--threads", "1", "--json"], within: .seconds(120))
        #expect(ended.code == 0, "\(ended.errors)")
        let report = try #require(JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
        let kernels = try #require(report["timings"] as? [[String: Any]]).compactMap { $0["kernel"] as? String }
        for kind in ["product bf16", "product int8", "product int4", "lora", "attention", "norm", "rounding", "argmax"]
        {
            #expect(kernels.contains { $0.hasPrefix(kind) }, "\(kind)")
        }
        #expect((report["bandwidthGigabytesPerSecond"] as? Double ?? 0) > 0)
    }

    @Test func whatCannotBeMeasuredIsNamed() async throws {
        for (words, names) in [
            (["decode", "--shape", "tiny"], "tinyllama-1.1b"), (["decode", "--batch", "1,,2"], "--batch"),
            (["prefill", "--weights", "int3"], "int3"), (["decode", "--tensor-parallel", "9"], "--tensor-parallel"),
            (["decode", "--batch", "1", "--adapters", "4"], "--adapters"),
        ] {
            let ended = try await HeddleProgram.run(["bench"] + words)
            #expect(ended.code == 64 && ended.errors.contains(names), "\(words): \(ended.errors)")
        }
        let kernels = try await HeddleProgram.run(["bench", "kernels", "--only", "nothing"])
        #expect(kernels.code == 1 && kernels.errors.contains("nothing"))
    }
}
