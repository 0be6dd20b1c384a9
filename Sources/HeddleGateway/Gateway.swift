import HeddleCluster
import HeddleCore
import HeddleRoles
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import ServiceLifecycle

/// The HTTP door of a node's router: OpenAI's API, health, and the models' names.
///
/// It decides nothing about requests: each call is a client of the router beside it, like those at the client socket.
public final class Gateway: Sendable {
    private let core: GatewayCore
    private let services: ServiceGroup
    private let running: Task<Void, any Error>
    private let nudging: Task<Void, Never>

    /// Binds and serves.
    ///
    /// - Throws: `GatewayError` where the address cannot be bound or a TLS file cannot be read.
    public static func start(
        _ front: RouterFront, at place: ClusterConfiguration.HTTP, of cluster: ClusterConfiguration, logger: Logger
    ) async throws -> Gateway {
        let core = GatewayCore(
            front: front, limits: GatewayLimits(), isAdminKey: { cluster.isAdminKey($0) }, logger: logger)
        for (model, error) in core.templateTroubles { logger.warning("model \(model): \(error)") }
        // Hummingbird's own lines about connections are of no use to whoever runs a mesh.
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let (bound, signal) = AsyncThrowingStream.makeStream(of: Void.self)
        let application = Application(
            router: routes(core), server: try server(place, core),
            configuration: ApplicationConfiguration(
                address: .hostname(place.address, port: place.port), serverName: "heddle", backlog: 1024,
                availableConnectionsDelegate: .maximum(core.limits.connectionCountMax, logger: quiet)),
            onServerRunning: { _ in signal.finish() }, logger: quiet)
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [application], logger: quiet))
        let running = Task {
            do { try await services.run() } catch {
                signal.finish(throwing: error)
                throw error
            }
        }
        do {
            for try await _ in bound {}
        } catch {
            throw GatewayError.cannotBind(place.origin, reason: "\(error)")
        }
        return Gateway(core: core, services: services, running: running)
    }

    private init(core: GatewayCore, services: ServiceGroup, running: Task<Void, any Error>) {
        self.core = core
        self.services = services
        self.running = running
        nudging = Task.detached {
            while (try? await Task.sleep(for: core.limits.commentInterval)) != nil { core.calls.nudge() }
        }
    }

    /// Every path, each concern's in a type of its own.
    private static func routes(_ core: GatewayCore) -> GatewayRouter {
        let router = GatewayRouter(context: GatewayContext.self)
        router.add(middleware: FailureMiddleware(limits: core.limits))
        GenerationRoutes(core: core).add(to: router)
        ModelRoutes(core: core).add(to: router)
        AdapterRoutes(core: core).add(to: router)
        HealthRoutes(core: core).add(to: router)
        return router
    }

    private static func server(_ place: ClusterConfiguration.HTTP, _ core: GatewayCore) throws -> HTTPServerBuilder {
        let book = core.connections
        let limits = core.limits
        let plain = HTTPServerBuilder.http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionHandler(book)],
                idleTimeout: .nanoseconds(limits.idleMax.components.seconds * 1_000_000_000),
                httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                    maxHeaderFieldSize: limits.headerByteCountMax, maxHeaderListSize: limits.headerByteCountMax,
                    maxHeaderFieldCount: limits.headerCountMax)))
        guard let tls = place.tls else { return plain }
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(tls.certificateFile)
            let key = try NIOSSLPrivateKey(file: tls.keyFile, format: .pem)
            return try .tls(
                plain,
                tlsConfiguration: .makeServerConfiguration(
                    certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key)))
        } catch {
            throw GatewayError.badCertificate(tls.certificateFile, reason: "\(error)")
        }
    }

    /// Takes no further call, waits until those that are open have ended, but no longer than `patience`, and closes.
    ///
    /// While it waits it still answers: `/readyz` says no, and a new call is told to go elsewhere.
    public func drain(within patience: Duration) async {
        core.calls.startDraining()
        if core.calls.count > 0 { core.logger.info("\(core.calls.count) calls are still answered") }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.core.calls.allEnded() }
            group.addTask {
                try? await Task.sleep(for: patience)
                self.core.calls.endAll()
            }
            await group.next()
            group.cancelAll()
        }
        nudging.cancel()
        await services.triggerGracefulShutdown()
        let end = Task {
            try? await Task.sleep(for: .seconds(1))
            running.cancel()
        }
        _ = await running.result
        end.cancel()
    }
}

/// Why a gateway cannot start.
public enum GatewayError: Error, Hashable, Sendable, CustomStringConvertible {
    case cannotBind(String, reason: String)
    case badCertificate(String, reason: String)

    /// One sentence that names the address or the file.
    public var description: String {
        switch self {
        case .cannotBind(let origin, let reason): "HTTP cannot be served at \(origin): \(reason)"
        case .badCertificate(let file, let reason): "the certificate \(file) and its key cannot be used: \(reason)"
        }
    }
}
