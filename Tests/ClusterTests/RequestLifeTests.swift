import Foundation
import HeddleClient
import HeddleCore
import HeddleWire
import Testing

extension WholeMesh {
    /// Cancels, deadlines, credit and resume through a router, a queue and two ranks.
    @Suite(.mesh(.frontAndTwoRanks)) struct RequestLifeTests {
        let mesh = RunningMesh.current

        @Test(.timeLimit(.minutes(1))) func aCancelledRequestLeavesTheWorkerAndFailsOnce() async throws {
            let submission = ClientSubmission.long()
            let mesh = mesh
            let replies = try await RawClient.with(mesh.endpoint) { client in
                try client.say(.submit(submission))
                // The answer, and tokens of it: it runs.
                _ = try client.hear()
                _ = try client.hear()
                try client.say(.cancel(submission.id))
                try client.say(.cancel(submission.id))
                return try client.hearToTheEnd() + client.hearAll(quietFor: .milliseconds(500))
            }
            #expect(replies.failures.map(\.code) == ["cancelled"])
            #expect(replies.failures.map(\.id) == [submission.id])
            // Nothing but the failure comes after the failure.
            if case .failed? = replies.last {} else { Issue.record("\(replies.suffix(2))") }
            let picture = try await mesh.idle(within: .seconds(5))
            #expect(picture.workers.allSatisfy { $0.blocksUsed == 0 })
        }

        @Test(.timeLimit(.minutes(1))) func cancellingTheStreamEndsTheRequest() async throws {
            let client = try mesh.client()
            defer { client.close() }
            let stream = try client.submit(.long())
            var code: String?
            do throws(RequestFailure) {
                for try await event in stream { if case .tokens = event { stream.cancel() } }
            } catch {
                code = error.code
            }
            #expect(code == "cancelled")
            try await mesh.idle(within: .seconds(5))
        }

        @Test(.timeLimit(.minutes(1))) func aSocketThatClosesTakesItsRequestsAlong() async throws {
            let submissions = (1...4).map { ClientSubmission.long(seed: UInt64($0), choiceCount: 2) }
            try await RawClient.with(mesh.endpoint) { client in
                for submission in submissions { try client.say(.submit(submission)) }
                for _ in 0..<16 { _ = try client.hear() }
            }
            try await mesh.idle(within: .seconds(10))
        }

        @Test(.timeLimit(.minutes(1))) func aClientThatIsKilledTakesItsRequestAlong() async throws {
            let process = try StartedProcess(
                HeddleProgram.path,
                [
                    "submit", "-c", mesh.file, "--model", "sql", "--key", "demo-acme", "--n", "8", "--temperature", "100",
                    "--seed", "3", "--max-tokens", "900", "List the customers.",
                ])
            let running = try await eventually("a running request", look: { try await mesh.picture() }) { picture in
                picture.workers.contains { $0.runningCount > 0 } && picture.requests.contains { $0.generatedTokenCount > 0 }
            }
            #expect(running.requests.count == 1)
            process.send(SIGKILL)
            _ = try await process.ended(within: .seconds(5))
            try await mesh.idle(within: .seconds(10))
        }

        @Test(.timeLimit(.minutes(1))) func aDeadlineIsKept() async throws {
            let client = try mesh.client()
            defer { client.close() }
            let began = ContinuousClock.now
            let failure = await client.failure(of: .long(deadline: .milliseconds(300)))
            let took = ContinuousClock.now - began
            #expect(failure?.code == "deadline_exceeded")
            #expect(took >= .milliseconds(300) && took < .milliseconds(1300), "\(took)")
            try await mesh.idle(within: .seconds(5))
        }

        @Test(.timeLimit(.minutes(1))) func aRouterSendsNoMoreThanItHasCreditFor() async throws {
            let (known, whole) = try await mesh.requestOfLength(40)
            var submission = known.again
            submission.creditTokens = 5
            let request = submission
            let mesh = mesh
            let (first, second, rest) = try await RawClient.with(mesh.endpoint) { client in
                try client.say(.submit(request))
                let first = try client.hearAll(quietFor: .seconds(1))
                try client.say(.credit(request.id, tokenCount: 7))
                let second = try client.hearAll(quietFor: .seconds(1))
                try client.say(.credit(request.id, tokenCount: 1000))
                return (first, second, try client.hearToTheEnd())
            }
            #expect(first.tokens().count == 5)
            #expect(second.tokens().count == 7)
            #expect((first + second + rest).tokens() == whole.choices[0].tokens)
            #expect((first + second + rest).text() == whole.choices[0].text)
            if case .finished? = rest.last {} else { Issue.record("\(rest.suffix(1))") }
        }

        @Test(.timeLimit(.minutes(1)), arguments: [0, 1, 7, 39])
        func aRequestIsTakenUpWhereItsClientLeft(after count: Int) async throws {
            let (known, whole) = try await mesh.requestOfLength(40)
            var submission = known.again
            submission.creditTokens = max(1, count)
            let first = submission
            let before = try await RawClient.with(mesh.endpoint) { client in
                try client.say(.submit(first))
                var replies: [ClientReply] = []
                while replies.tokens().count < count, let reply = try client.hear() { replies.append(reply) }
                return replies
            }
            submission.creditTokens = 1000
            submission.resumeFrom = [count]
            let second = submission
            let after = try await RawClient.with(mesh.endpoint) { client in
                try client.say(.submit(second))
                return try client.hearToTheEnd()
            }
            #expect(before.tokens() + after.tokens() == whole.choices[0].tokens)
            #expect(before.text() + after.text() == whole.choices[0].text)
            let indices = (before + after).compactMap { reply -> Int? in
                if case .tokens(let part) = reply { part.firstIndex } else { nil }
            }
            #expect(indices == indices.sorted())
            #expect(after.failures.isEmpty, "\(after.failures)")
            try await mesh.idle()
        }

        @Test(.timeLimit(.minutes(1))) func theSameIdAgainRunsOnce() async throws {
            let before = try await generatedTokens()
            let (known, whole) = try await mesh.requestOfLength(40)
            let between = try await generatedTokens()
            let submission = known.again
            var copies: [[ClientReply]] = []
            for _ in 0..<3 {
                copies.append(
                    try await RawClient.with(mesh.endpoint) { client in
                        try client.say(.submit(submission))
                        return try client.hearToTheEnd()
                    })
            }
            for replies in copies { #expect(replies.tokens() == whole.choices[0].tokens) }
            let after = try await generatedTokens()
            #expect(between > before)
            #expect(after - between == 40, "three submissions under one id are computed once")
        }

        @Test(.timeLimit(.minutes(1))) func aSlowReaderHoldsUpNobody() async throws {
            let slow = try mesh.client(windowTokens: 4)
            defer { slow.close() }
            var unread = try slow.submit(.long()).makeAsyncIterator()
            _ = try await unread.next()
            let quick = try mesh.client()
            defer { quick.close() }
            let answers = await quick.answers(to: (0..<8).map { .request("Number \($0).", tenant: "beacon") })
            #expect(answers.allSatisfy { $0.failure == nil })
        }

        /// Tokens that rank 0 has sampled since it started.
        private func generatedTokens() async throws -> Int64 {
            let picture = try await mesh.idle()
            for actor in picture.actors where actor.id.contains(".0") {
                for field in actor.fields where field.key == "generated" {
                    if case .integer(let count) = field.value { return count }
                }
            }
            throw StartedProcess.Failed("no rank tells what it generated: \(picture.actors.map(\.id))")
        }
    }
}
