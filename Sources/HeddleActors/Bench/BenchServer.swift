import HeddleCore
import HeddleTransport

/// The far end of `heddle bench calls`: a node with an echo on its I/O thread, and a bare libzmq echo beside it.
public struct BenchServer: Sendable {
    /// Both endpoints, for the near end: the node's and the bare one's.
    public let line: String
    private let system: MeshActorSystem

    /// - Parameter folder: where the sockets of `ipc` go; mode 0700, or made so.
    public init(wire: CallBench.Wire, folder: String, context: ZeroMQContext = ZeroMQContext()) async throws {
        var generator = SystemRandomNumberGenerator()
        let tag = String(generator.next(), radix: 16)
        let (mesh, raw) =
            switch wire {
            case .inproc: ("inproc://bench-\(tag)", "inproc://bench-raw-\(tag)")
            case .ipc: ("ipc://\(folder)/mesh", "ipc://\(folder)/raw")
            case .tcp: ("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
            }
        let rawBound = try RawEcho.serve(endpoint: raw, context: context)
        let system = MeshActorSystem(
            node: CallBench.serverNode, incarnation: Incarnation(using: &generator),
            directory: Directory(
                nodes: [CallBench.clientNode: nil, CallBench.serverNode: mesh], actors: [CallBench.echo]),
            contracts: CallBench.contracts, link: try ZeroMQLink(listeningOn: mesh),
            io: IOThread(name: "io-bench-far", context: context))
        system.host(role: CallBench.echo.role, name: CallBench.echo.name, on: .ioThread) {
            BenchEcho(actorSystem: system)
        }
        try await system.start()
        self.system = system
        line = "\(try await system.endpoint ?? mesh) \(rawBound)"
    }

    public func stop() async { await system.shutdown() }

    func stopDetached() {
        let system = system
        Task { await system.shutdown() }
    }
}
