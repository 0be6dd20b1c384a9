import HeddleCluster
import HeddleCore
import Testing

@Suite struct SupervisionTests {
    private func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// Two processes that have been ready since the beginning.
    private func upAndRunning(_ limits: Supervision.Limits = Supervision.Limits()) -> Supervision {
        var supervision = Supervision(count: 2, limits: limits)
        #expect(supervision.began(at: at(0)) == [.start(0), .start(1)])
        #expect(supervision.becameReady(0, at: at(0)) == [])
        #expect(!supervision.isUp)
        #expect(supervision.becameReady(1, at: at(0)) == [.allReady])
        #expect(supervision.isUp)
        return supervision
    }

    @Test func anEndBeforeReadinessEndsTheStart() {
        var supervision = Supervision(count: 2, limits: Supervision.Limits())
        _ = supervision.began(at: at(0))
        #expect(supervision.ended(1, at: at(5)) == [.terminate(0)])
        #expect(supervision.ended(0, at: at(6)) == [.finished(.endedAtStart(1))])
    }

    @Test func aStartThatTakesTooLongEndsTheStart() {
        var supervision = Supervision(count: 2, limits: Supervision.Limits())
        _ = supervision.began(at: at(0))
        _ = supervision.becameReady(0, at: at(1))
        #expect(supervision.nextDeadline == at(120_000))
        #expect(supervision.timePassed(at: at(119_999)) == [])
        #expect(supervision.timePassed(at: at(120_000)) == [.terminate(0), .terminate(1)])
        #expect(supervision.ended(0, at: at(120_001)) == [])
        #expect(supervision.ended(1, at: at(120_001)) == [.finished(.startTimedOut(1))])
    }

    @Test func aProcessThatEndsIsStartedAgainAfterAPauseThatDoubles() {
        var supervision = upAndRunning()
        var now: UInt64 = 1000
        for pause in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] as [UInt64] {
            #expect(supervision.ended(0, at: at(now)) == [.restarting(0, after: .milliseconds(pause))])
            #expect(supervision.nextDeadline == at(now + pause))
            #expect(supervision.timePassed(at: at(now + pause - 1)) == [])
            now += pause
            #expect(supervision.timePassed(at: at(now)) == [.start(0)])
            #expect(supervision.becameReady(0, at: at(now)) == [])
        }
        // A minute in readiness makes up for it.
        now += 60_000
        #expect(supervision.ended(0, at: at(now)) == [.restarting(0, after: .milliseconds(100))])
    }

    @Test func aProcessThatEndsTooOftenIsGivenUpAndTheOthersGoOn() {
        var limits = Supervision.Limits()
        limits.endCountMax = 1
        var supervision = upAndRunning(limits)
        _ = supervision.ended(0, at: at(1))
        #expect(supervision.timePassed(at: at(200)) == [.start(0)])
        #expect(supervision.ended(0, at: at(201)) == [.gaveUp(0)])
        #expect(supervision.nextDeadline == nil)
        #expect(supervision.stopRequested(at: at(300)) == [.terminate(1)])
        #expect(supervision.ended(1, at: at(301)) == [.finished(.stopped)])
    }

    @Test func aRestartThatHangsIsKilledAndTriedAgain() {
        var supervision = upAndRunning()
        _ = supervision.ended(0, at: at(0))
        _ = supervision.timePassed(at: at(100))
        #expect(supervision.timePassed(at: at(120_100)) == [.kill(0)])
        #expect(supervision.ended(0, at: at(120_101)) == [.restarting(0, after: .milliseconds(200))])
    }

    @Test func whoDoesNotEndInTimeIsKilled() {
        var supervision = upAndRunning()
        #expect(supervision.stopRequested(at: at(0)) == [.terminate(0), .terminate(1)])
        #expect(supervision.ended(0, at: at(1)) == [])
        #expect(supervision.timePassed(at: at(10_000)) == [.kill(1)])
        #expect(supervision.ended(1, at: at(10_001)) == [.finished(.stopped)])
    }

    @Test func theSecondRequestKillsAtOnce() {
        var supervision = upAndRunning()
        _ = supervision.stopRequested(at: at(0))
        #expect(supervision.stopRequested(at: at(1)) == [.kill(0), .kill(1)])
    }

    @Test func aStopWhileNothingRunsEndsAtOnce() {
        var supervision = Supervision(count: 1, limits: Supervision.Limits())
        _ = supervision.began(at: at(0))
        _ = supervision.becameReady(0, at: at(0))
        _ = supervision.ended(0, at: at(1))
        #expect(supervision.stopRequested(at: at(2)) == [.finished(.stopped)])
        #expect(supervision.timePassed(at: at(1000)) == [])
    }

    /// Any schedule of events against the least that must hold: nothing is started twice or after a stop, only what
    /// runs is told to end, and it finishes once, when nothing runs.
    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func anyScheduleKeepsTheRules(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var limits = Supervision.Limits()
        limits.endCountMax = 3
        var supervision = Supervision(count: 3, limits: limits)
        var running: Set<Int> = []
        var isStopping = false
        var finishCount = 0
        var now: UInt64 = 0
        func check(_ actions: [Supervision.Action]) {
            for action in actions {
                switch action {
                case .start(let index):
                    #expect(!isStopping && running.insert(index).inserted)
                case .terminate(let index):
                    isStopping = true
                    #expect(running.contains(index))
                case .kill(let index): #expect(running.contains(index))
                case .restarting(let index, _), .gaveUp(let index): #expect(!isStopping && !running.contains(index))
                case .allReady: #expect(running.count == 3)
                case .finished:
                    finishCount += 1
                    #expect(running.isEmpty)
                }
            }
        }
        check(supervision.began(at: at(0)))
        for _ in 0..<200 {
            now += UInt64.random(in: 0...8000, using: &generator)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0..<8:
                if let index = running.sorted().randomElement(using: &generator) {
                    check(supervision.becameReady(index, at: at(now)))
                }
            case 8..<12:
                if let index = running.sorted().randomElement(using: &generator) {
                    running.remove(index)
                    check(supervision.ended(index, at: at(now)))
                }
            case 12 where Int.random(in: 0..<5, using: &generator) == 0:
                check(supervision.stopRequested(at: at(now)))
                isStopping = true
            default: check(supervision.timePassed(at: at(now)))
            }
        }
        check(supervision.stopRequested(at: at(now)))
        isStopping = true
        for index in running.sorted() {
            running.remove(index)
            check(supervision.ended(index, at: at(now)))
        }
        #expect(finishCount == 1)
    }
}
