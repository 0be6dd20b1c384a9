import Foundation
import HeddleCore
import Testing

/// Where each node of the suite's mesh serves its metrics. Outside the suite, whose attribute asks for it.
private enum MetricsPorts {
    static let all: [String: UInt16] = Dictionary(
        uniqueKeysWithValues: ["front", "worker-0", "worker-1"].map { ($0, (try? freePort()) ?? 0) })
}

extension WholeMesh {
    /// What a monitoring system reads.
    @Suite(
        .mesh(
            .frontAndTwoRanks,
            changing: { text in
                var text = text
                for (node, port) in MetricsPorts.all {
                    text = text.replacing(
                        "- name: \(node)\n", with: "- name: \(node)\n    metrics: 127.0.0.1:\(port)\n")
                }
                return text
            }))
    struct MetricsTests {
        let mesh = RunningMesh.current

        /// Of the Debian package `prometheus`, or what `HEDDLE_PROMTOOL` names; nil where neither is there.
        static let promtool: String? = [ProcessInfo.processInfo.environment["HEDDLE_PROMTOOL"], "/usr/bin/promtool"]
            .compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }

        @Test(.timeLimit(.minutes(1)), .enabled(if: promtool != nil, "the Debian package prometheus is not there"))
        func theAlertsAreRules() async throws {
            let rules = "\(Topology.shipped)/observability/alerts.yaml"
            let judge = try StartedProcess(Self.promtool ?? "", ["check", "rules", rules])
            let ended = try await judge.ended(within: .seconds(30))
            #expect(ended.code == 0, "\(ended.output)\(ended.errors)")
        }

        /// A scrape and an inspection ask no actor, and cost what they write.
        @Test(.timeLimit(.minutes(1))) func aScrapeIsFast() async throws {
            var times: [Duration] = []
            for _ in 0..<20 {
                let start = ContinuousClock.now
                _ = try await mesh.picture()
                times.append(ContinuousClock.now - start)
            }
            print("inspection of every node: \(times.sorted()[10])")
            let curl = try StartedProcess(
                "/usr/bin/curl",
                ["-sS", "-o", "/dev/null", "-w", "%{time_total}\n"]
                    + (0..<20).map { _ in "http://127.0.0.1:\(MetricsPorts.all["worker-0"] ?? 0)/metrics" })
            let seconds = try await curl.ended(within: .seconds(30)).output.split(separator: "\n").compactMap {
                Double($0)
            }
            print("a scrape of a worker: \((seconds.sorted().first ?? 0) * 1000) ms at best")
            #expect(seconds.min() ?? 1 < 0.1)
        }

        private func scrape(_ node: String) async throws -> String {
            let curl = try StartedProcess(
                "/usr/bin/curl", ["-sS", "-m", "10", "http://127.0.0.1:\(MetricsPorts.all[node] ?? 0)/metrics"])
            return try await curl.ended(within: .seconds(15)).output
        }

        @Test(.timeLimit(.minutes(1))) func everyNodeTellsWhatItDid() async throws {
            try await mesh.whole()
            let client = try mesh.client()
            defer { client.close() }
            let answer = await client.answer(to: .request())
            #expect(answer.failure == nil)
            let front = try await eventually("an ended request", look: { try await scrape("front") }) {
                $0.contains(#"heddle_requests_total{tenant="acme",outcome="finished"} 1"#)
            }
            #expect(front.contains(#"heddle_peer_connected{peer="worker-0"} 1"#), "\(front)")
            #expect(front.contains(#"heddle_request_first_token_seconds_count{tenant="acme"} 1"#))
            let tokens = answer.choices[0].tokens.count
            let worker = try await eventually("a worker's tokens", look: { try await scrape("worker-0") }) {
                $0.contains("vllm:request_success_total{model_name=\"demo\",finished_reason=\"length\"} 1")
                    || $0.contains("vllm:request_success_total{model_name=\"demo\",finished_reason=\"stop\"} 1")
            }
            #expect(worker.contains("vllm:generation_tokens_total{model_name=\"demo\"} \(tokens)\n"), "\(worker)")
            #expect(worker.contains("vllm:time_to_first_token_seconds_count{model_name=\"demo\"} 1\n"))
            #expect(worker.split(separator: "\n").count { $0.hasPrefix("vllm:lora_requests_info{") } == 1)
            let other = try await scrape("worker-1")
            #expect(other.contains(#"heddle_worker_up{group="g0",rank="1"} 1"#) && !other.contains("vllm:"))
        }

        /// Read by Prometheus' own Python client, and judged by promtool where that is there.
        @Test(.timeLimit(.minutes(1))) func itIsWhatPrometheusReads() async throws {
            let names = Set(Metric.allCases.map(\.rawValue))
            for node in ["front", "worker-0", "worker-1"] {
                let text = try await scrape(node)
                if let python = ProcessInfo.processInfo.environment["HEDDLE_PYTHON"] {
                    let program = """
                        import sys
                        from prometheus_client.parser import text_string_to_metric_families as read
                        for family in read(sys.stdin.read()):
                            print(family.name, family.type, len(family.samples))
                        """
                    let read = try StartedProcess(python, ["-c", program], input: Array(text.utf8))
                    let ended = try await read.ended(within: .seconds(30))
                    #expect(ended.code == 0, "\(ended.errors)")
                    for line in ended.output.split(separator: "\n") {
                        let words = line.split(separator: " ").map(String.init)
                        #expect(names.contains(words[0]) || names.contains(words[0] + "_total"), "\(line)")
                        #expect(words[1] != "unknown" && words[2] != "0", "\(line)")
                    }
                }
                if let promtool = Self.promtool {
                    // The names that vLLM gave are not ours to judge.
                    let own =
                        text.split(separator: "\n").filter { !$0.contains("vllm:") }.joined(separator: "\n") + "\n"
                    let judge = try StartedProcess(promtool, ["check", "metrics"], input: Array(own.utf8))
                    let ended = try await judge.ended(within: .seconds(30))
                    #expect(ended.code == 0, "\(ended.output)\(ended.errors)")
                }
            }
        }
    }
}
