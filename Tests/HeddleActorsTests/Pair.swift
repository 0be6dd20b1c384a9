import Glibc
import HeddleActors
import HeddleCore
import HeddleTransport
import Synchronization

/// What connects two nodes under test.
enum Wire: CaseIterable, Sendable {
    case memory, inproc, ipc, tcp
}

let nodeA = NodeName("a")
let nodeB = NodeName("b")
let echoOnB = ActorIdentity(node: nodeB, role: RoleName("echo"), name: ActorName("one"))
/// Half of the methods are served by the runtime's look-up, half by their own lines.
let testContracts = ContractTable(
    testMethods,
    serving: [
        ContractServing("Echo.add(_:to:)", on: Echo.self) { echo, arguments in
            let left: Int = try arguments.decodeNextArgument()
            return try await echo.add(left, to: arguments.decodeNextArgument()).wireBytes()
        },
        ContractServing("Echo.note()", on: Echo.self) { echo, arguments in
            try await echo.note(arguments.decodeNextArgument())
            return []
        },
        ContractServing("Echo.refuse()", on: Echo.self) { echo, arguments in
            try await echo.refuse(arguments.decodeNextArgument())
            return []
        },
        ContractServing("Echo.block()", on: Echo.self) { echo, _ in
            try await echo.block()
            return []
        },
        ContractServing("Echo.untilCancelled()", on: Echo.self) { echo, _ in
            try await echo.untilCancelled()
            return []
        },
    ])

/// A folder of one test, mode 0700, removed with what is in it.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/heddle-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TransportError.closed }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { rmdir(path) }
    return try await body(path)
}

private let nameLast = Atomic<Int>(0)

/// Two systems that know each other: `b` listens, `a` connects.
struct Pair: Sendable {
    let near: MeshActorSystem
    let far: MeshActorSystem
    let network: InMemoryNetwork?

    func shutdown() async {
        await near.shutdown()
        await far.shutdown()
    }

    static func make(
        _ wire: Wire, folder: String, limits: MeshLimits, contracts: (ContractTable, ContractTable),
        onEvent: @escaping @Sendable (NodeName, MeshEvent) -> Void
    ) async throws -> Pair {
        var generator = SystemRandomNumberGenerator()
        let network = wire == .memory ? InMemoryNetwork() : nil
        let context = ZeroMQContext()
        let listening =
            switch wire {
            case .memory: "memory"
            case .inproc: "inproc://test-\(nameLast.add(1, ordering: .relaxed).newValue)"
            case .ipc: "ipc://\(folder)/b"
            case .tcp: "tcp://127.0.0.1:0"
            }
        func system(_ node: NodeName, endpoint: String, link: any Link, contracts: ContractTable) -> MeshActorSystem {
            MeshActorSystem(
                node: node, incarnation: Incarnation(using: &generator),
                directory: Directory(nodes: [nodeA: nil, nodeB: endpoint], actors: [echoOnB]), contracts: contracts,
                link: link, limits: limits, io: IOThread(name: "io-\(node)", context: context),
                onEvent: { onEvent(node, $0) })
        }
        let farLink: any Link = try network?.link(listeningOn: listening) ?? ZeroMQLink(listeningOn: listening)
        let far = system(nodeB, endpoint: listening, link: farLink, contracts: contracts.1)
        try await far.start()
        let bound = try await far.endpoint ?? listening
        let nearLink: any Link = try network?.link(listeningOn: nil) ?? ZeroMQLink(listeningOn: nil)
        let near = system(nodeA, endpoint: bound, link: nearLink, contracts: contracts.0)
        try await near.start()
        return Pair(near: near, far: far, network: network)
    }
}

/// Two nodes, with an echo on the second; the body gets both systems and a remote reference.
func withPair(
    _ wire: Wire = .memory, gate: Gate? = nil, place: ActorPlace = .ownThread, limits: MeshLimits = MeshLimits(),
    contracts: (ContractTable, ContractTable) = (testContracts, testContracts),
    onEvent: @escaping @Sendable (NodeName, MeshEvent) -> Void = { _, _ in },
    _ body: (Pair, Echo) async throws -> Void
) async throws {
    try await withFolder { folder in
        let pair = try await Pair.make(wire, folder: folder, limits: limits, contracts: contracts, onEvent: onEvent)
        let far = pair.far
        far.host(role: echoOnB.role, name: echoOnB.name, on: place) { Echo(actorSystem: far, gate: gate) }
        do {
            try await body(pair, try Echo.resolve(id: echoOnB, using: pair.near))
        } catch {
            await pair.shutdown()
            throw error
        }
        await pair.shutdown()
    }
}
