import Foundation
import HeddleClient
import HeddleCore
import HeddleTransport
import Testing

/// The Swift client in Docs/SOCKET.md is `SwiftExample.swift`, word for word, and works.
@Suite struct SwiftExampleTests {
    @Test func thePageShowsTheFileThatIsCompiled() throws {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let root = here.deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("Docs/SOCKET.md"), encoding: .utf8)
        let file = try String(contentsOf: here.appendingPathComponent("SwiftExample.swift"), encoding: .utf8)
        #expect(page.contains("```swift\n\(file)```"))
    }

    @Test func theExampleReadsAnAnswerAndLeavesAnother() async throws {
        let cancelled = Locked<[RequestID]>([])
        let router = try ScriptedRouter { message in
            switch message {
            case .submit(let submission):
                var replies = [Samples.accepted(submission.id), Samples.tokens(0..<3, id: submission.id)]
                if submission.prompt == .text("short") {
                    replies += [
                        Samples.tokens(3..<4, finish: .stop, id: submission.id),
                        Samples.finished([4], id: submission.id),
                    ]
                }
                return replies
            case .cancel(let id):
                cancelled.withLock { $0.append(id) }
                return [.failed(RequestFailure(id: id, .cancelled))]
            case .ping(let number): return [Samples.pong(number)]
            case .credit: return []
            }
        }
        defer { router.stop() }
        try await printAnswer(from: [router.endpoint], key: "secret", prompt: "short", tokenCountMax: 100)
        let failure = await #expect(throws: RequestFailure.self) {
            try await printAnswer(from: [router.endpoint], key: "secret", prompt: "long", tokenCountMax: 2)
        }
        #expect(failure?.code == "cancelled")
        #expect(cancelled.withLock { $0.count } >= 1)
    }
}
