import Glibc
import HeddleCore
import HeddleTransport

/// How ranks on different hosts meet: rank 0 binds and waits for everybody, compares what each was told to join, and
/// welcomes them all at once.
extension ZeroMQCollective {
    /// Opens one rank of a group; returns when all ranks have.
    ///
    /// - Parameters:
    ///   - endpoint: `tcp://ADDRESS:PORT` or `ipc:///PATH`; rank 0 binds it, the others connect.
    ///   - epoch: which forming of the group this is; ranks of different epochs refuse each other.
    ///   - allowsPlainTCP: whether the endpoint may be reachable from other machines.
    ///   - interruption: ends the wait for the others early.
    public static func open(
        endpoint: String, group: GroupName, epoch: Epoch, rank: Int, rankCount: Int,
        limits: CollectiveLimits = CollectiveLimits(), allowsPlainTCP: Bool = false,
        interruption: OpenInterruption = OpenInterruption()
    ) throws(CollectiveError) -> ZeroMQCollective {
        limits.check()
        _ = ReductionTree.leaves(of: rank, rankCount: rankCount)
        let title = RankTitle(group: group, epoch: epoch, rank: rank, rankCount: rankCount, limits: limits)
        let deadline = OpenDeadline(after: limits.openMax, interruption)
        var linkLimits = LinkLimits()
        linkLimits.frameBytesMax = limits.slotByteCount
        if rank == 0 {
            var star = try bind(endpoint, linkLimits, allowsPlainTCP, deadline)
            let peers = try waitForRanks(&star, title, rankCount, deadline)
            return ZeroMQCollective(rank: 0, rankCount: rankCount, limits: limits, star: star, peers: peers)
        }
        var star = try transport { () throws(TransportError) in
            try StarSocket(spokeTo: endpoint, limits: linkLimits, allowsPlainTCP: allowsPlainTCP)
        }
        try join(&star, title, epoch, deadline)
        var peers = Array(repeating: -1, count: rankCount)
        peers[0] = 0
        return ZeroMQCollective(rank: rank, rankCount: rankCount, limits: limits, star: star, peers: peers)
    }

    private static func transport<Result: ~Copyable>(
        _ body: () throws(TransportError) -> Result
    ) throws(CollectiveError) -> Result {
        do throws(TransportError) {
            return try body()
        } catch {
            throw .transport(error)
        }
    }

    // MARK: Rank 0

    /// The last epoch's socket may still be closing.
    private static func bind(
        _ endpoint: String, _ limits: LinkLimits, _ allowsPlainTCP: Bool, _ deadline: OpenDeadline
    ) throws(CollectiveError) -> StarSocket {
        while true {
            do throws(TransportError) {
                return try StarSocket(hubAt: endpoint, limits: limits, allowsPlainTCP: allowsPlainTCP)
            } catch {
                guard case .addressInUse = error, !deadline.hasPassed else { throw .transport(error) }
                if let interrupted = deadline.interrupted { throw interrupted }
                usleep(20_000)
            }
        }
    }

    private static func waitForRanks(
        _ star: inout StarSocket, _ title: RankTitle, _ rankCount: Int, _ deadline: OpenDeadline
    ) throws(CollectiveError) -> [Int] {
        var peers = Array(repeating: -1, count: rankCount)
        while let missing = peers.indices.dropFirst().first(where: { peers[$0] < 0 }) {
            let over: CollectiveError? =
                deadline.hasPassed
                ? .timedOut(operation: "open", rank: missing, after: deadline.limit) : deadline.interrupted
            if let over {
                // Who came need not wait any longer.
                for peer in peers where peer >= 0 { send(.ended, [], to: peer, star) }
                throw over
            }
            let arrival: StarSocket.Arrival
            do throws(TransportError) {
                arrival = try star.receive(timeout: deadline.next)
            } catch {
                throw .transport(error)
            }
            switch arrival {
            case .message(let peer, let frames):
                guard frames.count == 2, RankMessage(frames[0])?.kind == .hello, let found = RankTitle(frames[1]) else {
                    continue
                }
                if let refusal = refusal(title, found, peers, peer) {
                    send(.refuse, refusal.bytes, to: peer, star)
                } else {
                    peers[found.rank] = peer
                }
            case .gone(let peer): if let rank = peers.firstIndex(of: peer) { peers[rank] = -1 }
            case .interrupted, .timedOut: continue
            }
        }
        for rank in peers.indices.dropFirst() { send(.welcome, title.bytes, to: peers[rank], star) }
        return peers
    }

    private static func refusal(_ title: RankTitle, _ found: RankTitle, _ peers: [Int], _ peer: Int) -> RankRefusal? {
        if let mismatch = title.mismatch(found) {
            return RankRefusal(field: mismatch.field, expected: mismatch.expected, found: mismatch.found)
        }
        guard peers.indices.dropFirst().contains(found.rank) else {
            return RankRefusal(field: "rank", expected: "1 to \(peers.count - 1)", found: String(found.rank))
        }
        if peers[found.rank] >= 0, peers[found.rank] != peer {
            return RankRefusal(field: "holder of rank \(found.rank)", expected: "free", found: "taken")
        }
        return nil
    }

    private static func send(_ kind: RankMessage.Kind, _ payload: [UInt8], to peer: Int, _ star: borrowing StarSocket) {
        // Who is gone again says so by the end of its connection.
        try? star.send(RankMessage(kind).bytes, payload.span.bytes, to: peer, timeout: .milliseconds(100))
    }

    // MARK: The others

    private static func join(
        _ star: inout StarSocket, _ title: RankTitle, _ epoch: Epoch, _ deadline: OpenDeadline
    ) throws(CollectiveError) {
        var hasSpoken = false
        while true {
            if let interrupted = deadline.interrupted { throw interrupted }
            guard !deadline.hasPassed else { throw .timedOut(operation: "open", rank: 0, after: deadline.limit) }
            if !hasSpoken {
                guard try say(title, star, deadline) else { continue }
                hasSpoken = true
            }
            let arrival: StarSocket.Arrival
            do throws(TransportError) {
                arrival = try star.receive(timeout: deadline.next)
            } catch {
                throw .transport(error)
            }
            switch arrival {
            case .message(_, let frames):
                if frames.count == 1, RankMessage(frames[0])?.kind == .ended { throw .aborted }
                guard frames.count == 2, let message = RankMessage(frames[0]) else { continue }
                if message.kind == .welcome, let found = RankTitle(frames[1]) {
                    guard let mismatch = title.mismatch(found) else { return }
                    throw .mismatch(field: mismatch.field, expected: mismatch.expected, found: mismatch.found)
                }
                guard message.kind == .refuse, let refusal = RankRefusal(frames[1]) else { continue }
                if refusal.field == "epoch", let older = UInt64(refusal.expected), older < epoch.number {
                    // The last epoch's rank 0 has not left yet.
                    usleep(20_000)
                    hasSpoken = false
                    continue
                }
                // What it expected is what we found there, and the other way round.
                throw .mismatch(field: refusal.field, expected: refusal.found, found: refusal.expected)
            case .gone: hasSpoken = false
            case .interrupted, .timedOut: continue
            }
        }
    }

    /// Sends the hello; false when nobody was there to take it yet.
    private static func say(
        _ title: RankTitle, _ star: borrowing StarSocket, _ deadline: OpenDeadline
    ) throws(CollectiveError) -> Bool {
        let bytes = title.bytes
        do throws(TransportError) {
            try star.send(RankMessage(.hello).bytes, bytes.span.bytes, to: 0, timeout: deadline.next)
            return true
        } catch {
            if case .timedOut = error { return false }
            throw .transport(error)
        }
    }
}
