import ArgumentParser
import Dispatch
import Foundation
import HeddleCluster
import HeddleCore
import HeddleGateway
import HeddleRoles
import Logging

/// `heddle node`: one process of the mesh, in the foreground.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run one node of a cluster file in the foreground.",
        discussion: """
            What heddle up starts for each node, and what systemd, Slurm or Kubernetes start on machines of their own. Writes its
            log to standard error and ends on SIGTERM or Ctrl-C: clients are told, ranks leave their group, sockets close.

            EXAMPLES
              heddle node -c mesh.yaml --name front
              heddle node -c mesh.yaml --name worker-0 --log-level debug
            """)

    @OptionGroup var cluster: ClusterOptions

    @Option(help: "The node's name in the cluster file.")
    var name: String

    @Option(help: "The least severe lines to write: trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level = .info

    @Option(help: "How lines are written: json, one object a line, or text.")
    var logFormat: LogFormat = .json

    enum LogFormat: String, CaseIterable, ExpressibleByArgument {
        case json, text
    }

    func run() async throws {
        let configuration = try cluster.load()
        guard NodeName.isValid(name), configuration.node(NodeName(name)) != nil else {
            let names = configuration.nodes.map(\.name.text).joined(separator: ", ")
            throw CommandFailure("\(configuration.path) has no node “\(name)”; it has \(names)", exit: .notFound)
        }
        try RuntimeDirectory(configuration.runtimeDirectory).prepare()
        let stop = StopRequest()
        switch logFormat {
        case .json: LoggingSystem.bootstrap { JSONLogHandler(label: $0) }
        case .text: LoggingSystem.bootstrap(StreamLogHandler.standardError)
        }
        var logger = Logger(label: name)
        logger.logLevel = logLevel
        let host = try await NodeHost.start(
            configuration, node: NodeName(name), version: Heddle.configuration.version, logger: logger)
        logger[metadataKey: "incarnation"] = "\(host.incarnation)"
        let gateway: Gateway?
        let metrics: MetricsServer?
        do {
            metrics = try await openMetrics(configuration, host, logger)
            gateway = try await openGateway(configuration, host, logger)
        } catch {
            await host.stop()
            throw error
        }
        Readiness.announce()
        await stop.wait()
        await gateway?.drain(within: configuration.limits.drainMax)
        await metrics?.stop()
        await host.stop()
    }

    private func openMetrics(
        _ configuration: ClusterConfiguration, _ host: NodeHost, _ logger: Logger
    ) async throws -> MetricsServer? {
        guard let place = configuration.node(NodeName(name))?.metrics else { return nil }
        return try await MetricsServer.start(at: place, logger: logger) { host.metricsText() }
    }

    private func openGateway(
        _ configuration: ClusterConfiguration, _ host: NodeHost, _ logger: Logger
    ) async throws -> Gateway? {
        guard let place = configuration.node(NodeName(name))?.http, let front = host.front else { return nil }
        var logger = logger
        logger[metadataKey: "actor"] = "gateway"
        return try await Gateway.start(front, at: place, of: configuration, logger: logger)
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Waits for SIGTERM, SIGINT or SIGHUP.
final class StopRequest: @unchecked Sendable {
    // Safety: nothing changes after `init`; the sources are only kept alive.
    private let stream: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        self.stream = stream
        sources = [SIGTERM, SIGINT, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
    }

    /// Returns at the first signal; one that came before counts.
    func wait() async {
        for await _ in stream { return }
    }
}
