import HeddleCollective
import HeddleCore
import HeddleEngine
import Synchronization

/// Owns one rank's forward pass for one epoch of its group, and how it meets the other ranks.
///
/// Steps run on one thread. Adapters are mapped and unmapped from any other: a change waits in a list that the next step
/// takes in before it begins, so mapping never waits for a step and no step sees half a change.
package final class RankEngine: @unchecked Sendable {
    private enum Change {
        case map(PackedAdapter, AdapterSlot)
        case unmap(AdapterSlot)
    }

    private struct Shared {
        var changes: [Change] = []
        var names: [AdapterSlot: AdapterName] = [:]
    }

    // Safety: `pass` is touched by the thread that runs steps alone; `shared` is behind its lock.
    private let pass: any ForwardPass
    private let collective: (any Collective)?
    private let shared = Mutex(Shared())

    /// - Parameter collective: nil for a group of one rank.
    package init(pass: any ForwardPass, collective: (any Collective)?) {
        self.pass = pass
        self.collective = collective
    }

    /// Rank 0: hands the plan to every other rank and runs it here.
    package func run(_ plan: StepPlan) throws -> Logits {
        try takeChanges()
        if let collective, collective.rankCount > 1 { try collective.broadcast(plan.wireBytes()) }
        return try pass.run(plan)
    }

    /// Another rank: waits for rank 0's next plan and runs it.
    package func obey() throws -> StepPlan {
        guard let collective else { preconditionFailure("a group of one rank has nobody to obey") }
        let bytes = try collective.receive()
        let plan = try StepPlan(wireBytes: bytes)
        try takeChanges()
        _ = try pass.run(plan)
        return plan
    }

    /// Ends what waits inside a step, on every rank.
    package func abort() { collective?.abort() }

    package func map(_ adapter: PackedAdapter, named name: AdapterName, slot: AdapterSlot) {
        shared.withLock { shared in
            shared.changes.append(.map(adapter, slot))
            shared.names[slot] = name
        }
    }

    package func unmap(_ slot: AdapterSlot) {
        shared.withLock { shared in
            shared.changes.append(.unmap(slot))
            shared.names[slot] = nil
        }
    }

    package func name(of slot: AdapterSlot) -> AdapterName? { shared.withLock { $0.names[slot] } }

    /// Adapters that are mapped, by slot.
    package var adapters: [AdapterName] {
        shared.withLock { shared in shared.names.sorted { $0.key < $1.key }.map(\.value) }
    }

    private func takeChanges() throws {
        let changes = shared.withLock { shared in
            defer { shared.changes = [] }
            return shared.changes
        }
        for change in changes {
            switch change {
            case .map(let adapter, let slot): try pass.mapAdapter(adapter, slot: slot)
            case .unmap(let slot): try pass.unmapAdapter(slot)
            }
        }
    }
}
