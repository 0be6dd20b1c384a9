import HeddleCore

/// What all nodes that answered say together, and who did not: the mesh as an inspector sees it.
public struct MeshPicture: Hashable, Sendable {
    public private(set) var nodes: [NodeReport] = []
    /// Nodes without a report, with the reason.
    public private(set) var missing: [Missing] = []
    public private(set) var actors: [ActorReport] = []
    /// One of each name, summed over the nodes that count it.
    public private(set) var tenants: [TenantReport] = []
    /// One of each name: where any node holds it, it is resident.
    public private(set) var adapters: [AdapterReport] = []
    public private(set) var workers: [WorkerReport] = []
    /// Oldest first.
    public private(set) var requests: [OpenRequestReport] = []
    /// Entries that nodes left out of their replies.
    public private(set) var omittedCount = 0

    /// A node that gave no report.
    public struct Missing: Hashable, Sendable {
        public var node: NodeName
        public var reason: String

        public init(node: NodeName, reason: String) {
            self.node = node
            self.reason = reason
        }
    }

    public init(_ answers: [NodeAnswer]) {
        for answer in answers {
            switch answer.outcome {
            case .report(let report): add(report)
            case .refused(let reason): missing.append(Missing(node: answer.node, reason: "refused: \(reason)"))
            case .silent(let after):
                missing.append(Missing(node: answer.node, reason: "no answer within \(Quantities.duration(after))"))
            case .unreadable(let reason): missing.append(Missing(node: answer.node, reason: reason))
            }
        }
        actors.sort { $0.id < $1.id }
        tenants.sort { $0.name < $1.name }
        adapters.sort { $0.name < $1.name }
        workers.sort { ($0.group, $0.rank, $0.node) < ($1.group, $1.rank, $1.node) }
        requests.sort { ($1.age, $0.id) < ($0.age, $1.id) }
    }

    /// Whether a node is missing, or says of itself that it is not well.
    public var isDegraded: Bool {
        !missing.isEmpty || nodes.contains { ["degraded", "failed"].contains($0.state.name) }
    }

    private mutating func add(_ report: NodeReport) {
        nodes.append(report)
        actors += report.actors
        workers += report.workers
        requests += report.requests
        omittedCount += report.omittedCount
        for tenant in report.tenants { add(tenant) }
        for adapter in report.adapters { add(adapter) }
    }

    private mutating func add(_ report: TenantReport) {
        guard let index = tenants.firstIndex(where: { $0.name == report.name }) else { return tenants.append(report) }
        tenants[index].waitingCount += report.waitingCount
        tenants[index].runningCount += report.runningCount
        tenants[index].counter = max(tenants[index].counter, report.counter)
        tenants[index].tokensIn &+= report.tokensIn
        tenants[index].tokensOut &+= report.tokensOut
        tenants[index].refusedCount &+= report.refusedCount
    }

    private mutating func add(_ report: AdapterReport) {
        guard let index = adapters.firstIndex(where: { $0.name == report.name }) else { return adapters.append(report) }
        var merged = Self.rank(report.residency) > Self.rank(adapters[index].residency) ? report : adapters[index]
        let other = merged == report ? adapters[index] : report
        merged.digest = merged.digest ?? other.digest
        merged.rank = max(merged.rank, other.rank)
        merged.byteCount = max(merged.byteCount, other.byteCount)
        merged.places += other.places.filter { !merged.places.contains($0) }
        merged.runningCount = adapters[index].runningCount + report.runningCount
        adapters[index] = merged
    }

    private static func rank(_ residency: AdapterReport.Residency) -> Int {
        switch residency {
        case .unloaded: 0
        case .failed: 1
        case .loading: 2
        case .resident: 3
        }
    }
}
