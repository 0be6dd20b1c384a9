import CHeddleLinux
import Foundation
import HeddleCore
import Synchronization

/// Times sums of a group whose ranks are pinned threads of this process, over every kind of collective in the same run.
public struct CollectiveBenchmark: Sendable {
    /// How the ranks meet.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Shared memory; a waiting rank spins.
        case spinning = "shared memory, spin then futex"
        /// Shared memory; a waiting rank sleeps at once, as where ranks outnumber cores.
        case sleeping = "shared memory, futex"
        /// ZeroMQ over ipc.
        case zeroMQ = "ZeroMQ over ipc"
        /// The floor: the ranks write and read one word each in turn, with nothing to add.
        case bareWords = "bare words"
    }

    /// The time of one sum on rank 0, in microseconds.
    public struct Timing: Hashable, Sendable, Encodable {
        public var kind: String
        public var rankCount: Int
        public var floatCount: Int
        public var callCount: Int
        public var p50Microseconds: Double
        public var p99Microseconds: Double
    }

    /// Ranks of the group, 2 to 8.
    public var rankCount = 2
    /// Floats of each sum.
    public var floatCount = 2048
    /// Sums that are timed, after a tenth as many that are not.
    public var callCount = 20_000
    /// Rounds, in which the kinds take turns.
    public var roundCount = 5

    /// Two ranks, 2048 floats.
    public init() {}

    /// Runs all kinds in turn and returns their timings over all rounds.
    public func run(_ kinds: [Kind] = Kind.allCases) throws(CollectiveError) -> [Timing] {
        precondition(
            (2...8).contains(rankCount) && floatCount > 0 && callCount > 0 && roundCount > 0, "nothing to time")
        var samples: [Kind: [UInt64]] = [:]
        for round in 0..<roundCount {
            for kind in kinds { samples[kind, default: []] += try time(kind, round: round) }
        }
        return kinds.map { kind in
            let sorted = (samples[kind] ?? []).sorted()
            func quantile(_ share: Double) -> Double {
                sorted.isEmpty ? 0 : Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1000
            }
            return Timing(
                kind: kind.rawValue, rankCount: rankCount, floatCount: floatCount, callCount: sorted.count,
                p50Microseconds: quantile(0.5), p99Microseconds: quantile(0.99))
        }
    }

    private func time(_ kind: Kind, round: Int) throws(CollectiveError) -> [UInt64] {
        // Slower kinds get fewer calls, so that each takes a like share of the run.
        let callCount = max(1, (kind == .spinning || kind == .bareWords ? callCount : self.callCount / 20) / roundCount)
        let words = WordExchange(rankCount: rankCount)
        let endpoint = "ipc:///tmp/heddle-bench-\(getpid())/\(round)"
        defer {
            unlink("/tmp/heddle-bench-\(getpid())/\(round)")
            rmdir("/tmp/heddle-bench-\(getpid())")
        }
        let shared: [SharedMemoryCollective] =
            switch kind {
            case .spinning: try SharedMemoryCollective.threads(rankCount: rankCount)
            case .sleeping: try SharedMemoryCollective.threads(rankCount: rankCount, coreCount: 0)
            case .zeroMQ, .bareWords: []
            }
        let outcome = Mutex<Result<[UInt64], CollectiveError>>(.success([]))
        // A rank that goes takes its group with it, also from under a last sum that is still on its way.
        let opened = Mutex<[any Collective]>([])
        let done = DispatchGroup()
        for rank in 0..<rankCount {
            done.enter()
            Thread { [rankCount, floatCount] in
                _ = heddle_pin_thread(Int32(rank))
                do throws(CollectiveError) {
                    var durations: [UInt64] = []
                    if kind == .bareWords {
                        durations = words.run(rank: rank, callCount: callCount)
                    } else {
                        let collective: any Collective =
                            shared.isEmpty
                            ? try ZeroMQCollective.open(
                                endpoint: endpoint, group: GroupName("bench"), epoch: Epoch(1), rank: rank,
                                rankCount: rankCount) : shared[rank]
                        opened.withLock { $0.append(collective) }
                        durations = try Self.sums(collective, floatCount: floatCount, callCount: callCount)
                    }
                    if rank == 0 { outcome.withLock { $0 = .success(durations) } }
                } catch {
                    outcome.withLock { $0 = .failure(error) }
                }
                done.leave()
            }.start()
        }
        done.wait()
        opened.withLock { $0.removeAll() }
        return try outcome.withLock { outcome throws(CollectiveError) in try outcome.get() }
    }

    private static func sums(
        _ collective: any Collective, floatCount: Int, callCount: Int
    ) throws(CollectiveError) -> [UInt64] {
        let nodes = [Float](repeating: 1, count: collective.tree.nodes(of: collective.rank).count * floatCount)
        var sum = [Float](repeating: 0, count: floatCount)
        var durations: [UInt64] = []
        durations.reserveCapacity(callCount)
        for call in 0..<(callCount + callCount / 10 + 1) {
            let began = monotonicNanoseconds()
            var span = sum.mutableSpan
            try collective.reduceTree(nodes: nodes.span, into: &span)
            if call > callCount / 10 { durations.append(monotonicNanoseconds() - began) }
        }
        return durations
    }
}

/// Owns one word a rank, each on lines of its own: what any exchange between cores costs at least.
private final class WordExchange: @unchecked Sendable {
    // Safety: the words are atomic; the memory lives as long as this object.
    private static let strideBytes = 128
    private let memory: UnsafeMutableRawPointer
    private let rankCount: Int

    init(rankCount: Int) {
        self.rankCount = rankCount
        memory = .allocate(byteCount: rankCount * Self.strideBytes, alignment: Self.strideBytes)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: rankCount * Self.strideBytes)
    }

    deinit { memory.deallocate() }

    private func word(_ rank: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        (memory + rank * Self.strideBytes).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    func run(rank: Int, callCount: Int) -> [UInt64] {
        var durations: [UInt64] = []
        durations.reserveCapacity(callCount)
        for call in 1...UInt32(clamping: callCount) {
            let began = monotonicNanoseconds()
            word(rank).pointee.store(call, ordering: .releasing)
            for other in 0..<rankCount where other != rank {
                while word(other).pointee.load(ordering: .acquiring) < call { heddle_spin_pause() }
            }
            durations.append(monotonicNanoseconds() - began)
        }
        return durations
    }
}
