import Foundation
import HeddleCollective
import HeddleCore
import Testing

@Suite struct ZeroMQCollectiveTests {
    private func open(
        _ endpoint: String, rankCount: Int, limits: CollectiveLimits = CollectiveLimits(), epoch: UInt64 = 1
    ) throws -> [any Collective] {
        let slots = Slots(rankCount)
        let done = DispatchGroup()
        for rank in 0..<rankCount {
            done.enter()
            Thread {
                slots[rank] = Result {
                    try ZeroMQCollective.open(
                        endpoint: endpoint, group: GroupName("g0"), epoch: Epoch(epoch), rank: rank,
                        rankCount: rankCount, limits: limits)
                }
                done.leave()
            }.start()
        }
        done.wait()
        return try slots.all()
    }

    @Test(arguments: [1, 2, 3, 5])
    func aMixOfCallsGivesEveryRankItsNumbers(rankCount: Int) throws {
        let directory = try TemporaryDirectory()
        var limits = CollectiveLimits()
        limits.slotByteCount = 4096
        let ranks = try open("ipc://\(directory.path)/g0", rankCount: rankCount, limits: limits)
        try checkMixOfCalls(ranks, roundCount: 15)
    }

    @Test func tcpCarriesTheSame() throws {
        let ranks = try open("tcp://127.0.0.1:\(freePort())", rankCount: 2)
        try checkMixOfCalls(ranks, roundCount: 5)
    }

    @Test(arguments: [3, 8])
    func theBitsAreThoseOfSharedMemory(rankCount: Int) throws {
        let directory = try TemporaryDirectory()
        let sums: @Sendable (any Collective) throws -> [UInt32] = { collective in
            var generator = SeededGenerator(seed: UInt64(collective.rank))
            let count = 1000
            let nodes = collective.tree.nodes(of: collective.rank).flatMap { _ in
                (0..<count).map { _ in Float.random(in: -1e3...1e3, using: &generator) }
            }
            var sum = [Float](repeating: 0, count: count)
            var span = sum.mutableSpan
            try collective.reduceTree(nodes: nodes.span, into: &span)
            return sum.map(\.bitPattern)
        }
        let shared = try onEveryRank(rankCount, sums)
        let star = try onEveryRank(open("ipc://\(directory.path)/g0", rankCount: rankCount), sums)
        #expect(Set(shared).count == 1)
        #expect(Set(star) == Set(shared))
    }

    @Test(arguments: [0, 1, 2])
    func abortOfAnyRankEndsTheWaitsOfAll(aborting: Int) throws {
        let directory = try TemporaryDirectory()
        let ranks = try open("ipc://\(directory.path)/g0", rankCount: 3)
        let errors = try onEveryRank(ranks) { collective -> CollectiveError? in
            if collective.rank == aborting {
                collective.abort()
                return .aborted
            }
            return wait(collective)
        }
        #expect(errors == [.aborted, .aborted, .aborted])
    }

    @Test func abortEndsTheCallThatWaitsOnAnotherThread() throws {
        let directory = try TemporaryDirectory()
        let ranks = try open("ipc://\(directory.path)/g0", rankCount: 2)
        let waiting = Slots(1)
        let done = DispatchSemaphore(value: 0)
        Thread {
            if let error = wait(ranks[1]) { waiting[0] = .failure(error) }
            done.signal()
        }.start()
        ranks[1].abort()
        done.wait()
        #expect(throws: CollectiveError.aborted) { try waiting.all() }
        // What rank 1 had sent before it gave up may still complete one call.
        #expect((wait(ranks[0]) ?? wait(ranks[0])) == .aborted)
    }

    @Test func aRankThatDoesNotComeIsNamed() throws {
        let directory = try TemporaryDirectory()
        var limits = CollectiveLimits()
        limits.waitMax = .milliseconds(200)
        let ranks = try open("ipc://\(directory.path)/g0", rankCount: 2, limits: limits)
        #expect(wait(ranks[0]) == .timedOut(operation: "reduceTree", rank: 1, after: .milliseconds(200)))
        #expect(wait(ranks[1]) == .aborted)
        withExtendedLifetime(ranks) {}
    }

    @Test func aRankThatLeftIsNoticedAlsoBySomebodyWhoSends() throws {
        let directory = try TemporaryDirectory()
        var ranks = try open("ipc://\(directory.path)/g0", rankCount: 2)
        let other = ranks.removeLast()
        ranks.removeAll()
        // Its farewell or the end of its connection, whichever is seen first.
        let error = wait(other)
        #expect(error == .aborted || error == .rankLost(0))
    }

    @Test func ranksThatMakeDifferentCallsAreTold() throws {
        let directory = try TemporaryDirectory()
        let ranks = try open("ipc://\(directory.path)/g0", rankCount: 2)
        let errors = try onEveryRank(ranks) { wait($0, count: 2 + $0.rank) }
        #expect(
            errors[0]
                == .disagreement(rank: 1, expected: "reduceTree of 2 elements", found: "reduceTree of 3 elements"))
        #expect(errors[1] == .aborted)
    }

    @Test func anotherEpochGroupOrShapeIsRefusedByName() throws {
        let directory = try TemporaryDirectory()
        let endpoint = "ipc://\(directory.path)/g0"
        var limits = CollectiveLimits()
        limits.openMax = .milliseconds(400)
        let hubLimits = limits
        let done = DispatchSemaphore(value: 0)
        Thread {
            _ = try? ZeroMQCollective.open(
                endpoint: endpoint, group: GroupName("g0"), epoch: Epoch(7), rank: 0, rankCount: 2, limits: hubLimits)
            done.signal()
        }.start()
        func join(_ group: String, _ epoch: UInt64, _ limits: CollectiveLimits) -> CollectiveError? {
            do throws(CollectiveError) {
                _ = try ZeroMQCollective.open(
                    endpoint: endpoint, group: GroupName(group), epoch: Epoch(epoch), rank: 1, rankCount: 2,
                    limits: limits)
                return nil
            } catch {
                return error
            }
        }
        var other = limits
        other.slotByteCount = 4096
        #expect(join("g1", 7, limits) == .mismatch(field: "name", expected: "g1", found: "g0"))
        #expect(join("g0", 6, limits) == .mismatch(field: "epoch", expected: "6", found: "7"))
        #expect(join("g0", 7, other) == .mismatch(field: "slot size", expected: "4096", found: "262144"))
        done.wait()
    }

    /// The last rank is lost while the others meet: rank 0 tells who has come.
    @Test func anInterruptedOpenEndsOnEveryRankThatWaits() throws {
        let directory = try TemporaryDirectory()
        let began = ContinuousClock.now
        let (slots, done) = (Slots(2), DispatchGroup())
        let interruptions = [OpenInterruption(), OpenInterruption()]
        for rank in 0..<2 {
            done.enter()
            Thread {
                slots[rank] = Result {
                    try ZeroMQCollective.open(
                        endpoint: "ipc://\(directory.path)/g0", group: GroupName("g0"), epoch: Epoch(1), rank: rank,
                        rankCount: 3, interruption: interruptions[rank])
                }
                done.leave()
            }.start()
        }
        for interruption in interruptions { interruption.raise() }
        done.wait()
        for rank in 0..<2 { #expect(throws: CollectiveError.aborted) { try slots[rank].get() } }
        #expect(ContinuousClock.now - began < .seconds(10))
    }

    /// Why the group ended is asked from other threads while it ends; the reason holds strings.
    @Test func theFailureIsReadWhileTheGroupEnds() throws {
        for round in 0..<20 {
            let directory = try TemporaryDirectory()
            let ranks = try open("ipc://\(directory.path)/g0", rankCount: 2, epoch: UInt64(round + 1))
            let readers = DispatchGroup()
            for _ in 0..<2 {
                readers.enter()
                Thread {
                    while ranks[0].failure == nil {}
                    for _ in 0..<1000 { _ = ranks[0].failure?.description }
                    readers.leave()
                }.start()
            }
            _ = try onEveryRank(ranks) { wait($0, count: 2 + $0.rank) }
            readers.wait()
            guard case .disagreement? = ranks[0].failure else {
                Issue.record("\(String(describing: ranks[0].failure))")
                return
            }
        }
    }

    @Test func theLastWordOfARankThatLeavesCounts() throws {
        let directory = try TemporaryDirectory()
        var ranks = try open("ipc://\(directory.path)/g0", rankCount: 2)
        try ranks[0].broadcast([7])
        let other = ranks.removeLast()
        ranks.removeAll()
        #expect(try other.receive() == [7])
        #expect(wait(other) != nil)
    }
}

/// Sums floats and returns why that did not work.
private func wait(_ collective: any Collective, count: Int = 1) -> CollectiveError? {
    let nodes = [Float](repeating: 1, count: collective.tree.nodes(of: collective.rank).count * count)
    var sum = [Float](repeating: 0, count: count)
    var span = sum.mutableSpan
    do throws(CollectiveError) {
        try collective.reduceTree(nodes: nodes.span, into: &span)
        return nil
    } catch {
        return error
    }
}

func freePort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
            guard bind(descriptor, name, length) == 0, getsockname(descriptor, name, &length) == 0 else { return 0 }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
    }
}
