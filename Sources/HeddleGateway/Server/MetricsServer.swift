import HTTPTypes
import HeddleCluster
import Hummingbird
import Logging
import ServiceLifecycle

/// A node's numbers at an address of their own, `GET /metrics`. They name tenants and adapters, so they do not stand at the
/// gateway's address, which clients reach.
public final class MetricsServer: Sendable {
    private let services: ServiceGroup
    private let running: Task<Void, any Error>

    /// Scrapers that are connected at the same time.
    private static let connectionCountMax = 16

    /// Binds and serves.
    ///
    /// - Parameter text: what a scrape is told, in Prometheus' text format.
    /// - Throws: `GatewayError` where the address cannot be bound.
    public static func start(
        at place: ClusterConfiguration.HTTP, logger: Logger, text: @escaping @Sendable () -> String
    ) async throws -> MetricsServer {
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let router = Router(context: BasicRequestContext.self)
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text())))
        }
        let (bound, signal) = AsyncThrowingStream.makeStream(of: Void.self)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(place.address, port: place.port), serverName: "heddle",
                availableConnectionsDelegate: .maximum(connectionCountMax, logger: quiet)),
            onServerRunning: { _ in signal.finish() }, logger: quiet)
        let services = ServiceGroup(configuration: ServiceGroupConfiguration(services: [application], logger: quiet))
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
        return MetricsServer(services: services, running: running)
    }

    private init(services: ServiceGroup, running: Task<Void, any Error>) {
        self.services = services
        self.running = running
    }

    /// Closes. A scrape that is under way has a moment to end.
    public func stop() async {
        await services.triggerGracefulShutdown()
        let end = Task {
            try? await Task.sleep(for: .milliseconds(500))
            running.cancel()
        }
        _ = await running.result
        end.cancel()
    }
}
