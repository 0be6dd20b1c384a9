import Foundation
import HeddleClient
import HeddleCore
import HeddleTransport
import HeddleWire
import Testing

/// The client in Docs/SOCKET.md is run as it stands there: a page that nobody runs is soon wrong.
@Suite struct PythonExampleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// `HEDDLE_PYTHON`, or what `make test` installs: an interpreter that has pyzmq and protobuf.
    private static let python: String? = {
        let environment = ProcessInfo.processInfo.environment
        let places = [environment["HEDDLE_PYTHON"], root.path + "/.build/venv/bin/python"].compactMap { $0 }
        return places.first { path in
            guard FileManager.default.isExecutableFile(atPath: path) else { return false }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = ["-c", "import zmq, google.protobuf"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
    }()

    private static let canRun = python != nil || ProcessInfo.processInfo.environment["CI"] != nil

    /// The first Python block of the page.
    private static func example() throws -> String {
        let page = try String(contentsOf: root.appendingPathComponent("Docs/SOCKET.md"), encoding: .utf8)
        let start = try #require(page.range(of: "```python\n"))
        let end = try #require(page.range(of: "\n```", range: start.upperBound..<page.endIndex))
        return String(page[start.upperBound..<end.lowerBound]) + "\n"
    }

    private struct Outcome {
        var output: String
        var errors: String
        var status: Int32
    }

    private static func run(_ endpoint: String) async throws -> Outcome {
        let python = try #require(
            python, "pyzmq and protobuf are missing: make test installs them, or set HEDDLE_PYTHON")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", try example(), endpoint, "sql", "secret", "größte Städte?"]
        process.currentDirectoryURL = root
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let text = output.fileHandleForReading.readDataToEndOfFile()
                let complaints = errors.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                continuation.resume(
                    returning: Outcome(
                        output: String(decoding: text, as: UTF8.self),
                        errors: String(decoding: complaints, as: UTF8.self), status: process.terminationStatus))
            }
        }
    }

    @Test(.enabled(if: canRun, "no Python with pyzmq and protobuf"))
    func theExampleStreamsAnAnswer() async throws {
        // Sends what the credit allows: without the example's grants it would stop after 64 of the 100 tokens.
        let credit = Locked((tokens: 0, next: 0))
        let submitted = Locked<ClientSubmission?>(nil)
        let router = try ScriptedRouter { message in
            credit.withLock { credit in
                switch message {
                case .submit(let submission):
                    submitted.withLock { $0 = submission }
                    credit.tokens += submission.creditTokens ?? 0
                case .credit(_, let tokenCount): credit.tokens += tokenCount
                case .ping(let number): return [Samples.pong(number)]
                case .cancel: return []
                }
                guard let id = submitted.withLock({ $0?.id }) else { return [] }
                var replies = credit.next == 0 ? [Samples.accepted(id)] : []
                while credit.tokens > 0, credit.next < 100 {
                    let range = credit.next..<credit.next + 1
                    replies.append(Samples.tokens(range, finish: credit.next == 99 ? .length : nil, id: id))
                    credit.next += 1
                    credit.tokens -= 1
                }
                return replies + (credit.next == 100 ? [Samples.finished([100], id: id)] : [])
            }
        }
        defer { router.stop() }
        let outcome = try await Self.run(router.endpoint)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == (0..<100).map { "t\($0)" }.joined() + "\n")
        let submission = try #require(submitted.withLock { $0 })
        #expect(submission.prompt == .text("größte Städte?"))
        #expect(submission.key == "secret")
        #expect(submission.model == "sql")
        #expect(submission.sampling == RequestedSampling(seed: submission.id.low, tokenCountMax: 64))
    }

    @Test(.enabled(if: canRun, "no Python with pyzmq and protobuf"))
    func theExampleTakesAStreamUpAndReportsAFailure() async throws {
        let submissions = Locked<[ClientSubmission]>([])
        let router = try ScriptedRouter { message in
            switch message {
            case .submit(let submission):
                let count = submissions.withLock { submissions in
                    submissions.append(submission)
                    return submissions.count
                }
                switch count {
                case 1: return [.busy(submission.id, retryAfter: .milliseconds(10))]
                case 2: return [Samples.accepted(submission.id), Samples.tokens(0..<3, id: submission.id)]
                default:
                    return [
                        Samples.tokens(3..<4, id: submission.id),
                        ClientReply(id: submission.id, error: .workerLost(losses: 2)),
                    ]
                }
            // The second answer comes from another start of the router.
            case .ping(let number):
                let isLate = submissions.withLock { $0.count } >= 2
                return [Samples.pong(number, incarnation: Incarnation(high: isLate ? 2 : 1, low: 0))]
            default: return []
            }
        }
        defer { router.stop() }
        let outcome = try await Self.run(router.endpoint)
        #expect(outcome.status == 1)
        #expect(outcome.output == "t0t1t2t3")
        #expect(outcome.errors.hasPrefix("worker_lost: "), "\(outcome.errors)")
        #expect(submissions.withLock { $0.map(\.resumeFrom) } == [[0], [0], [3]])
    }
}
