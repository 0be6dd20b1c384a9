import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// Spans read back by a collector that this test is.
    @Suite struct TraceExportTests {
        @Test(.timeLimit(.minutes(1))) func aCollectorReadsTheSpansOfEveryNode() async throws {
            let port = try freePort()
            let program = """
                import http.server, sys
                class Collector(http.server.BaseHTTPRequestHandler):
                    def do_POST(self):
                        body = self.rfile.read(int(self.headers["Content-Length"]))
                        print(self.path, self.headers["Content-Type"], body.decode(), flush=True)
                        self.send_response(200)
                        self.send_header("Content-Length", "0")
                        self.end_headers()
                    def log_message(self, *words): pass
                http.server.ThreadingHTTPServer(("127.0.0.1", \(port)), Collector).serve_forever()
                """
            let collector = try StartedProcess("/usr/bin/python3", ["-c", program])
            defer { collector.send(SIGKILL) }
            try await RunningMesh.with(
                .frontAndTwoRanks,
                changing: { $0.replacing("\nmodels:", with: "\ntraces: http://127.0.0.1:\(port)/v1/traces\nmodels:") }
            ) { mesh in
                try await mesh.whole()
                let client = try mesh.client()
                defer { client.close() }
                let submission = ClientSubmission.request()
                #expect(await client.answer(to: submission).failure == nil)
                let written = try await eventually("spans of two nodes", look: { collector.written }) { text in
                    text.contains("\"name\":\"decode\"") && text.contains("\"name\":\"request\"")
                }
                var names: [String: Set<String>] = [:]
                for line in written.split(separator: "\n") {
                    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
                    #expect(words[0] == "/v1/traces" && words[1] == "application/json")
                    let whole = try JSONSerialization.jsonObject(with: Data(words[2].utf8)) as? [String: Any]
                    for resource in whole?["resourceSpans"] as? [[String: Any]] ?? [] {
                        let attributes =
                            (resource["resource"] as? [String: Any])?["attributes"] as? [[String: Any]] ?? []
                        let node =
                            attributes.first { $0["key"] as? String == "heddle.node" }?["value"] as? [String: Any]
                        for scope in resource["scopeSpans"] as? [[String: Any]] ?? [] {
                            for span in scope["spans"] as? [[String: Any]] ?? [] {
                                #expect(span["traceId"] as? String == submission.id.description)
                                let start = UInt64(span["startTimeUnixNano"] as? String ?? "") ?? 0
                                let end = UInt64(span["endTimeUnixNano"] as? String ?? "") ?? 0
                                #expect(start <= end && abs(Double(end) / 1e9 - Date().timeIntervalSince1970) < 120)
                                names[node?["stringValue"] as? String ?? "", default: []]
                                    .insert(span["name"] as? String ?? "")
                            }
                        }
                    }
                }
                #expect(
                    names["front"]?.isSuperset(of: ["request", "admit", "tokenise", "queue", "run"]) == true, "\(names)"
                )
                #expect(names["worker-0"]?.isSuperset(of: ["wait", "prefill", "decode"]) == true, "\(names)")
            }
        }
    }
}
