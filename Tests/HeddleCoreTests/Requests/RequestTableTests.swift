import HeddleCore
import Testing

@Suite struct RequestTableTests {
    private let client = ClientRef(1)
    private let other = ClientRef(2)

    private func table(
        requests: Int = 8, losses: Int = 2, grace: Duration = .zero, remembered: Int = 8, credit: Int = 1000
    ) throws -> RequestTable {
        RequestTable(
            limits: try RequestTableLimits(
                requestCountMax: requests, lossCountMax: losses, clientGrace: grace, rememberedTime: .seconds(60),
                rememberedCountMax: remembered, creditTokenCountMax: credit, reportTokenCount: 2),
            router: router)
    }

    private func submit(
        _ table: inout RequestTable, _ submission: Submission, client: ClientRef? = nil, credit: Int = 1000,
        from: [Int] = [], tenantMax: Int = 100, now: UInt64 = 0
    ) -> [RequestTable.Action] {
        table.submit(
            submission, client: client ?? self.client, credit: credit, resumeFrom: from,
            tenantRequestCountMax: tenantMax, now: at(now))
    }

    /// A table with request 1 running on group g.
    private func running(
        _ submission: Submission = HeddleCoreTests.submission(1), losses: Int = 2, grace: Duration = .zero,
        credit: Int = 1000, creditMax: Int = 1000
    ) throws -> RequestTable {
        var table = try table(losses: losses, grace: grace, credit: creditMax)
        _ = submit(&table, submission, credit: credit)
        _ = table.assigned(request(1), attempt: Attempt(1), to: group("g"), now: at(0))
        return table
    }

    private func delivery(
        _ tokens: [TokenID], at index: Int, choice: Int = 0, attempt: UInt32 = 1, from: GroupEpoch = group("g"),
        finish: FinishReason? = nil
    ) -> Delivery {
        Delivery(
            from: from, request: request(1), attempt: Attempt(attempt), choice: choice, firstIndex: index,
            tokens: tokens, finish: finish)
    }

    private func chunk(_ tokens: [TokenID], at index: Int, choice: Int = 0, finish: FinishReason? = nil)
        -> RequestTable.Chunk
    {
        RequestTable.Chunk(request: request(1), choice: choice, firstIndex: index, tokens: tokens, finish: finish)
    }

    private func settlement(_ generated: Int, attempt: UInt32 = 1, prompt: Int = 3, error: RequestError? = nil)
        -> RequestTable.Action
    {
        .settle(
            Settlement(
                request: request(1), attempt: Attempt(attempt), tenant: TenantName("a"), model: ModelName("base"),
                adapter: nil, usage: Usage(promptTokenCount: prompt, generatedTokenCount: generated), error: error))
    }

    private func isTicket(_ action: RequestTable.Action?, attempt: UInt32, generated: Int = 0) -> Bool {
        guard case .enqueue(let ticket)? = action else { return false }
        return ticket.attempt == Attempt(attempt) && ticket.generatedTokenCount == generated
    }

    @Test func aRequestIsAcceptedQueuedDispatchedStreamedAndFinished() throws {
        var table = try table()
        var accepted = ticket(1, prompt: 3, max: 4, timeLeft: .seconds(10))
        #expect(submit(&table, submission(1)) == [.accept(client, request(1), resumed: false), .enqueue(accepted)])
        accepted.timeLeft = .seconds(9)
        let assignment = Assignment(
            request: request(1), attempt: Attempt(1), tenant: TenantName("a"), model: ModelName("base"), adapter: nil,
            promptTokens: [1, 2, 3], parameters: SamplingParameters(tokenCountMax: 4),
            choices: [Assignment.Choice(number: 0, tokens: [])], router: router, timeLeft: .seconds(9))
        #expect(
            table.assigned(request(1), attempt: Attempt(1), to: group("g"), now: at(1000)) == [
                .dispatch(assignment, to: group("g"))
            ])
        #expect(table.delivered(delivery([5], at: 0), now: at(1001)) == [.send(client, chunk([5], at: 0))])
        #expect(
            table.delivered(delivery([6], at: 1), now: at(1002)) == [
                .report(request(1), Attempt(1), generatedTokenCount: 2), .send(client, chunk([6], at: 1)),
            ])
        #expect(
            table.delivered(delivery([], at: 2, finish: .stop), now: at(1003)) == [
                .endAtQueue(request(1), Attempt(1), generatedTokenCount: 2),
                .send(client, chunk([], at: 2, finish: .stop)), settlement(2),
                .finish(client, request(1), usage: Usage(promptTokenCount: 3, generatedTokenCount: 2)),
            ])
        #expect(table.requestCount == 0 && table.requestCount(of: TenantName("a")) == 0)
    }

    @Test func aFullChoiceEndsByLengthEvenWhenItsReasonIsMissing() throws {
        var table = try running()
        let actions = table.delivered(delivery([1, 2, 3, 4], at: 0), now: at(1))
        #expect(actions.contains(.send(client, chunk([1, 2, 3, 4], at: 0, finish: .length))))
    }

    @Test func aRequestOfSeveralChoicesEndsWhenAllHave() throws {
        var table = try running(
            submission(1, parameters: SamplingParameters(choiceCount: 2, tokenCountMax: 4)))
        let first = table.delivered(delivery([7], at: 0, choice: 1, finish: .stop), now: at(1))
        #expect(first == [.send(client, chunk([7], at: 0, choice: 1, finish: .stop))])
        #expect(table.requestCount == 1)
        let last = table.delivered(delivery([8], at: 0, choice: 0, finish: .stop), now: at(2))
        #expect(last.last == .finish(client, request(1), usage: Usage(promptTokenCount: 3, generatedTokenCount: 2)))
    }

    @Test func whatIsStaleDuplicateOrUnknownIsDroppedAndCounted() throws {
        var table = try running()
        _ = table.delivered(delivery([5], at: 0), now: at(1))
        #expect(table.delivered(delivery([5], at: 0), now: at(1)) == [])
        let older = delivery([9], at: 1, attempt: 0)
        #expect(
            table.delivered(older, now: at(1)) == [.cancelAtWorker(group("g"), request(1), Attempt(0), choice: nil)])
        let zombie = delivery([9], at: 1, from: group("g", 0))
        #expect(
            table.delivered(zombie, now: at(1)) == [.cancelAtWorker(group("g", 0), request(1), Attempt(1), choice: nil)]
        )
        #expect(table.failed(request(1), attempt: Attempt(7), error: .cancelled, now: at(1)) == [])
        #expect(
            table.assigned(request(99), attempt: Attempt(1), to: group("g"), now: at(1)) == [
                .endAtQueue(request(99), Attempt(1), generatedTokenCount: 0)
            ])
        #expect(table.counts.duplicates == 1 && table.counts.stale == 4)
        #expect(table.delivered(delivery([6], at: 1), now: at(2)).last == .send(client, chunk([6], at: 1)))
    }

    @Test func missingTokensAreReplayedInsteadOfSkipped() throws {
        var table = try running()
        _ = table.delivered(delivery([5], at: 0), now: at(1))
        let actions = table.delivered(delivery([7], at: 2), now: at(2))
        #expect(actions.first == .cancelAtWorker(group("g"), request(1), Attempt(1), choice: nil))
        #expect(isTicket(actions.last, attempt: 2, generated: 1))
        #expect(table.counts.gaps == 1)
    }

    @Test func aLostGroupsRequestGoesOnAsTheNextAttemptFromItsTokens() throws {
        var table = try running()
        _ = table.delivered(delivery([5, 6], at: 0), now: at(1))
        #expect(table.workerLost(group("i"), now: at(1)) == [])
        #expect(table.workerLost(group("g", 0), now: at(1)) == [])
        let lost = table.workerLost(group("g"), now: at(1))
        #expect(lost.count == 1 && isTicket(lost.first, attempt: 2, generated: 2))
        let again = table.assigned(request(1), attempt: Attempt(2), to: group("h", 2), now: at(2))
        guard case .dispatch(let assignment, to: group("h", 2))? = again.first else {
            Issue.record("not dispatched: \(again)")
            return
        }
        #expect(assignment.choices == [Assignment.Choice(number: 0, tokens: [5, 6])])
        var next = SequenceID(1)
        let sequences = assignment.sequences(numberedFrom: &next, now: at(2))
        #expect(sequences.map(\.replayedTokens) == [[5, 6]] && sequences.map(\.tokenCountMax) == [2])
        #expect(next == SequenceID(2))
        let late = delivery([9], at: 2)
        #expect(table.delivered(late, now: at(3)).count == 1)
        let rest = table.delivered(delivery([7], at: 2, attempt: 2, from: group("h", 2)), now: at(3))
        #expect(rest.last == .send(client, chunk([7], at: 2)))
    }

    /// Rank 0 and the queue both tell of a loss, and the queue may assign to the dead epoch in between.
    @Test func anEpochThatIsOverIsNotGoneBackToAndCostsOneLoss() throws {
        var table = try running(losses: 2)
        let lost = table.failed(request(1), attempt: Attempt(1), error: .workerLost(losses: 1), now: at(1))
        #expect(isTicket(lost.first, attempt: 2, generated: 0))
        #expect(table.assigned(request(1), attempt: Attempt(2), to: group("g"), now: at(1)) == [])
        #expect(table.workerLost(group("g"), now: at(1)) == [])
        #expect(table.counts.losses == 1)
        #expect(isTicket(table.tick(now: at(100)).first, attempt: 3, generated: 0))
        let again = table.assigned(request(1), attempt: Attempt(3), to: group("g", 2), now: at(100))
        guard case .dispatch(_, to: group("g", 2))? = again.first else {
            Issue.record("not dispatched: \(again)")
            return
        }
    }

    @Test func aGroupThatReturnsIsAskedAgainWithoutALoss() throws {
        var table = try running()
        #expect(table.groupReturned(group("h").group, now: at(1)) == [])
        #expect(table.groupReturned(group("g").group, now: at(1)) == [])
        #expect(isTicket(table.tick(now: at(100)).first, attempt: 2, generated: 0))
        #expect(table.counts.losses == 0)
        // Its epoch goes on.
        let again = table.assigned(request(1), attempt: Attempt(2), to: group("g"), now: at(100))
        guard case .dispatch(_, to: group("g"))? = again.first else {
            Issue.record("not dispatched: \(again)")
            return
        }
    }

    @Test func aRequestThatLosesItsGroupTooOftenEndsAlone() throws {
        var table = try running(losses: 2)
        _ = table.workerLost(group("g"), now: at(1))
        _ = table.assigned(request(1), attempt: Attempt(2), to: group("h"), now: at(2))
        #expect(
            table.workerLost(group("h"), now: at(3)) == [
                .endAtQueue(request(1), Attempt(2), generatedTokenCount: 0),
                settlement(0, attempt: 2, error: .workerLost(losses: 2)),
                .fail(client, request(1), error: .workerLost(losses: 2)),
            ])
    }

    @Test func aRefusedDispatchIsTriedAgainAfterABackOffAndIsNoLoss() throws {
        var table = try running()
        #expect(table.dispatchRefused(request(1), attempt: Attempt(1), now: at(10)) == [])
        #expect(table.nextTick == at(30))
        #expect(table.tick(now: at(29)) == [])
        let again = table.tick(now: at(30))
        #expect(isTicket(again.first, attempt: 2))
        _ = table.assigned(request(1), attempt: Attempt(2), to: group("g"), now: at(30))
        // A group that drains refuses too.
        #expect(table.failed(request(1), attempt: Attempt(2), error: .shuttingDown, now: at(40)) == [])
        #expect(table.nextTick == at(80))
        #expect(table.report().map(\.lossCount) == [0])
    }

    @Test func aDeadlineEndsARequestOnceWhereverItIs() throws {
        for place in 0...3 {
            var table = try table()
            _ = submit(&table, submission(1, deadline: .milliseconds(100)), credit: 0)
            if place > 0 { _ = table.assigned(request(1), attempt: Attempt(1), to: group("g"), now: at(1)) }
            if place == 2 { _ = table.dispatchRefused(request(1), attempt: Attempt(1), now: at(95)) }
            if place == 3 { _ = table.delivered(delivery([1], at: 0, finish: .stop), now: at(2)) }
            #expect(table.tick(now: at(99)) == [])
            let actions = table.tick(now: at(100))
            let error = RequestError.deadlineExceeded(after: .milliseconds(100))
            #expect(actions.last == .fail(client, request(1), error: error), "place \(place)")
            #expect(actions.count { if case .settle = $0 { true } else { false } } == 1)
            let cancels = actions.count { if case .cancelAtWorker = $0 { true } else { false } }
            #expect(cancels == (place == 1 ? 1 : 0))
            #expect(table.tick(now: at(101)) == [])
            #expect(table.delivered(delivery([1], at: 0), now: at(102)).count == 1)
        }
    }

    @Test func aClientIsSentNoMoreThanItsCredit() throws {
        var table = try running(credit: 2)
        #expect(table.delivered(delivery([1], at: 0), now: at(1)) == [.send(client, chunk([1], at: 0))])
        #expect(table.delivered(delivery([2, 3], at: 1), now: at(1)).last == .send(client, chunk([2], at: 1)))
        let ended = table.delivered(delivery([4], at: 3, finish: .length), now: at(2))
        #expect(ended == [.endAtQueue(request(1), Attempt(1), generatedTokenCount: 4)])
        #expect(table.report().map(\.state) == [.waitingForCredit])
        #expect(table.credit(request(1), client: other, tokenCount: 9, now: at(3)) == [])
        #expect(table.credit(request(1), client: client, tokenCount: -9, now: at(3)) == [])
        #expect(
            table.credit(request(1), client: client, tokenCount: 1, now: at(3)) == [.send(client, chunk([3], at: 2))])
        let last = table.credit(request(1), client: client, tokenCount: .max, now: at(4))
        #expect(last.first == .send(client, chunk([4], at: 3, finish: .length)))
        #expect(last.last == .finish(client, request(1), usage: Usage(promptTokenCount: 3, generatedTokenCount: 4)))
    }

    @Test func theSameSubmissionTwiceRunsOnceAndTheLaterClientHasIt() throws {
        var table = try running()
        _ = table.delivered(delivery([5, 6], at: 0), now: at(1))
        let again = submit(&table, submission(1, deadline: .seconds(3)), client: other, from: [1], now: 2)
        #expect(
            again == [
                .detach(client, request(1)), .accept(other, request(1), resumed: true),
                .send(other, chunk([6], at: 1)),
            ])
        #expect(table.cancel(request(1), client: client, now: at(3)) == [])
        #expect(table.clientGone(client, now: at(3)) == [])
        #expect(table.delivered(delivery([7], at: 2), now: at(3)) == [.send(other, chunk([7], at: 2))])
    }

    @Test func anotherContentUnderTheSameIdIsRefusedAndHarmsNobody() throws {
        var table = try running()
        let reason = "request \(request(1)) was submitted before with another content"
        for different in [submission(1, tenant: "b"), submission(1, prompt: [9]), submission(1, adapter: adapter(1))] {
            #expect(
                submit(&table, different, client: other) == [
                    .refuse(other, request(1), error: .protocolViolation(reason: reason))
                ])
        }
        #expect(table.delivered(delivery([5], at: 0), now: at(1)) == [.send(client, chunk([5], at: 0))])
        // A newer file under the adapter's name is the same request.
        var pinned = try running(submission(1, adapter: adapter(1)))
        let newer = AdapterRef(name: AdapterName("adapter-1"), digest: digest(9), rank: 8)
        let resumed = submit(&pinned, submission(1, adapter: newer), client: other)
        #expect(resumed.last == .accept(other, request(1), resumed: true))
    }

    @Test func aFinishedRequestIsResumedByteForByteUntilItIsForgotten() throws {
        var table = try running()
        _ = table.delivered(delivery([5, 6], at: 0, finish: .stop), now: at(1))
        let usage = Usage(promptTokenCount: 3, generatedTokenCount: 2)
        #expect(
            submit(&table, submission(1), client: other, from: [1], now: 10) == [
                .accept(other, request(1), resumed: true), .send(other, chunk([6], at: 1, finish: .stop)),
                .finish(other, request(1), usage: usage),
            ])
        #expect(table.tick(now: at(60_000)) == [])
        #expect(table.tick(now: at(60_001)) == [.forget(request(1))])
        #expect(submit(&table, submission(1), now: 60_002).first == .accept(client, request(1), resumed: false))
    }

    @Test func whatIsRememberedHasALimit() throws {
        var table = try table(remembered: 2)
        for number in 1...3 as ClosedRange<UInt64> {
            _ = submit(&table, submission(number))
            let actions = table.cancel(request(number), client: client, now: at(1))
            #expect(actions.contains(.forget(request(1))) == (number == 3))
        }
        #expect(table.report().map(\.request) == [request(2), request(3)])
    }

    @Test func aClientThatIsGoneMeansCancelledAndOneThatComesBackGoesOn() throws {
        var table = try running()
        _ = table.delivered(delivery([5, 6], at: 0), now: at(1))
        #expect(
            table.clientGone(client, now: at(2)) == [
                .cancelAtWorker(group("g"), request(1), Attempt(1), choice: nil),
                .endAtQueue(request(1), Attempt(1), generatedTokenCount: 2), settlement(2, error: .cancelled),
            ])
        let back = submit(&table, submission(1), client: other, from: [1], now: 5)
        #expect(back.first == .accept(other, request(1), resumed: true))
        #expect(isTicket(back[1], attempt: 2, generated: 2))
        #expect(back.last == .send(other, chunk([6], at: 1)))
        _ = table.assigned(request(1), attempt: Attempt(2), to: group("g"), now: at(6))
        let end = table.delivered(delivery([7, 8], at: 2, attempt: 2), now: at(7))
        // Only what is new is settled; the client is told of all.
        #expect(end.contains(settlement(2, attempt: 2, prompt: 0)))
        #expect(end.last == .finish(other, request(1), usage: Usage(promptTokenCount: 3, generatedTokenCount: 4)))
    }

    @Test func aGraceLetsARequestRunOnWithoutItsClient() throws {
        var table = try running(grace: .milliseconds(100))
        #expect(table.clientGone(client, now: at(10)) == [])
        #expect(table.delivered(delivery([5], at: 0), now: at(20)) == [])
        #expect(table.nextTick == at(110))
        #expect(submit(&table, submission(1), client: other, now: 50).last == .send(other, chunk([5], at: 0)))
        #expect(table.tick(now: at(200)) == [])
        #expect(table.clientGone(other, now: at(210)) == [])
        #expect(table.tick(now: at(310)).first == .cancelAtWorker(group("g"), request(1), Attempt(1), choice: nil))
    }

    @Test func aResumedStreamAtAnotherRouterSkipsWhatTheClientHas() throws {
        var table = try table()
        _ = submit(&table, submission(1), from: [2])
        _ = table.assigned(request(1), attempt: Attempt(1), to: group("g"), now: at(0))
        #expect(table.delivered(delivery([5], at: 0), now: at(1)) == [])
        #expect(table.delivered(delivery([6, 7], at: 1), now: at(1)).last == .send(client, chunk([7], at: 2)))
    }

    @Test func tokensWaitUntilTheyAreKnownToHoldNoStopString() throws {
        let parameters = SamplingParameters(choiceCount: 2, tokenCountMax: 4, stopStrings: ["END"])
        var table = try running(submission(1, parameters: parameters))
        #expect(
            table.delivered(delivery([5], at: 0), now: at(1)) == [
                .scan(request(1), choice: 0, firstIndex: 0, tokens: [5], isLast: false)
            ])
        #expect(
            table.scanned(request(1), choice: 0, safeTokenCount: 1, now: at(1)) == [.send(client, chunk([5], at: 0))])
        _ = table.delivered(delivery([6, 7], at: 1), now: at(2))
        #expect(
            table.stopMatched(request(1), choice: 0, keepTokenCount: 2, now: at(2)) == [
                .cancelAtWorker(group("g"), request(1), Attempt(1), choice: 0),
                .send(client, chunk([6], at: 1, finish: .stop)),
            ])
        // The worker had not heard of it yet.
        #expect(table.delivered(delivery([8], at: 3), now: at(3)) == [])
        let last = table.delivered(delivery([1, 2, 3, 4], at: 0, choice: 1), now: at(4))
        #expect(last.contains(.scan(request(1), choice: 1, firstIndex: 0, tokens: [1, 2, 3, 4], isLast: true)))
        let end = table.stopMatched(request(1), choice: 1, keepTokenCount: 3, now: at(4))
        #expect(end.first == .send(client, chunk([1, 2, 3], at: 0, choice: 1, finish: .stop)))
        #expect(end.last == .finish(client, request(1), usage: Usage(promptTokenCount: 3, generatedTokenCount: 5)))
    }

    @Test func theLastChoiceThatMatchesEndsTheAttemptAtTheWorker() throws {
        var table = try running(submission(1, parameters: SamplingParameters(tokenCountMax: 9, stopStrings: ["x"])))
        _ = table.delivered(delivery([1, 2], at: 0), now: at(1))
        let actions = table.stopMatched(request(1), choice: 0, keepTokenCount: 0, now: at(1))
        #expect(actions.first == .cancelAtWorker(group("g"), request(1), Attempt(1), choice: nil))
        #expect(actions.last == .finish(client, request(1), usage: Usage(promptTokenCount: 3, generatedTokenCount: 0)))
    }

    @Test func aRestartedQueueIsToldOfEveryRequestInOrder() throws {
        var table = try running()
        _ = submit(&table, submission(2))
        _ = submit(&table, submission(3))
        _ = table.cancel(request(3), client: client, now: at(1))
        let actions = table.queueUp(model: ModelName("base"), now: at(1))
        guard case .reregister(let first, running: group("g"))? = actions.first,
            case .enqueue(let second)? = actions.last
        else {
            Issue.record("\(actions)")
            return
        }
        #expect(actions.count == 2 && first.request == request(1) && second.request == request(2))
        #expect(table.queueUp(model: ModelName("other"), now: at(1)) == [])
    }

    @Test func overItsLimitsTheTableSaysWhenToTryAgain() throws {
        var table = try table(requests: 2)
        _ = submit(&table, submission(1))
        let busy = RequestError.busy(retryAfter: .seconds(1))
        #expect(submit(&table, submission(2), tenantMax: 1) == [.refuse(client, request(2), error: busy)])
        _ = submit(&table, submission(2, tenant: "b"), tenantMax: 1)
        #expect(submit(&table, submission(3, tenant: "c")) == [.refuse(client, request(3), error: busy)])
        #expect(submit(&table, submission(1), from: [0, 0]).count == 1)
        #expect(submit(&table, submission(1), from: [5]).count == 1)
        #expect(submit(&table, submission(1), from: [-1]).count == 1)
        #expect(table.counts.refused == 5)
    }

    @Test func shuttingDownEndsEverythingOnce() throws {
        var table = try running()
        _ = submit(&table, submission(2))
        let actions = table.shutDown(now: at(1))
        let failed = actions.compactMap { if case .fail(_, let id, .shuttingDown) = $0 { id } else { nil } }
        #expect(failed == [request(1), request(2)])
        #expect(table.shutDown(now: at(2)) == [])
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func anyEventsWithAnyNumbersEndEveryRequestOnceAndTrapNever(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var table = try table(requests: 6, losses: 3, grace: random.pick([.zero, .milliseconds(9)]), remembered: 4)
        var live: Set<RequestID> = []
        var now: UInt64 = 0
        let numbers = [Int.min, -1, 0, 0, 1, 1, 2, 3, 4, 5, 100, Int.max]
        func take(_ actions: [RequestTable.Action]) {
            for action in actions {
                switch action {
                case .settle(let settlement):
                    #expect(live.remove(settlement.request) != nil, "seed \(seed): settled twice")
                    #expect(settlement.usage.generatedTokenCount >= 0, "seed \(seed)")
                case .enqueue(let ticket): live.insert(ticket.request)
                case .send(_, let chunk): #expect(chunk.firstIndex >= 0 && chunk.firstIndex < 100, "seed \(seed)")
                default: break
                }
            }
        }
        for _ in 0..<3000 {
            now += UInt64(random.number(0...3))
            let id = request(UInt64(random.number(1...8)))
            let attempt = Attempt(UInt32(random.number(1...5)))
            let place = group(random.pick(["g", "h"]), UInt64(random.number(1...3)))
            let client = ClientRef(UInt64(random.number(1...5)))
            switch random.number(0...11) {
            case 0...1:
                let parameters = SamplingParameters(
                    choiceCount: 2, tokenCountMax: 6, stopStrings: id.low % 2 == 0 ? ["x"] : [])
                take(
                    table.submit(
                        submission(id.low, parameters: parameters, deadline: .milliseconds(random.number(1...500))),
                        client: client, credit: random.pick(numbers), resumeFrom: [random.pick(numbers)],
                        tenantRequestCountMax: 5, now: at(now)))
            case 2...3: take(table.assigned(id, attempt: attempt, to: place, now: at(now)))
            case 4...6:
                // Half of them from where the request really is.
                let present = table.report().first { $0.request == id }
                var from = place
                if case .running(let real)? = present?.state, random.chance(80) { from = real }
                let choice = random.number(0...1)
                let index = random.chance(70) ? present?.generatedTokenCounts[choice] ?? 0 : random.pick(numbers)
                take(
                    table.delivered(
                        Delivery(
                            from: from, request: id, attempt: random.chance(80) ? present?.attempt ?? attempt : attempt,
                            choice: random.chance(90) ? choice : random.pick(numbers), firstIndex: index,
                            tokens: Array(repeating: 7, count: random.number(0...3)),
                            finish: random.chance(10) ? .stop : nil), now: at(now)))
            case 7:
                let error = random.pick(
                    [.workerLost(losses: 1), .noCapacity(reason: ""), .cancelled] as [RequestError])
                take(table.failed(id, attempt: attempt, error: error, now: at(now)))
            case 8:
                let (choice, count) = (random.pick(numbers), random.pick(numbers))
                take(table.scanned(id, choice: choice, safeTokenCount: count, now: at(now)))
                if random.chance(30) {
                    take(table.stopMatched(id, choice: choice, keepTokenCount: count, now: at(now)))
                }
            case 9: take(table.credit(id, client: client, tokenCount: random.pick(numbers), now: at(now)))
            case 10:
                if random.chance(20) { take(table.clientGone(client, now: at(now))) }
                if random.chance(10) { take(table.cancel(id, client: client, now: at(now))) }
                if random.chance(20) { take(table.workerLost(place, now: at(now))) }
                if random.chance(20) { take(table.dispatchRefused(id, attempt: attempt, now: at(now))) }
            default: take(table.tick(now: at(now)))
            }
            #expect(table.requestCount == live.count, "seed \(seed)")
            #expect(table.requestCount(of: TenantName("a")) == live.count, "seed \(seed)")
        }
        take(table.tick(now: at(now + 1000)))
        #expect(live.isEmpty && table.requestCount == 0, "seed \(seed): \(live.count) have no end")
        take(table.tick(now: at(now + 100_000)))
        #expect(table.report().isEmpty && table.nextTick == nil, "seed \(seed)")
    }

    @Test func whatIsSentAtOnceComesInChunksOfBoundedSize() throws {
        let submission = HeddleCoreTests.submission(1, parameters: SamplingParameters(tokenCountMax: 2500))
        var table = try running(submission, credit: 10_000, creditMax: 10_000)
        let tokens = (0..<2500).map { TokenID($0 % 50) }
        let actions = table.delivered(delivery(tokens, at: 0, finish: .length), now: at(1))
        let chunks = actions.compactMap { action -> RequestTable.Chunk? in
            if case .send(_, let chunk) = action { chunk } else { nil }
        }
        #expect(chunks.map(\.tokens.count) == [1024, 1024, 452])
        #expect(chunks.map(\.firstIndex) == [0, 1024, 2048])
        #expect(chunks.map(\.finish) == [nil, nil, .length])
        #expect(chunks.flatMap(\.tokens) == tokens)
    }
}
