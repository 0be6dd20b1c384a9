import HeddleClient
import HeddleCore
import HeddleWire
import Testing

@Suite struct ClientCoreTests {
    private func at(_ milliseconds: Int) -> Instant {
        Instant(nanoseconds: 1_000_000_000).advanced(by: .milliseconds(milliseconds))
    }

    /// A core with one request that was submitted at 0.
    private func started(
        _ submission: ClientSubmission = Samples.submission(), limits: MeshClientLimits = MeshClientLimits()
    ) throws -> ClientCore {
        var core = ClientCore(limits: limits)
        var first = submission
        first.creditTokens = limits.windowTokens
        #expect(try core.submitted(submission, at: at(0)) == [.send(.ping(number: 1)), .send(.submit(first))])
        #expect(core.received(Samples.pong(1), at: at(1)) == [])
        return core
    }

    private func resubmission(
        from indices: [Int], credit: Int = 1024, submission: ClientSubmission = Samples.submission()
    )
        -> ClientCore.Action
    {
        var again = submission
        again.resumeFrom = indices
        again.creditTokens = credit
        return .send(.submit(again))
    }

    @Test func anAnswerIsAcceptedStreamedAndFinished() throws {
        var core = try started()
        guard case .accepted(let accepted) = Samples.accepted() else { return }
        #expect(core.received(Samples.accepted(), at: at(2)) == [.deliver(Samples.id, .accepted(accepted))])
        #expect(
            core.received(Samples.tokens(0..<3), at: at(3))
                == [.deliver(Samples.id, .tokens(Samples.delivered(0..<3)))])
        #expect(
            core.received(Samples.tokens(3..<4, finish: .length), at: at(4))
                == [.deliver(Samples.id, .tokens(Samples.delivered(3..<4, finish: .length)))])
        #expect(
            core.received(Samples.finished(), at: at(5))
                == [.deliver(Samples.id, .finished(Samples.end())), .end(Samples.id, nil)])
        #expect(core.requestCount == 0)
        #expect(core.ticked(at: at(60_000)) == [])
    }

    @Test func anImpossibleRequestIsNeverSent() {
        var core = ClientCore(limits: MeshClientLimits())
        var submission = Samples.submission()
        submission.sampling.temperature = -1
        #expect(throws: RequestFailure.self) { try core.submitted(submission, at: at(0)) }
        #expect(core.requestCount == 0)
    }

    @Test func tokensThatCameAlreadyAreDropped() throws {
        var core = try started()
        _ = core.received(Samples.tokens(0..<3), at: at(2))
        #expect(core.received(Samples.tokens(0..<2), at: at(3)) == [])
        #expect(core.received(Samples.tokens(1..<3), at: at(3)) == [])
    }

    @Test func aGapIsFilledByTakingTheStreamUpAgain() throws {
        var core = try started()
        _ = core.received(Samples.tokens(0..<1), at: at(2))
        #expect(core.received(Samples.tokens(2..<4), at: at(3)) == [resubmission(from: [1], credit: 1023)])
        #expect(core.received(Samples.finished(), at: at(4)) == [resubmission(from: [1], credit: 1023)])
        _ = core.received(Samples.tokens(2..<3), at: at(5))
        guard case .end(_, let failure?) = core.received(Samples.tokens(2..<3), at: at(6)).first else {
            Issue.record("the fourth gap ends the request")
            return
        }
        #expect(failure.code == "protocol_violation")
    }

    @Test func aFinishThatCountsOtherTokensIsAGap() throws {
        var core = try started()
        _ = core.received(Samples.tokens(0..<4, finish: .length), at: at(2))
        #expect(core.received(Samples.finished([5]), at: at(3)) == [resubmission(from: [4], credit: 1020)])
    }

    @Test func whatAProgramTakesIsGrantedAgainInHalves() throws {
        var limits = MeshClientLimits()
        limits.windowTokens = 8
        var core = try started(Samples.submission(tokenCountMax: 100), limits: limits)
        _ = core.received(Samples.tokens(0..<8), at: at(2))
        #expect(core.taken(Samples.id, tokenCount: 3, at: at(3)) == [])
        #expect(core.taken(Samples.id, tokenCount: 2, at: at(3)) == [.send(.credit(Samples.id, tokenCount: 5))])
    }

    @Test func aRouterThatIgnoresCreditIsGivenUp() throws {
        var limits = MeshClientLimits()
        limits.windowTokens = 8
        var core = try started(Samples.submission(tokenCountMax: 100), limits: limits)
        #expect(core.received(Samples.tokens(0..<32), at: at(2)).count == 1)
        let actions = core.received(Samples.tokens(32..<33), at: at(2))
        #expect(actions.first == .send(.cancel(Samples.id)))
        #expect(core.requestCount == 0)
    }

    @Test func anOpenRequestIsPingedFor() throws {
        var core = try started()
        #expect(core.ticked(at: at(999)) == [])
        #expect(core.ticked(at: at(1000)) == [.send(.ping(number: 2))])
        #expect(core.ticked(at: at(1500)) == [])
    }

    @Test func aSilentRouterIsLeftForTheNext() throws {
        var core = try started()
        _ = core.received(Samples.tokens(0..<2), at: at(10))
        _ = core.ticked(at: at(5009))
        #expect(
            core.ticked(at: at(5010))
                == [.reconnect, .send(.ping(number: 3)), resubmission(from: [2], credit: 1022)])
        // The next one gets as long.
        _ = core.ticked(at: at(10_009))
        #expect(core.ticked(at: at(10_010)).first == .reconnect)
        guard case .end(Samples.id, let failure?) = core.ticked(at: at(15_010)).last else {
            Issue.record("after fifteen seconds of silence the request ends")
            return
        }
        #expect(failure.code == "unreachable")
    }

    @Test func whereThereAreOthersARouterMustAnswerSoon() throws {
        var core = ClientCore(limits: MeshClientLimits(), endpointCount: 2)
        _ = try core.submitted(Samples.submission(), at: at(0))
        _ = core.ticked(at: at(1999))
        #expect(core.ticked(at: at(2000)).first == .reconnect)
        _ = core.received(Samples.pong(3), at: at(2001))
        #expect(core.ticked(at: at(4002)).first != .reconnect)
        _ = core.ticked(at: at(6999))
        #expect(core.ticked(at: at(7001)).first == .reconnect)
    }

    @Test func aRouterThatEndsIsLeftForTheNext() throws {
        var core = ClientCore(limits: MeshClientLimits(), endpointCount: 2)
        _ = try core.submitted(Samples.submission(), at: at(0))
        _ = core.received(Samples.tokens(0..<2), at: at(1))
        let ending = ClientReply(id: Samples.id, error: .shuttingDown)
        #expect(
            core.received(ending, at: at(2))
                == [.reconnect, .send(.ping(number: 2)), resubmission(from: [2], credit: 1022)])
        var alone = try started()
        #expect(
            alone.received(ending, at: at(2)) == [.end(Samples.id, RequestFailure(id: Samples.id, .shuttingDown))])
    }

    @Test func aRouterThatStartedAgainIsSubmittedToAgain() throws {
        var core = try started()
        _ = core.received(Samples.tokens(0..<2), at: at(10))
        let other = Incarnation(high: 9, low: 9)
        #expect(
            core.received(Samples.pong(1, incarnation: other), at: at(11)) == [resubmission(from: [2], credit: 1022)])
        #expect(core.received(Samples.pong(1, session: 2, incarnation: other), at: at(12)).count == 1)
        #expect(core.received(Samples.pong(1, session: 2, incarnation: other), at: at(13)) == [])
        // An answer to a ping from before the present session says nothing about it.
        _ = core.ticked(at: at(5013))
        #expect(core.received(Samples.pong(1, session: 7), at: at(5014)) == [])
    }

    @Test func aBusyRouterIsTriedAgainWhenItSaid() throws {
        var core = try started()
        for attempt in 0..<5 {
            let now = 10 + attempt * 200
            #expect(core.received(.busy(Samples.id, retryAfter: .milliseconds(100)), at: at(now)) == [])
            #expect(core.ticked(at: at(now + 99)) == [])
            #expect(core.ticked(at: at(now + 100)) == [resubmission(from: [0])])
        }
        #expect(
            core.received(.busy(Samples.id, retryAfter: .milliseconds(100)), at: at(2000))
                == [.end(Samples.id, RequestFailure(id: Samples.id, .busy(retryAfter: .milliseconds(100))))])
    }

    @Test func aDeadlineEndsARequestThatNobodyEnds() throws {
        var submission = Samples.submission(deadline: .seconds(2))
        var core = ClientCore(limits: MeshClientLimits())
        _ = try core.submitted(submission, at: at(0))
        // What is left of it goes with a resubmission.
        _ = core.received(Samples.pong(1), at: at(1))
        submission.deadline = .milliseconds(1500)
        #expect(
            core.received(Samples.pong(1, session: 2), at: at(500))
                == [resubmission(from: [0], submission: submission)])
        _ = core.ticked(at: at(2999))
        #expect(core.requestCount == 1)
        #expect(
            core.ticked(at: at(3000)) == [
                .send(.cancel(Samples.id)),
                .end(Samples.id, RequestFailure(id: Samples.id, .deadlineExceeded(after: .seconds(2)))),
            ])
    }

    @Test func cancellingEndsAtOnceAndTellsTheRouter() throws {
        var core = try started()
        #expect(
            core.cancelled(Samples.id, at: at(5))
                == [.send(.cancel(Samples.id)), .end(Samples.id, RequestFailure(id: Samples.id, .cancelled))])
        #expect(core.cancelled(Samples.id, at: at(6)) == [])
        #expect(core.received(Samples.tokens(0..<1), at: at(7)) == [])
    }

    @Test func aFailureOfTheConnectionEndsEverything() throws {
        var core = try started()
        let failure = RequestFailure(id: nil, code: "protocol_violation", message: "version 1 is not spoken here")
        var own = failure
        own.id = Samples.id
        #expect(core.received(.failed(failure), at: at(1)) == [.end(Samples.id, own)])
    }

    @Test func aDroppedFrameIsSaidAgainLater() throws {
        var core = try started()
        _ = core.received(Samples.accepted(), at: at(2))
        _ = core.received(Samples.tokens(0..<3), at: at(3))
        let dropped = ClientReply(id: nil, error: .busy(retryAfter: .milliseconds(10)))
        #expect(core.received(dropped, at: at(4)) == [])
        #expect(core.requestCount == 1)
        #expect(core.ticked(at: at(1003)).allSatisfy { $0 != resubmission(from: [3], credit: 1021) })
        #expect(core.ticked(at: at(1004)).contains(resubmission(from: [3], credit: 1021)))
    }

    @Test func anAnswerDoesNotGoOnWithAnotherModel() throws {
        guard case .accepted(let accepted) = Samples.accepted() else { return }
        var other = accepted
        other.modelDigest = try #require(Digest([UInt8](repeating: 8, count: 32)))
        for hasTokens in [false, true] {
            var core = try started()
            _ = core.received(.accepted(accepted), at: at(2))
            if hasTokens { _ = core.received(Samples.tokens(0..<3), at: at(3)) }
            #expect(core.received(.accepted(accepted), at: at(4)) == [])
            let actions = core.received(.accepted(other), at: at(5))
            #expect(actions.count == (hasTokens ? 2 : 0))
            guard hasTokens, case .end(let id, let failure?) = actions[1] else { continue }
            #expect(id == Samples.id && failure.code == "content_changed")
            #expect(actions[0] == .send(.cancel(Samples.id)))
            #expect(core.requestCount == 0)
        }
    }
}
