import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// What a person sees of what happened, and of what is wrong right now.
    @Suite(.mesh(.frontAndTwoRanks)) struct ObservationTests {
        let mesh = RunningMesh.current

        @Test(.timeLimit(.minutes(1))) func aRequestsWaterfallGoesFromTheSocketToTheSteps() async throws {
            try await mesh.whole()
            let client = try mesh.client()
            defer { client.close() }
            let submission = ClientSubmission.request(model: "german")
            #expect(await client.answer(to: submission).failure == nil)
            let id = submission.id.description
            let answer = try await eventually(
                "a trace with its decoding", look: { try await mesh.heddle("trace", id, "-o", "json") }
            ) { $0.output.contains("\"decode\"") && $0.output.contains("\"open\": false,\n  \"length") }
            let spans = try #require(try object(answer)["spans"] as? [[String: Any]])
            let names = Set(spans.compactMap { $0["name"] as? String })
            #expect(
                names.isSuperset(of: [
                    "request", "admit", "describe adapter", "tokenise", "queue", "run", "wait", "prefill", "decode",
                ]),
                "\(answer.output)")
            let root = try #require(spans.first { $0["name"] as? String == "request" })
            let whole = try #require(root["duration_seconds"] as? Double)
            for span in spans {
                // Two processes tell; their reports are of almost one moment.
                let end = (span["start_seconds"] as? Double ?? 0) + (span["duration_seconds"] as? Double ?? 0)
                #expect(end <= whole + 2, "\(span)")
                #expect(span["open"] as? Bool == false, "\(span)")
            }
            // Its adapter had to be mapped first: nobody had used it.
            let wait = spans.first { $0["reason"] as? String == "its adapter is being mapped" }
            #expect(wait?["actor"] as? String == "worker-0/gpu-worker/g0.0", "\(answer.output)")
            let text = try await mesh.heddle("trace", String(id.prefix(12)))
            #expect(text.code == 0 && text.output.contains("finished after") && !text.hasColour, "\(text.output)")
            let list = try await mesh.heddle("trace")
            #expect(list.output.contains(id))
            #expect(try await mesh.heddle("trace", String(repeating: "f", count: 32)).code == 1)
        }

        @Test(.timeLimit(.minutes(1))) func aRunningRequestIsTracedToo() async throws {
            let client = try mesh.client(windowTokens: 1)
            defer { client.close() }
            let submission = ClientSubmission.long()
            let stream = try client.submit(submission)
            let answer = try await eventually(
                "an open trace", look: { try await mesh.heddle("trace", submission.id.description, "-o", "json") }
            ) { $0.output.contains("\"decode\"") }
            #expect(answer.code == 0)
            let spans = try #require(try object(answer)["spans"] as? [[String: Any]])
            #expect(spans.contains { $0["name"] as? String == "run" || $0["name"] as? String == "drain" })
            #expect(try object(answer)["open"] as? Bool == true)
            stream.cancel()
            try await mesh.idle()
        }

        @Test(.timeLimit(.minutes(1))) func eventsTellWhatHappened() async throws {
            try await mesh.whole()
            let client = try mesh.client()
            defer { client.close() }
            #expect(await client.answer(to: .request(model: "pirate")).failure == nil)
            let refused = ClientSubmission.request(model: "nothing")
            #expect(await client.failure(of: refused)?.code != nil)
            let ended = try await mesh.heddle("events", "--tail", "1000", "-o", "json")
            #expect(ended.code == 0, "\(ended.errors)")
            let events = try ended.output.split(separator: "\n").map { line in
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            }
            let kinds = Set(events.compactMap { $0["event"] as? String })
            #expect(
                kinds.isSuperset(of: [
                    "node-started", "peer-connected", "epoch-began", "group-up", "adapter-loaded", "request-refused",
                ]),
                "\(kinds)")
            #expect(
                events.contains {
                    $0["event"] as? String == "request-refused" && $0["request"] as? String == refused.id.description
                })
            for node in ["front", "worker-0", "worker-1"] {
                let numbers = events.filter { $0["node"] as? String == node }.compactMap { $0["number"] as? Int }
                #expect(numbers == numbers.indices.map { numbers[0] + $0 }, "\(node): \(numbers)")
            }
            let logs = try await mesh.heddle("logs", "--request", refused.id.description)
            #expect(logs.code == 0 && logs.output.contains("was refused"), "\(logs.output)")
            // The log file holds the same as JSON lines, and no prompt.
            let file = try String(contentsOfFile: "\(mesh.runtime)/logs/front.log", encoding: .utf8)
            for line in file.split(separator: "\n") {
                let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                #expect(object["node"] as? String == "front" && object["incarnation"] != nil && object["actor"] != nil)
            }
            #expect(!file.contains("customers"))
        }

        @Test(.timeLimit(.minutes(1))) func aNodeThatStandsStillAndOneThatDiedAreToldApart() async throws {
            try await mesh.whole()
            let follower = try StartedProcess(
                HeddleProgram.path, ["events", "-f", "--timeout", "0.5", "-c", mesh.file, "-o", "json"])
            _ = try await eventually("the first events", look: { follower.written }) { $0.contains("node-started") }
            try mesh.send(SIGSTOP, to: "worker-1")
            let top = try await mesh.heddle("top", "--once", "--timeout", "0.5")
            #expect(top.code == 2 && top.output.contains("! worker-1: does not answer"), "\(top.output)")
            #expect(top.output.contains("is still connected to it") || top.output.contains("says it is lost"))
            let json = try await mesh.heddle("top", "--once", "-o", "json", "--timeout", "0.5")
            let findings = try #require(try object(json)["findings"] as? [[String: Any]])
            #expect(findings.contains { $0["subject"] as? String == "worker-1" })
            _ = try await eventually("the silent node", look: { follower.written }) { $0.contains("\"silent\"") }
            try mesh.send(SIGCONT, to: "worker-1")
            try await mesh.whole()

            try mesh.send(SIGKILL, to: "worker-1")
            let logs = try await eventually(
                "the log file of the dead node or its successor",
                look: { try await mesh.heddle("logs", "--node", "worker-1", "--timeout", "0.5") }
            ) { $0.output.contains("serves") }
            #expect(logs.output.contains("worker-1"))
            try await mesh.whole()
            let written = try await eventually("the new process", look: { follower.written }) {
                $0.contains("\"restarted\"") && $0.contains("peer-lost") && $0.contains("epoch-ended")
            }
            #expect(written.contains("\"back\""))
            follower.send(SIGINT)
            _ = try await follower.ended(within: .seconds(10))
            let doctor = try await mesh.heddle("doctor", "--live", "--json")
            #expect(doctor.output.contains("no actor is behind"), "\(doctor.output)")
        }

        @Test(.timeLimit(.minutes(1))) func listsAreYAMLSortedAndWatched() async throws {
            let yaml = try await mesh.heddle("get", "adapters", "-o", "yaml", "--sort-by", "name")
            #expect(yaml.code == 0 && yaml.output.hasPrefix("adapters:\n  - name: \"french\"\n"), "\(yaml.output)")
            #expect(try await mesh.heddle("get", "nodes", "--sort-by", "nonsense").code == 64)
            let watch = try StartedProcess(HeddleProgram.path, ["get", "nodes", "-w", "-c", mesh.file])
            _ = try await eventually("two lists", look: { watch.written }) { text in
                text.components(separatedBy: "UPTIME").count > 2
            }
            watch.send(SIGINT)
            _ = try await watch.ended(within: .seconds(10))
            let status = try await mesh.heddle("status", "-o", "json")
            #expect(try object(status)["degraded"] as? Bool == false)
        }

        /// Under a real terminal: draws, sorts, follows a new size, and gives the terminal back.
        @Test(.timeLimit(.minutes(1)), .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/tmux")))
        func topDrawsOnATerminalAndGivesItBack() async throws {
            try await mesh.whole()
            let socket = "\(mesh.folder.path)/tmux"
            func tmux(_ words: String...) async throws -> String {
                let process = try StartedProcess(
                    // Its server would keep descriptor 3 open.
                    "/bin/sh",
                    ["-c", "exec 3>&-; exec /usr/bin/tmux \"$@\"", "sh", "-S", socket, "-f", "/dev/null"] + words)
                return try await process.ended(within: .seconds(10)).output
            }
            _ = try await tmux("new-session", "-d", "-x", "120", "-y", "30", "-s", "top", "env PS1=ready sh")
            do {
                _ = try await tmux(
                    "send-keys", "-t", "top", "\(HeddleProgram.path) top -c \(mesh.file) --interval 0.2", "Enter")
                func screen(_ what: String, until isSo: (String) -> Bool) async throws -> String {
                    try await eventually(what, look: { try await tmux("capture-pane", "-p", "-t", "top") }, until: isSo)
                }
                let first = try await screen("the first drawing") { $0.contains("heddle top, cluster") }
                for word in ["3 of 3 nodes", "GROUP", "worker-0", "TENANT", "ACTOR", "by load", "q quit"] {
                    #expect(first.contains(word), "\(first)")
                }
                _ = try await tmux("send-keys", "-t", "top", "s")
                _ = try await screen("another order") { $0.contains("by age") }
                _ = try await tmux("resize-window", "-t", "top", "-x", "60", "-y", "15")
                _ = try await screen("a small screen") { text in
                    text.contains("heddle top") && text.contains("q quit")
                        && !text.split(separator: "\n").contains { $0.count > 60 }
                }
                _ = try await tmux("send-keys", "-t", "top", "q")
                _ = try await screen("the shell again") { !$0.contains("q quit") && $0.contains("ready") }
                _ = try await tmux(
                    "send-keys", "-t", "top", "stty -a | tr ' ' '\\n' | grep -x -e echo -e icanon | wc -l", "Enter")
                _ = try await screen("a terminal as it was") { $0.contains("\n2\n") }
            } catch {
                _ = try? await tmux("kill-server")
                throw error
            }
            _ = try await tmux("kill-server")
        }

        private func object(_ ended: StartedProcess.Ended) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any] ?? [:]
        }
    }
}
