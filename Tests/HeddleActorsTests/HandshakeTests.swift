import Distributed
import HeddleActors
import HeddleCore
import HeddleTransport
import HeddleWire
import Testing

@Suite(.timeLimit(.minutes(1))) struct HandshakeTests {
    @Test(arguments: Wire.allCases) func anotherContractIsRefusedWithBothDigests(wire: Wire) async throws {
        let other = ContractTable([testMethods[0]])
        let log = EventLog()
        try await withPair(wire, contracts: (testContracts, other), onEvent: log.record) { pair, far in
            let error = await #expect(throws: RemoteCallError.self) { try await far.add(1, to: 1) }
            guard case .handshakeRefused(let refusal)? = error else { throw try #require(error) }
            #expect(refusal.reason == .contract)
            #expect(refusal.ours == "0x" + String(other.digest, radix: 16))
            #expect(refusal.theirs == "0x" + String(testContracts.digest, radix: 16))
            let logged = await log.first(on: nodeB) { if case .handshakeRefused = $0 { true } else { false } }
            #expect(logged == .handshakeRefused(refusal, node: nodeA, byPeer: false))
        }
    }

    @Test func anotherVersionIsRefusedWithBothVersions() async throws {
        try await withListener { system, endpoint in
            let peer = try HandMadePeer(endpoint: endpoint, incarnation: Incarnation(high: 1, low: 1))
            let answer = try peer.greet(version: 99)
            #expect(answer.kind == .refused)
            let refusal = try MeshRefusal(unpacking: answer.payload)
            #expect(refusal == MeshRefusal(reason: .version, ours: "\(WireVersion.current)", theirs: "99"))
        }
    }

    @Test func aNodeThatTheDirectoryLacksIsRefused() async throws {
        try await withListener { system, endpoint in
            let peer = try HandMadePeer(endpoint: endpoint, incarnation: Incarnation(high: 1, low: 1))
            let answer = try peer.greet(node: "stranger")
            #expect(try MeshRefusal(unpacking: answer.payload).reason == .unknownNode)
        }
    }

    @Test func anIncarnationThatWasReplacedIsRefused() async throws {
        try await withListener { system, endpoint in
            let first = try HandMadePeer(endpoint: endpoint, incarnation: Incarnation(high: 1, low: 1))
            let second = try HandMadePeer(endpoint: endpoint, incarnation: Incarnation(high: 1, low: 2))
            let zombie = try HandMadePeer(endpoint: endpoint, incarnation: Incarnation(high: 1, low: 1))
            #expect(try first.greet().kind == .hello)
            #expect(try second.greet().kind == .hello)
            let answer = try zombie.greet()
            #expect(answer.kind == .refused)
            #expect(try MeshRefusal(unpacking: answer.payload).reason == .staleIncarnation)
            // What the first still says is counted and dropped; the second is served.
            try first.send(
                MeshEnvelope(
                    kind: .call, incarnation: Incarnation(high: 1, low: 1), call: 1, role: "echo", name: "one",
                    method: index(of: "Echo.noted()"), deadlineMicroseconds: 1_000_000))
            #expect(try second.call(number: 1, method: index(of: "Echo.noted()"), arguments: []).kind == .reply)
            #expect(system.counters.messagesStale == 1)
        }
    }

    @Test func anUnknownMethodIsATypedErrorAndTheConnectionSurvives() async throws {
        try await withListener { system, endpoint in
            let peer = try HandMadePeer(endpoint: endpoint, incarnation: Incarnation(high: 1, low: 1))
            _ = try peer.greet()
            let answer = try peer.call(number: 1, method: 999, arguments: [])
            #expect(answer.kind == .failure)
            #expect(testContracts.errors.error(of: answer.payload) as? RemoteCallError == .unknownMethod(index: 999))
            #expect(try peer.call(number: 2, method: index(of: "Echo.noted()"), arguments: []).kind == .reply)
        }
    }

    @Test func argumentsThatCannotBeReadAreATypedError() async throws {
        try await withListener { system, endpoint in
            let peer = try HandMadePeer(endpoint: endpoint, incarnation: Incarnation(high: 1, low: 1))
            _ = try peer.greet()
            let answer = try peer.call(number: 1, method: index(of: "Echo.echo()"), arguments: [255, 255, 255, 255])
            #expect(answer.kind == .failure)
            guard
                case .argumentsUnreadable(let reason)? = testContracts.errors.error(of: answer.payload)
                    as? RemoteCallError
            else { throw TransportError.closed }
            #expect(reason.contains("4294967295"))
        }
    }

    @Test func garbageIsCountedAndNobodyElseIsDisturbed() async throws {
        let log = EventLog()
        try await withPair(.ipc, onEvent: log.record) { pair, far in
            let endpoint = try #require(try await pair.far.endpoint)
            let peer = try HandMadePeer(endpoint: endpoint, incarnation: Incarnation(high: 9, low: 9))
            var generator = SeededGenerator(seed: 7)
            var sentCount = 0
            let whole = MeshEnvelope(
                kind: .call, incarnation: peer.incarnation, call: 1, role: "echo", name: "one", method: 1
            ).packed()
            for byteCount in 0..<whole.count {
                try peer.send(Array(whole[..<byteCount]), [])
                sentCount += 1
            }
            for _ in 0..<500 {
                try peer.send(generator.bytes(countMax: 64), generator.bytes(countMax: 64))
                sentCount += 1
            }
            try peer.send([1, 2, 3])
            try peer.send([], [], [])
            // The peer's own greeting comes after all of it, so its answer says that all of it was read.
            try peer.send(
                MeshEnvelope(kind: .hello, incarnation: peer.incarnation),
                payload: MeshHello(node: "nobody", contractDigest: 0).packed())
            #expect(try peer.receive().first?.0.kind == .refused)
            let counters = pair.far.counters
            #expect(counters.messagesUnreadable + counters.messagesUngreeted >= UInt64(sentCount))
            let sum = try await far.add(20, to: 22)
            #expect(sum == 42)
            #expect(pair.near.counters.nodesLost == 0)
        }
    }

    @Test func aPeerThatReadsNothingPushesBack() async throws {
        var linkLimits = LinkLimits()
        linkLimits.bytesQueuedMax = 64 << 10
        linkLimits.messagesInsideMax = 2
        try await withListener(linkLimits: linkLimits) { system, endpoint in
            let deaf = try HandMadePeer(
                endpoint: endpoint, incarnation: Incarnation(high: 1, low: 1), messagesInsideMax: 1)
            _ = try deaf.greet()
            let target = ActorIdentity(node: nodeA, role: echoOnB.role, name: echoOnB.name)
            let remote = try Echo.resolve(id: target, using: system)
            let bytes = [UInt8](repeating: 0, count: 32 << 10)
            let error = await withTaskGroup(of: (any Error)?.self) { group -> (any Error)? in
                for _ in 0..<256 {
                    group.addTask {
                        do { _ = try await remote.echo(bytes) } catch { return error }
                        return nil
                    }
                }
                for await error in group where error is RemoteCallError {
                    group.cancelAll()
                    return error
                }
                return nil
            }
            guard case .notSent(.backPressure(let queued, let max))? = error as? RemoteCallError else {
                throw try #require(error)
            }
            #expect(max == 64 << 10)
            #expect(queued <= max)
        }
    }
}

/// The same numbers for the same seed: splitmix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func bytes(countMax: Int) -> [UInt8] {
        (0..<Int.random(in: 0...countMax, using: &self)).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }
}
