import ArgumentParser
import Foundation
import HeddleClient
import HeddleCluster
import HeddleCore

/// How events and log lines are read from all nodes.
struct FollowOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Go on with what comes, until Ctrl-C.")
    var follow = false

    @Option(name: .long, help: "How many of the past to show of each node, 1 to 1024.")
    var tail = 50

    @Option(name: .long, help: "Only of this node.")
    var node: String?

    @Option(name: .shortAndLong, help: "table or json, one object a line.")
    var output: OutputForm = .table

    func validate() throws {
        guard (1...1024).contains(tail) else { throw ValidationError("--tail must be from 1 to 1024") }
        guard output == .table || output == .json else { throw ValidationError("-o must be table or json") }
    }

    /// Shows what nodes told, and follows them where asked to.
    ///
    /// - Parameter silent: what else is known of a node that does not answer.
    func run(
        _ subject: InspectionQuery.Subject, _ configuration: ClusterConfiguration, _ inspection: InspectionOptions,
        isShown: (NoticeReport) -> Bool, silent: (NodeName) -> [String] = { _ in [] }
    ) async throws {
        var nodes = configuration.nodes
        if let node {
            nodes = nodes.filter { $0.name.text == node }
            if nodes.isEmpty { throw CommandFailure("no node is named “\(node)”", exit: .notFound) }
        }
        let targets = nodes.map { InspectionClient.Target(node: $0.name, endpoint: $0.inspect) }
        var follower = NoticeFollower(subject, pastCountMax: tail)
        var isPartial = false
        while true {
            let deadline = Duration.microseconds(Int64(inspection.timeout * 1_000_000))
            let answers = try await InspectionClient.ask(
                targets, targets.map { follower.query(for: $0.node) }, deadline: deadline)
            for line in follower.take(answers) {
                if case .notice(_, let report) = line, !isShown(report) { continue }
                show(line)
                if case .silent(let node, _) = line {
                    isPartial = true
                    for text in silent(node) { Terminal.print(text) }
                }
            }
            guard follow else { break }
            try await Task.sleep(for: .milliseconds(300))
        }
        if isPartial { throw ExitCode.degraded }
    }

    private func show(_ line: NoticeFollower.Line) {
        switch output {
        case .json, .yaml: Terminal.print(line.json.line)
        case .table, .wide: Terminal.print(line.text(.standardOutput, clock: Self.clock))
        }
    }

    /// The wall clock's time at an age, on this machine.
    private static func clock(_ age: Duration) -> String {
        let time = Date(timeIntervalSinceNow: -age.inSeconds)
        var seconds = time_t(time.timeIntervalSince1970)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func pair(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let milliseconds = Int(time.timeIntervalSince1970 * 1000) % 1000
        let fraction = String(repeating: "0", count: 3 - String(milliseconds).count) + String(milliseconds)
        return "\(pair(parts.tm_hour)):\(pair(parts.tm_min)):\(pair(parts.tm_sec)).\(fraction)"
    }
}

/// Shows what happened in the mesh.
struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened: membership, epochs, evictions, failovers, refusals, loads.",
        discussion: """
            Every node keeps its latest events under numbers without gaps: who follows misses none, or is told how many.

            Examples:
              heddle events
              heddle events -f
              heddle events -f --kind epoch-ended --kind request-replayed
              heddle events --node worker-0 -o json

            Exit codes: 0 shown, 2 a node did not answer.
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var inspection: InspectionOptions
    @OptionGroup var following: FollowOptions

    @Option(name: .long, help: ArgumentHelp("Only events of this kind; may be given several times."))
    var kind: [Notice.Kind] = []

    func run() async throws {
        let kinds = Set(kind)
        try await following.run(.events, try mesh.load(), inspection) { report in
            kinds.isEmpty || report.notice.kind.map(kinds.contains) ?? false
        }
    }
}

extension Notice.Kind: ExpressibleByArgument {}
extension Notice.Level: ExpressibleByArgument {}

/// Shows the nodes' logs.
struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show the log lines of the nodes.",
        discussion: """
            Of a node that does not answer, the end of its log file is shown where that lies on this machine. The files themselves
            are JSON lines below the runtime directory's logs.

            Examples:
              heddle logs
              heddle logs -f --node worker-0
              heddle logs --level warning -o json
              heddle logs --request 3f2a

            Exit codes: 0 shown, 2 a node did not answer.
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var inspection: InspectionOptions
    @OptionGroup var following: FollowOptions

    @Option(name: .long, help: "The least severe lines to show: info, warning or error.")
    var level: Notice.Level = .info

    @Option(name: .long, help: "Only lines about the request whose id begins so.")
    var request: String?

    func run() async throws {
        let configuration = try mesh.load()
        let levels = Notice.Level.allCases.drop { $0 != level }
        let directory = RuntimeDirectory(configuration.runtimeDirectory)
        try await following.run(
            .lines, configuration, inspection,
            isShown: { report in
                levels.contains(report.notice.level)
                    && request.map { report.notice.request?.description.hasPrefix($0) ?? false } ?? true
            },
            silent: { node in
                guard let text = try? String(contentsOfFile: directory.log(node.text), encoding: .utf8) else {
                    return []
                }
                return text.split(separator: "\n").suffix(following.tail).map(String.init)
            })
    }
}
