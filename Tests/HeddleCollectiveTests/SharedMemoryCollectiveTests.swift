import Foundation
import HeddleCollective
import HeddleCore
import Testing

@Suite struct SharedMemoryCollectiveTests {
    @Test(arguments: [1, 2, 3, 8])
    func aMixOfCallsGivesEveryRankItsNumbers(rankCount: Int) throws {
        var limits = CollectiveLimits()
        limits.slotByteCount = 4096
        try checkMixOfCalls(SharedMemoryCollective.threads(rankCount: rankCount, limits: limits))
    }

    @Test func aBroadcastAboveTheLimitIsRefused() throws {
        var limits = CollectiveLimits()
        limits.broadcastByteCountMax = 10
        let ranks = try SharedMemoryCollective.threads(rankCount: 2, limits: limits)
        #expect(throws: CollectiveError.broadcastTooLarge(byteCount: 11, byteCountMax: 10)) {
            try ranks[0].broadcast([UInt8](repeating: 1, count: 11))
        }
    }

    @Test(arguments: [0, 1])
    func abortEndsAWaitThatSleepsAndOneThatSpins(coreCount: Int) throws {
        let ranks = try SharedMemoryCollective.threads(rankCount: 2, coreCount: coreCount * 2)
        let waits = try onEveryRank(ranks) { collective -> CollectiveError? in
            if collective.rank == 0 {
                collective.abort()
                return nil
            }
            do {
                _ = try collective.receive()
                return nil
            } catch {
                return error as? CollectiveError
            }
        }
        #expect(waits[1] == .aborted)
        var one: [Float] = [0]
        var sum = one.mutableSpan
        #expect(throws: CollectiveError.aborted) { try ranks[0].reduceTree(nodes: [Float(1)].span, into: &sum) }
    }

    @Test func aRankThatDoesNotComeIsNamedAndEndsTheGroup() throws {
        var limits = CollectiveLimits()
        limits.waitMax = .milliseconds(20)
        let ranks = try SharedMemoryCollective.threads(rankCount: 2, limits: limits)
        var result: [Float] = [0]
        var sum = result.mutableSpan
        #expect(throws: CollectiveError.timedOut(operation: "reduceTree", rank: 1, after: .milliseconds(20))) {
            try ranks[0].reduceTree(nodes: [Float(1)].span, into: &sum)
        }
        #expect(throws: CollectiveError.aborted) { try ranks[1].reduceTree(nodes: [Float(1)].span, into: &sum) }
    }

    @Test func ranksThatMakeDifferentCallsAreTold() throws {
        let ranks = try SharedMemoryCollective.threads(rankCount: 2)
        let errors = try onEveryRank(ranks) { collective -> CollectiveError? in
            var result = [Float](repeating: 0, count: 2 + collective.rank)
            var sum = result.mutableSpan
            do {
                try collective.reduceTree(nodes: [Float](repeating: 1, count: 2 + collective.rank).span, into: &sum)
                return nil
            } catch {
                return error as? CollectiveError
            }
        }
        let expected = CollectiveError.disagreement(
            rank: 1, expected: "reduceTree of 2 elements", found: "reduceTree of 3 elements")
        #expect(errors.contains(expected) || errors[0] == .aborted)
        #expect(errors.allSatisfy { $0 != nil })
    }

    @Test func theLastWordOfARankThatLeavesCounts() throws {
        var ranks = try SharedMemoryCollective.threads(rankCount: 2)
        try ranks[0].broadcast([7])
        let other = ranks.removeLast()
        ranks.removeAll()
        #expect(try other.receive() == [7])
        #expect(throws: CollectiveError.aborted) { try other.receive() }
    }

    @Test func ranksOfOneEpochFindEachOtherAndLeaveNothingBehind() throws {
        let directory = try TemporaryDirectory()
        // A note that a killed process left leads nowhere.
        try "999999999 3\n".write(toFile: directory.path + "/g0.collective", atomically: true, encoding: .utf8)
        let collectives = try opened(directory.path, rankCount: 3, epoch: 4)
        try checkMixOfCalls(collectives)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test func anotherEpochIsNotFound() throws {
        let directory = try TemporaryDirectory()
        var limits = CollectiveLimits()
        limits.openMax = .milliseconds(50)
        let rankLimits = limits
        let first = Thread {
            _ = try? SharedMemoryCollective.open(
                directory: directory.path, group: GroupName("g0"), epoch: Epoch(1), rank: 0, rankCount: 2,
                limits: rankLimits)
        }
        first.start()
        #expect(throws: CollectiveError.timedOut(operation: "open", rank: 0, after: .milliseconds(50))) {
            try SharedMemoryCollective.open(
                directory: directory.path, group: GroupName("g0"), epoch: Epoch(2), rank: 1, rankCount: 2,
                limits: rankLimits)
        }
    }

    /// The last rank is lost while the others meet: none of them waits for its time to be over.
    @Test func anInterruptedOpenEndsOnEveryRankThatWaits() throws {
        let directory = try TemporaryDirectory()
        let began = ContinuousClock.now
        let slots = Slots(2)
        let done = [DispatchGroup(), DispatchGroup()]
        let interruptions = [OpenInterruption(), OpenInterruption()]
        for rank in 0..<2 {
            done[rank].enter()
            Thread {
                slots[rank] = Result {
                    try SharedMemoryCollective.open(
                        directory: directory.path, group: GroupName("g0"), epoch: Epoch(3), rank: rank, rankCount: 3,
                        interruption: interruptions[rank])
                }
                done[rank].leave()
            }.start()
        }
        // Rank 1 has met rank 0 and ends with it, or still looks for the memory.
        for rank in 0..<2 {
            interruptions[rank].raise()
            done[rank].wait()
            #expect(throws: CollectiveError.aborted) { try slots[rank].get() }
        }
        #expect(ContinuousClock.now - began < .seconds(10))
    }

    @Test func aRankThatLooksForTheMemoryIsInterruptedToo() throws {
        let directory = try TemporaryDirectory()
        let interruption = OpenInterruption()
        interruption.raise()
        #expect(throws: CollectiveError.aborted) {
            try SharedMemoryCollective.open(
                directory: directory.path, group: GroupName("g0"), epoch: Epoch(3), rank: 1, rankCount: 3,
                interruption: interruption)
        }
    }

    @Test func aNoteOfALaterEpochOfTheSameProcessStays() throws {
        let directory = try TemporaryDirectory()
        let earlier = RendezvousNote(directory: directory.path, group: GroupName("g0"), epoch: Epoch(3))
        let later = RendezvousNote(directory: directory.path, group: GroupName("g0"), epoch: Epoch(4))
        try earlier.write(descriptor: 70)
        try later.write(descriptor: 71)
        earlier.remove(descriptor: 70)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["g0.collective"])
        later.remove(descriptor: 71)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    private func opened(_ directory: String, rankCount: Int, epoch: UInt64) throws -> [any Collective] {
        let box = Slots(rankCount)
        let done = DispatchGroup()
        for rank in 0..<rankCount {
            done.enter()
            Thread {
                box[rank] = Result {
                    try SharedMemoryCollective.open(
                        directory: directory, group: GroupName("g0"), epoch: Epoch(epoch), rank: rank,
                        rankCount: rankCount)
                }
                done.leave()
            }.start()
        }
        done.wait()
        return try box.all()
    }
}
