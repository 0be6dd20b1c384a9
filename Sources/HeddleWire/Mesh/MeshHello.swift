import CHeddleWire
import HeddleCore

/// The first message of a connection: who speaks, and which grammar and contract it speaks.
public struct MeshHello: Hashable, Sendable {
    public var version: UInt32
    public var node: String
    public var contractDigest: UInt64

    /// The largest hello or refusal that is read.
    public static let byteCountMax = 1024

    public init(version: UInt32 = WireVersion.current, node: String, contractDigest: UInt64) {
        self.version = version
        self.node = node
        self.contractDigest = contractDigest
    }

    public func packed() -> [UInt8] {
        var message = Heddle__Mesh__V1__Hello()
        heddle__mesh__v1__hello__init(&message)
        message.version = version
        message.contract_digest = contractDigest
        return withBinaryData(node) { node in
            message.node = node
            return packedMessage(&message.base)
        }
    }

    public init(unpacking bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Self.byteCountMax else {
            throw WireError(offset: 0, reason: .countTooLarge(count: bytes.count, countMax: Self.byteCountMax))
        }
        guard let message = heddle__mesh__v1__hello__unpack(nil, bytes.count, bytes) else {
            throw WireError(offset: 0, reason: .notAMessage(type: "Hello"))
        }
        defer { heddle__mesh__v1__hello__free_unpacked(message, nil) }
        self.init(
            version: message.pointee.version, node: try text(message.pointee.node),
            contractDigest: message.pointee.contract_digest)
    }
}

/// Why a hello was not accepted, with both sides' values for people to compare.
public struct MeshRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// What did not agree.
    public enum Reason: UInt32, Hashable, Sendable {
        case version = 1
        case contract = 2
        case unknownNode = 3
        case staleIncarnation = 4
        case shuttingDown = 5
    }

    public var reason: Reason
    /// What the refusing side has.
    public var ours: String
    /// What it was told.
    public var theirs: String

    public init(reason: Reason, ours: String, theirs: String) {
        self.reason = reason
        self.ours = ours
        self.theirs = theirs
    }

    public func packed() -> [UInt8] {
        var message = Heddle__Mesh__V1__Refusal()
        heddle__mesh__v1__refusal__init(&message)
        message.reason = Heddle__Mesh__V1__Refusal__Reason(reason.rawValue)
        return withBinaryData(ours) { ours in
            withBinaryData(theirs) { theirs in
                message.ours = ours
                message.theirs = theirs
                return packedMessage(&message.base)
            }
        }
    }

    public init(unpacking bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= MeshHello.byteCountMax else {
            throw WireError(offset: 0, reason: .countTooLarge(count: bytes.count, countMax: MeshHello.byteCountMax))
        }
        guard let message = heddle__mesh__v1__refusal__unpack(nil, bytes.count, bytes) else {
            throw WireError(offset: 0, reason: .notAMessage(type: "Refusal"))
        }
        defer { heddle__mesh__v1__refusal__free_unpacked(message, nil) }
        let fields = message.pointee
        guard let reason = Reason(rawValue: UInt32(truncatingIfNeeded: fields.reason.rawValue)) else {
            throw WireError(offset: 0, reason: .unknownCase(type: "Refusal", tag: Int(fields.reason.rawValue)))
        }
        self.init(reason: reason, ours: try text(fields.ours), theirs: try text(fields.theirs))
    }

    public var description: String {
        switch reason {
        case .version: "wire version: the refusing node speaks \(ours), the other \(theirs)"
        case .contract: "contract table: the refusing node has digest \(ours), the other \(theirs)"
        case .unknownNode: "the directory of “\(ours)” has no node “\(theirs)”"
        case .staleIncarnation: "incarnation \(theirs) was replaced by \(ours)"
        case .shuttingDown: "node “\(ours)” is shutting down"
        }
    }
}
