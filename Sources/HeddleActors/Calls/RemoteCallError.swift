import HeddleCore
import HeddleTransport
import HeddleWire

/// Why a remote call has no result of the method's own making.
///
/// After `nodeLost` and `deadlineExceeded` the method may have run, run in part, or not at all; after every other case it
/// has not run, save for `remoteFailure` (it threw) and `resultUnreadable` (it ended).
public enum RemoteCallError: Error, Hashable, Sendable {
    case deadlineExceeded(after: Duration)
    /// The node is not connected now.
    case nodeUnreachable(NodeName)
    /// The connection ended while the call was under way.
    case nodeLost(NodeName)
    case unknownNode(NodeName)
    /// The identity means an earlier start of its node.
    case staleIncarnation(wanted: Incarnation, present: Incarnation)
    case noActor(ActorIdentity)
    case noActorInRole(RoleName)
    /// The actor with this identity is of another type than the one that was asked for.
    case wrongActorType(ActorIdentity, wanted: String)
    case unknownMethod(index: UInt32)
    /// The caller's table lacks the function: `.ci/contracts` was not run after it was added.
    case notInContract(target: String)
    case genericMethod(target: String)
    case mailboxFull(depthMax: Int)
    case callsInFlightFull(countMax: Int)
    case argumentsUnreadable(reason: String)
    case resultUnreadable(reason: String)
    case handshakeRefused(MeshRefusal)
    case notSent(TransportError)
    /// The method threw an error that is in no `WireErrorTable`.
    case remoteFailure(type: String, message: String)
    case shuttingDown(NodeName)
}

extension RemoteCallError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .deadlineExceeded(let after): "the call did not end within \(after)"
        case .nodeUnreachable(let node): "node “\(node)” is not connected"
        case .nodeLost(let node): "node “\(node)” was lost during the call"
        case .unknownNode(let node): "the directory has no node “\(node)”"
        case .staleIncarnation(let wanted, let present): "incarnation \(wanted) is gone; \(present) is there now"
        case .noActor(let identity): "there is no actor \(identity)"
        case .noActorInRole(let role): "the directory has no actor in the role “\(role)”"
        case .wrongActorType(let identity, let wanted): "the actor \(identity) is no \(wanted)"
        case .unknownMethod(let index): "the contract table has no method \(index)"
        case .notInContract(let target): "the contract table lacks \(target); run .ci/contracts"
        case .genericMethod(let target): "\(target) is generic, which cannot cross the wire"
        case .mailboxFull(let max): "\(max) calls already wait for the actor"
        case .callsInFlightFull(let max): "\(max) calls are already in flight"
        case .argumentsUnreadable(let reason): "the arguments cannot be read: \(reason)"
        case .resultUnreadable(let reason): "the result cannot be read: \(reason)"
        case .handshakeRefused(let refusal): "the handshake was refused: \(refusal)"
        case .notSent(let error): "the call was not sent: \(error)"
        case .remoteFailure(let type, let message): "the method threw \(type): \(message)"
        case .shuttingDown(let node): "node “\(node)” is shutting down"
        }
    }
}

/// The cases that a callee says cross as themselves; what only a caller can find never crosses and is sent as text.
extension RemoteCallError: WireCodable {
    public func encode(into writer: inout WireWriter) {
        switch self {
        case .noActor(let identity):
            writer.write(byte: 1)
            identity.encode(into: &writer)
        case .unknownMethod(let index):
            writer.write(byte: 2)
            writer.write(index)
        case .mailboxFull(let max):
            writer.write(byte: 3)
            writer.write(max)
        case .callsInFlightFull(let max):
            writer.write(byte: 4)
            writer.write(max)
        case .argumentsUnreadable(let reason):
            writer.write(byte: 5)
            writer.write(reason.cut(byteCountMax: 1024))
        case .deadlineExceeded(let after):
            writer.write(byte: 6)
            after.encode(into: &writer)
        case .shuttingDown(let node):
            writer.write(byte: 7)
            node.encode(into: &writer)
        case .nodeUnreachable(let node):
            writer.write(byte: 8)
            node.encode(into: &writer)
        case .nodeLost(let node):
            writer.write(byte: 9)
            node.encode(into: &writer)
        case .remoteFailure(let type, let message):
            writer.write(byte: 10)
            writer.write(type.cut(byteCountMax: 256))
            writer.write(message.cut(byteCountMax: 4096))
        default:
            writer.write(byte: 10)
            writer.write("RemoteCallError")
            writer.write(description.cut(byteCountMax: 4096))
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        switch tag {
        case 1: self = .noActor(try ActorIdentity(from: &reader))
        case 2: self = .unknownMethod(index: try reader.read())
        case 3: self = .mailboxFull(depthMax: try Int(from: &reader))
        case 4: self = .callsInFlightFull(countMax: try Int(from: &reader))
        case 5: self = .argumentsUnreadable(reason: try reader.readText(byteCountMax: 1024))
        case 6: self = .deadlineExceeded(after: try Duration(from: &reader))
        case 7: self = .shuttingDown(try NodeName(from: &reader))
        case 8: self = .nodeUnreachable(try NodeName(from: &reader))
        case 9: self = .nodeLost(try NodeName(from: &reader))
        case 10:
            let type = try reader.readText(byteCountMax: 256)
            self = .remoteFailure(type: type, message: try reader.readText(byteCountMax: 4096))
        default: throw reader.unknownCase(of: "RemoteCallError", tag: tag)
        }
    }
}
