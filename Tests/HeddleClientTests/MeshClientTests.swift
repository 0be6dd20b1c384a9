import HeddleClient
import HeddleCore
import HeddleTransport
import HeddleWire
import Testing

@Suite struct MeshClientTests {
    /// Reads an answer to its end.
    private func events(_ stream: AnswerStream) async throws(RequestFailure) -> [AnswerEvent] {
        var events: [AnswerEvent] = []
        for try await event in stream { events.append(event) }
        return events
    }

    private func tokens(_ events: [AnswerEvent]) -> [TokenID] {
        events.flatMap { (event: AnswerEvent) -> [TokenID] in
            if case .tokens(let tokens) = event { tokens.tokens } else { [] }
        }
    }

    private func failure(_ stream: AnswerStream) async -> RequestFailure? {
        do throws(RequestFailure) {
            _ = try await events(stream)
            return nil
        } catch {
            return error
        }
    }

    /// The whole answer to a submission, from where it wants it.
    @Sendable private static func answer(_ submission: ClientSubmission) -> [ClientReply] {
        let count = submission.sampling.tokenCountMax ?? 0
        return [Samples.accepted(submission.id)]
            + (submission.resumeFrom[0]..<count).map { index in
                Samples.tokens(index..<index + 1, finish: index == count - 1 ? .length : nil, id: submission.id)
            } + [Samples.finished([count], id: submission.id)]
    }

    @Test func anAnswerStreams() async throws {
        let router = try ScriptedRouter { message in
            switch message {
            case .submit(let submission): Self.answer(submission)
            case .ping(let number): [Samples.pong(number)]
            default: []
            }
        }
        let client = try MeshClient(endpoints: [router.endpoint])
        let events = try await events(try client.submit(Samples.submission(tokenCountMax: 50)))
        #expect(events.count == 52)
        #expect(tokens(events) == Array(0..<50))
        client.close()
        router.stop()
    }

    @Test func manyRequestsShareAConnection() async throws {
        let router = try ScriptedRouter { message in
            if case .submit(let submission) = message { Self.answer(submission) } else { [] }
        }
        let client = try MeshClient(endpoints: [router.endpoint])
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<64 {
                let stream = try client.submit(
                    Samples.submission(tokenCountMax: 20, id: RequestID(high: 5, low: UInt64(number))))
                group.addTask { try await tokens(events(stream)) == Array(0..<20) }
            }
            for try await isWhole in group { #expect(isWhole) }
        }
        router.stop()
    }

    @Test func theCreditIsGrantedAsTheProgramReads() async throws {
        // Sends no more than it has credit for; without grants it would stop after 16 tokens.
        let credit = Locked((tokens: 0, next: 0))
        let router = try ScriptedRouter { message in
            credit.withLock { credit in
                switch message {
                case .submit(let submission): credit.tokens += submission.creditTokens ?? 0
                case .credit(_, let tokenCount): credit.tokens += tokenCount
                default: return []
                }
                var replies: [ClientReply] = []
                while credit.tokens > 0, credit.next < 200 {
                    replies.append(
                        Samples.tokens(credit.next..<credit.next + 1, finish: credit.next == 199 ? .length : nil))
                    credit.next += 1
                    credit.tokens -= 1
                }
                return replies + (credit.next == 200 ? [Samples.finished([200])] : [])
            }
        }
        var limits = MeshClientLimits()
        limits.windowTokens = 16
        let client = try MeshClient(endpoints: [router.endpoint], limits: limits)
        let events = try await events(try client.submit(Samples.submission(tokenCountMax: 200)))
        #expect(tokens(events) == Array(0..<200))
        router.stop()
    }

    @Test func aRefusalComesAsItsCode() async throws {
        let router = try ScriptedRouter { message in
            if case .submit(let submission) = message {
                [ClientReply(id: submission.id, error: .unknownModel("sql"))]
            } else {
                []
            }
        }
        let client = try MeshClient(endpoints: [router.endpoint])
        let failure = await failure(try client.submit(Samples.submission()))
        #expect(failure?.code == "unknown_model")
        #expect(failure?.parameter == "model")
        router.stop()
    }

    @Test func cancellingTheTaskReachesTheRouter() async throws {
        let (cancels, cancelled) = AsyncStream.makeStream(of: RequestID.self)
        let router = try ScriptedRouter { message in
            switch message {
            case .submit: return [Samples.accepted(), Samples.tokens(0..<1)]
            case .cancel(let id):
                cancelled.yield(id)
                return []
            default: return []
            }
        }
        let client = try MeshClient(endpoints: [router.endpoint])
        let stream = try client.submit(Samples.submission(tokenCountMax: 100))
        let (firsts, first) = AsyncStream.makeStream(of: Void.self)
        let task = Task { () -> RequestFailure? in
            do throws(RequestFailure) {
                for try await event in stream { if case .tokens = event { first.yield() } }
                return nil
            } catch {
                return error
            }
        }
        for await _ in firsts { break }
        task.cancel()
        #expect(await task.value?.code == "cancelled")
        for await id in cancels {
            #expect(id == Samples.id)
            break
        }
        router.stop()
    }

    @Test func anAnswerThatNobodyHoldsIsCancelled() async throws {
        let (cancels, cancelled) = AsyncStream.makeStream(of: RequestID.self)
        let router = try ScriptedRouter { message in
            if case .cancel(let id) = message { cancelled.yield(id) }
            return []
        }
        let client = try MeshClient(endpoints: [router.endpoint])
        _ = try client.submit(Samples.submission())
        for await id in cancels {
            #expect(id == Samples.id)
            break
        }
        router.stop()
    }

    @Test func aStreamGoesOnAtTheNextRouter() async throws {
        // The first says a little and then nothing, not even to pings.
        let first = try ScriptedRouter { message in
            if case .submit = message { [Samples.accepted(), Samples.tokens(0..<5)] } else { [] }
        }
        let second = try ScriptedRouter { message in
            if case .submit(let submission) = message { Self.answer(submission) } else { [] }
        }
        var limits = MeshClientLimits()
        limits.socket.silenceMax = .milliseconds(300)
        let client = try MeshClient(endpoints: [first.endpoint, second.endpoint], limits: limits)
        let events = try await events(try client.submit(Samples.submission(tokenCountMax: 20)))
        #expect(tokens(events) == Array(0..<20))
        let accepts = events.filter { if case .accepted = $0 { true } else { false } }
        #expect(accepts.count == 1)
        let resumed = second.heard.withLock { $0 }.compactMap { message in
            if case .submit(let submission) = message { submission.resumeFrom } else { nil }
        }
        #expect(resumed == [[5]])
        first.stop()
        second.stop()
    }

    @Test func aStreamGoesOnWhenItsRouterIsStartedAgain() async throws {
        let first = try ScriptedRouter { message in
            switch message {
            case .submit: [Samples.accepted(), Samples.tokens(0..<5)]
            case .ping(let number): [Samples.pong(number)]
            default: []
            }
        }
        var limits = MeshClientLimits()
        limits.socket.heartbeatInterval = .milliseconds(50)
        let client = try MeshClient(endpoints: [first.endpoint], limits: limits)
        let stream = try client.submit(Samples.submission(tokenCountMax: 20))
        var iterator = stream.makeAsyncIterator()
        var seen: [AnswerEvent] = []
        while tokens(seen).count < 5, let event = try await iterator.next() { seen.append(event) }
        first.stop()
        let again = try ScriptedRouter(endpoint: first.endpoint) { message in
            switch message {
            case .submit(let submission): Self.answer(submission)
            case .ping(let number): [Samples.pong(number, incarnation: Incarnation(high: 8, low: 8))]
            default: []
            }
        }
        while let event = try await iterator.next() { seen.append(event) }
        #expect(tokens(seen) == Array(0..<20))
        again.stop()
    }

    @Test func aRouterThatSpeaksSomethingElseEndsTheRequest() async throws {
        let router = try ScriptedRouter(script: { _, _ in [[[1, 2, 3]]] })
        let client = try MeshClient(endpoints: [router.endpoint])
        #expect(await failure(try client.submit(Samples.submission()))?.code == "protocol_violation")
        router.stop()
    }

    @Test func nobodyThereIsSaidSo() async throws {
        let router = try ScriptedRouter { _ in [] }
        let endpoint = router.endpoint
        router.stop()
        var limits = MeshClientLimits()
        limits.unreachableAfter = .milliseconds(300)
        let client = try MeshClient(endpoints: [endpoint], limits: limits)
        #expect(await failure(try client.submit(Samples.submission()))?.code == "unreachable")
    }

    @Test func anEndpointThatIsNoneIsRefused() {
        #expect(throws: TransportError.self) { try MeshClient(endpoints: ["nonsense"]) }
        #expect(throws: TransportError.self) { try MeshClient(endpoints: []) }
    }

    @Test func aClosedClientEndsItsAnswers() async throws {
        let router = try ScriptedRouter { _ in [] }
        let client = try MeshClient(endpoints: [router.endpoint])
        let stream = try client.submit(Samples.submission())
        client.close()
        #expect(await failure(stream)?.code == "cancelled")
        #expect(throws: RequestFailure.self) { try client.submit(Samples.submission()) }
        router.stop()
    }
}
