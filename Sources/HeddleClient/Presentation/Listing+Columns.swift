import HeddleCore

// What each list shows. Names first, then state, then numbers; what only an expert wants is wide.

extension Listing {
    static let nodeCells: [Cell<NodeReport>] = [
        .text("NAME") { $0.name.text },
        .text("STATE") { $0.state.name },
        .text("ROLES") { $0.roles.joined(separator: ",") },
        .duration("UPTIME") { $0.uptime },
        .duration("CPU") { $0.processorTime },
        .number("MEMORY") { Quantities.bytes($0.residentBytes) },
        .count("PEERS") { $0.peers.count },
        .text("HOST", wide: true) { $0.host },
        .count("PID", wide: true) { $0.processID },
        .text("VERSION", wide: true) { $0.version },
        .text("INCARNATION", wide: true) { String($0.incarnation.description.prefix(8)) },
        .text("ENDPOINTS", wide: true) { node in
            node.endpoints.map { "\($0.purpose)=\($0.address)" }.joined(separator: " ")
        },
        .text("REASON", wide: true) { $0.state.reason },
    ]

    static let actorCells: [Cell<ActorReport>] = [
        .text("ID") { $0.id },
        .text("ROLE") { $0.role },
        .text("STATE") { $0.state.name },
        .number("MAILBOX") { "\($0.mailboxDepth)/\($0.mailboxDepthMax)" },
        .duration("OLDEST") { $0.oldestAge },
        .count("CALLS") { $0.calls.count },
        .number("RATE") { actor in Quantities.decimal(actor.methods.reduce(0) { $0 + $1.callsPerSecond }) + "/s" },
        .count("ERRORS") { actor in actor.methods.reduce(UInt64(0)) { $0 &+ $1.errorCount } },
        .text("NODE", wide: true) { $0.node.text },
        .duration("SINCE", wide: true) { $0.state.since },
        .duration("P99", wide: true) { actor in actor.methods.map(\.p99).max() ?? .zero },
        .count("RESTARTS", wide: true) { $0.restarts },
        .text("REASON", wide: true) { $0.state.reason },
    ]

    static let tenantCells: [Cell<TenantReport>] = [
        .text("NAME") { $0.name.text },
        .count("WAITING") { $0.waitingCount },
        .count("RUNNING") { $0.runningCount },
        .count("TOKENS-IN") { $0.tokensIn },
        .count("TOKENS-OUT") { $0.tokensOut },
        .count("REFUSED") { $0.refusedCount },
        .number("COUNTER", wide: true) { Quantities.decimal($0.counter) },
    ]

    static let adapterCells: [Cell<AdapterReport>] = [
        .text("NAME") { $0.name.text },
        .text("STATE") { $0.residency.rawValue },
        .count("RANK") { $0.rank },
        .number("SIZE") { Quantities.bytes($0.byteCount) },
        .count("RUNNING") { $0.runningCount },
        .text("WHERE") { $0.places.joined(separator: ",") },
        .text("DIGEST", wide: true) { $0.digest?.short ?? "" },
        .duration("SINCE", wide: true) { $0.since },
        .text("REASON", wide: true) { $0.reason },
    ]

    static let workerCells: [Cell<WorkerReport>] = [
        .text("GROUP") { $0.group.text },
        .number("RANK") { "\($0.rank)/\($0.rankCount)" },
        .text("NODE") { $0.node.text },
        .text("STATE") { $0.state.name },
        .count("RUNNING") { $0.runningCount },
        .count("WAITING") { $0.waitingCount },
        .duration("STEP") { $0.stepTime },
        .number("TOKENS/S") { Quantities.decimal($0.tokensPerSecond) },
        .number("KV") { "\($0.blocksUsed)/\($0.blockCount)" },
        .count("ADAPTERS") { $0.adapters.count },
        .count("ROWS", wide: true) { $0.rowCount },
        .count("EPOCH", wide: true) { $0.epoch.number },
        .duration("SINCE", wide: true) { $0.state.since },
        .text("MAPPED", wide: true) { $0.adapters.map(\.text).joined(separator: ",") },
        .text("REASON", wide: true) { $0.state.reason },
    ]

    static let requestCells: [Cell<OpenRequestReport>] = [
        .text("ID") { $0.id.description },
        .text("TENANT") { $0.tenant.text },
        .text("MODEL") { $0.model },
        .text("STATE") { $0.state.name },
        .duration("AGE") { $0.age },
        .count("PROMPT") { $0.promptTokenCount },
        .count("TOKENS") { $0.generatedTokenCount },
        .text("GROUP") { $0.group?.text ?? "" },
        .duration("SINCE", wide: true) { $0.state.since },
        .count("ATTEMPT", wide: true) { $0.attempt.number },
        .text("ROUTER", wide: true) { $0.router.text },
        .text("REASON", wide: true) { $0.state.reason },
    ]
}
