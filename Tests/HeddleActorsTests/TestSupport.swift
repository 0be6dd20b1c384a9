import HeddleActors
import HeddleCore
import HeddleTransport
import HeddleWire

/// Events of a system as a stream that a test waits on.
final class EventLog: Sendable {
    let stream: AsyncStream<(NodeName, MeshEvent)>
    private let continuation: AsyncStream<(NodeName, MeshEvent)>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024)) }

    var record: @Sendable (NodeName, MeshEvent) -> Void { { [continuation] in continuation.yield(($0, $1)) } }

    /// Waits for the first event of the node that fits.
    func first(on node: NodeName, where fits: (MeshEvent) -> Bool) async -> MeshEvent? {
        for await (origin, event) in stream where origin == node && fits(event) { return event }
        return nil
    }
}

/// A program that speaks the mesh's grammar by hand, rightly or wrongly, as node `a`.
struct HandMadePeer: ~Copyable {
    private let socket: BlockingSocket
    let incarnation: Incarnation

    init(endpoint: String, incarnation: Incarnation, messagesInsideMax: Int = 64) throws {
        var limits = LinkLimits()
        limits.messagesInsideMax = messagesInsideMax
        let socket = try BlockingSocket(.dealer, limits: limits)
        try socket.connect(endpoint)
        self.socket = socket
        self.incarnation = incarnation
    }

    func send(_ frames: [UInt8]...) throws { try socket.send(frames, timeout: .seconds(5)) }

    func send(_ envelope: MeshEnvelope, payload: [UInt8] = []) throws { try send(envelope.packed(), payload) }

    /// The next message, whichever way messages were put together.
    func receive() throws -> [(MeshEnvelope, [UInt8])] {
        guard let frames = try socket.receive(timeout: .seconds(5)), frames.count % 2 == 0 else { return [] }
        return try stride(from: 0, to: frames.count, by: 2).map {
            (try MeshEnvelope(unpacking: frames[$0]), frames[$0 + 1])
        }
    }

    /// Says hello and returns what the other side says to it.
    func greet(
        node: String = "a", version: UInt32 = WireVersion.current, digest: UInt64 = testContracts.digest
    ) throws -> (kind: MeshEnvelope.Kind, payload: [UInt8]) {
        try send(
            MeshEnvelope(kind: .hello, incarnation: incarnation, version: version),
            payload: MeshHello(version: version, node: node, contractDigest: digest).packed())
        guard let (envelope, payload) = try receive().first else { throw TransportError.timedOut(after: .seconds(5)) }
        return (envelope.kind, payload)
    }

    /// Calls a method of the echo by its number and returns the kind and payload of the answer.
    func call(number: UInt64, method: UInt32, arguments: [UInt8]) throws -> (kind: MeshEnvelope.Kind, payload: [UInt8])
    {
        try send(
            MeshEnvelope(
                kind: .call, incarnation: incarnation, call: number, role: "echo", name: "one", method: method,
                deadlineMicroseconds: 5_000_000),
            payload: arguments)
        guard let (envelope, payload) = try receive().first(where: { $0.0.call == number }) else {
            throw TransportError.timedOut(after: .seconds(5))
        }
        return (envelope.kind, payload)
    }
}

func index(of method: String) -> UInt32 { testMethods.first { $0.name == method }?.index ?? 0 }

/// A node `b` alone, listening over ipc with an echo, for peers that are made by hand.
func withListener(
    linkLimits: LinkLimits = LinkLimits(), limits: MeshLimits = MeshLimits(),
    onEvent: @escaping @Sendable (NodeName, MeshEvent) -> Void = { _, _ in },
    _ body: (MeshActorSystem, _ endpoint: String) async throws -> Void
) async throws {
    try await withFolder { folder in
        let endpoint = "ipc://\(folder)/b"
        let system = MeshActorSystem(
            node: nodeB, incarnation: Incarnation(high: 0xB, low: 1),
            directory: Directory(nodes: [nodeA: nil, nodeB: endpoint], actors: [echoOnB]), contracts: testContracts,
            link: try ZeroMQLink(listeningOn: endpoint, limits: linkLimits), limits: limits,
            onEvent: { onEvent(nodeB, $0) })
        system.host(role: echoOnB.role, name: echoOnB.name) { Echo(actorSystem: system) }
        do {
            try await system.start()
            try await body(system, endpoint)
        } catch {
            await system.shutdown()
            throw error
        }
        await system.shutdown()
    }
}
