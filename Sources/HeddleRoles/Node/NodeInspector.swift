import Foundation
import HeddleActors
import HeddleCluster
import HeddleCore

/// Writes a node's report from what is kept beside its actors: their accounts, and what each published of itself. It asks
/// no actor, so a stuck one shows like the others.
struct NodeInspector: Sendable {
    let configuration: ClusterConfiguration
    let node: ClusterConfiguration.Node
    let incarnation: Incarnation
    let version: String
    let system: MeshActorSystem
    let board: InspectionBoard
    let peers: PeerBook
    let journal: Journal
    private let started = now()

    init(
        configuration: ClusterConfiguration, node: ClusterConfiguration.Node, incarnation: Incarnation, version: String,
        system: MeshActorSystem, board: InspectionBoard, peers: PeerBook, journal: Journal
    ) {
        self.configuration = configuration
        self.node = node
        self.incarnation = incarnation
        self.version = version
        self.system = system
        self.board = board
        self.peers = peers
        self.journal = journal
    }

    /// What an inspector is told.
    @Sendable func answer(_ query: InspectionQuery, limits: InspectionLimits) -> NodeReport {
        var answer = report().answering(query, limits: limits)
        journal.answer(query, in: &answer, limits: limits)
        return answer
    }

    /// The node's numbers for a monitoring system.
    func metricsText() -> String { journal.metricsText(report()) }

    func report() -> NodeReport {
        let moment = now()
        let pages = board.all()
        let accounts = system.accounts()
        let stuck = accounts.filter { ($0.jobRunning ?? .zero) > Self.stuckAfter }
        var endpoints = [
            NodeReport.Endpoint(purpose: "mesh", address: node.mesh),
            NodeReport.Endpoint(purpose: "inspect", address: node.inspect),
        ]
        if let client = node.client { endpoints.append(NodeReport.Endpoint(purpose: "client", address: client)) }
        if let http = node.http { endpoints.append(NodeReport.Endpoint(purpose: "http", address: http.origin)) }
        var report = NodeReport(
            name: node.name, incarnation: incarnation, processID: UInt64(getpid()), version: version, host: node.host,
            roles: node.roles.map(\.rawValue),
            state: stuck.isEmpty
                ? StateReport("serving", since: moment.duration(since: started))
                : StateReport(
                    "degraded", reason: "\(stuck.map(\.identity.description).joined(separator: ", ")) does not answer",
                    since: stuck.compactMap(\.jobRunning).max() ?? .zero),
            uptime: moment.duration(since: started), endpoints: endpoints, peers: peers.report,
            processorTime: Self.processorTime, residentBytes: Self.residentBytes)
        report.actors = accounts.map { actor($0, page: pages[$0.identity.description], moment: moment) }
        for (_, page) in pages.sorted(by: { $0.key < $1.key }) {
            report.tenants += page.tenants
            report.adapters += page.adapters
            report.workers += page.workers
            report.requests += page.requests
        }
        return report
    }

    /// A piece of an actor's work that takes longer than this is shown as stuck; a step or a load may take seconds.
    private static let stuckAfter: Duration = .seconds(5)

    private func actor(_ account: ActorAccount, page: InspectionBoard.Page?, moment: Instant) -> ActorReport {
        var state = page?.state ?? StateReport("starting")
        if let page { state.since = moment.duration(since: page.stateSince) }
        if let running = account.jobRunning, running > Self.stuckAfter {
            state = StateReport("stuck", reason: "in \(account.methodRunning ?? "its own work")", since: running)
        }
        var fields = page?.fields ?? []
        fields.append(ReportField("thread", account.place))
        fields.append(ReportField("jobs run", account.jobsRun))
        fields.append(ReportField("jobs queued", account.jobsQueued))
        fields.append(ReportField("calls refused", account.callsRefused))
        if let page {
            fields.append(ReportField("state published", moment.duration(since: page.published).formatted, unit: "ago"))
        }
        return ActorReport(
            id: account.identity.description, role: account.identity.role.text, node: account.identity.node,
            state: state,
            mailboxDepth: account.mailboxDepth, mailboxDepthMax: account.mailboxDepthMax,
            oldestAge: account.oldestWaiting ?? .zero,
            calls: account.callsInFlight.map {
                ActorReport.CallReport(method: $0.method, elapsed: $0.age, caller: $0.caller.text)
            },
            methods: account.methods.map {
                ActorReport.MethodReport(
                    method: $0.method, callCount: $0.callsEnded, errorCount: $0.errors, p50: $0.latencyMedian ?? .zero,
                    p99: $0.latency99 ?? .zero, callsPerSecond: $0.callsPerSecond)
            },
            fields: fields, tables: page?.tables ?? [])
    }

    private static var processorTime: Duration {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = Int64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return .seconds(seconds) + .microseconds(Int64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec))
    }

    private static var residentBytes: UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let words = text.split(separator: " ")
        guard words.count > 1, let pages = UInt64(words[1]) else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
