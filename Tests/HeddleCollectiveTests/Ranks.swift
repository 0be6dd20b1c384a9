import Foundation
import HeddleCollective
import Synchronization

/// A generator that repeats itself: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Runs the body once for each collective, each on its own thread, and returns the results in rank order.
func onEveryRank<Result: Sendable>(
    _ collectives: [any Collective], _ body: @escaping @Sendable (any Collective) throws -> Result
) throws -> [Result] {
    let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
    let done = DispatchGroup()
    for collective in collectives {
        done.enter()
        let thread = Thread {
            let result = Swift.Result { try body(collective) }
            results.withLock { $0[collective.rank] = result }
            done.leave()
        }
        thread.start()
    }
    done.wait()
    return try results.withLock { results in
        try collectives.map { collective in
            guard let result = results[collective.rank] else { throw CollectiveError.aborted }
            return try result.get()
        }
    }
}

func onEveryRank<Result: Sendable>(
    _ rankCount: Int, limits: CollectiveLimits = CollectiveLimits(),
    _ body: @escaping @Sendable (any Collective) throws -> Result
) throws -> [Result] {
    try onEveryRank(SharedMemoryCollective.threads(rankCount: rankCount, limits: limits), body)
}
