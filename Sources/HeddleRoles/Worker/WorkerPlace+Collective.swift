import HeddleCollective
import HeddleCore

extension WorkerPlace {
    /// All instruction sets compute the same bits with f32 and bf16 weights (`CHeddleKernels`), so they are one class, and
    /// the ranks of a group may run on different machines.
    static var arithmetic: String { "f32-lanes16" }

    /// Meets the other ranks of the group. Blocks until all have come, or throws after `CollectiveLimits.openMax` or when it
    /// is interrupted.
    static func openCollective(
        _ group: GroupEpoch, at address: CollectiveAddress, place: WorkerPlace, _ interruption: OpenInterruption
    ) throws -> any Collective {
        var limits = CollectiveLimits()
        limits.openMax = .seconds(20)
        switch address.kind {
        case .sharedMemory:
            // Every rank uses its own runtime directory: an address from the wire never becomes a path.
            return try SharedMemoryCollective.open(
                directory: place.runtimeDirectory, group: group.group, epoch: group.epoch, rank: place.rank,
                rankCount: place.ranks.count, limits: limits, interruption: interruption)
        case .zeroMQ:
            guard case .zeroMQ(let endpoint) = place.collective else {
                throw CollectiveError.mismatch(field: "kind", expected: "shared memory", found: "ZeroMQ")
            }
            return try ZeroMQCollective.open(
                endpoint: endpoint, group: group.group, epoch: group.epoch, rank: place.rank,
                rankCount: place.ranks.count, limits: limits, allowsPlainTCP: place.allowsPlainTCP,
                interruption: interruption)
        }
    }
}
