import CHeddleWire
import HeddleCore

/// The first frame of every message between two nodes: what the message is, from which start of which process, and for whom.
public struct MeshEnvelope: Hashable, Sendable {
    /// What the message is; the second frame's meaning follows from it.
    public enum Kind: UInt32, Hashable, Sendable {
        case hello = 1
        case refused = 2
        case call = 3
        case reply = 4
        case failure = 5
        case cancel = 6
        case watch = 7
        case ended = 8
    }

    /// Which grammar the sender speaks. Only a hello is answered where it is not ours.
    public var version: UInt32
    public var kind: Kind
    public var incarnation: Incarnation
    public var call: UInt64
    public var role: String
    public var name: String
    public var method: UInt32
    /// What is left of the caller's patience; 0 where it does not apply.
    public var deadlineMicroseconds: UInt64
    public var trace: TraceContext?

    /// The largest envelope that is read. protobuf-c may take 56 times the bytes of a hostile message in memory.
    public static let byteCountMax = 512

    public init(
        kind: Kind, incarnation: Incarnation, call: UInt64 = 0, role: String = "", name: String = "",
        method: UInt32 = 0,
        deadlineMicroseconds: UInt64 = 0, trace: TraceContext? = nil, version: UInt32 = WireVersion.current
    ) {
        self.version = version
        self.kind = kind
        self.incarnation = incarnation
        self.call = call
        self.role = role
        self.name = name
        self.method = method
        self.deadlineMicroseconds = deadlineMicroseconds
        self.trace = trace
    }

    /// The envelope as a protobuf message.
    public func packed() -> [UInt8] {
        var message = Heddle__Mesh__V1__Envelope()
        heddle__mesh__v1__envelope__init(&message)
        message.version = version
        message.kind = Heddle__Mesh__V1__Kind(kind.rawValue)
        message.incarnation_high = incarnation.high
        message.incarnation_low = incarnation.low
        message.call = call
        message.method = method
        message.deadline_microseconds = deadlineMicroseconds
        if let trace {
            message.trace_high = trace.traceHigh
            message.trace_low = trace.traceLow
            message.span = trace.span
            message.trace_flags = UInt32(trace.flags)
        }
        return withBinaryData(role) { role in
            withBinaryData(name) { name in
                message.role = role
                message.name = name
                return packedMessage(&message.base)
            }
        }
    }

    /// Reads an untrusted first frame, of whichever version.
    public init(unpacking bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Self.byteCountMax else {
            throw WireError(offset: 0, reason: .countTooLarge(count: bytes.count, countMax: Self.byteCountMax))
        }
        guard let message = heddle__mesh__v1__envelope__unpack(nil, bytes.count, bytes) else {
            throw WireError(offset: 0, reason: .notAMessage(type: "Envelope"))
        }
        defer { heddle__mesh__v1__envelope__free_unpacked(message, nil) }
        let fields = message.pointee
        guard let kind = Kind(rawValue: UInt32(truncatingIfNeeded: fields.kind.rawValue)) else {
            throw WireError(offset: 0, reason: .unknownCase(type: "Kind", tag: Int(fields.kind.rawValue)))
        }
        guard let flags = UInt8(exactly: fields.trace_flags) else {
            throw WireError(offset: 0, reason: .outOfRange(type: "Envelope", rule: "trace flags fit a byte"))
        }
        self.init(
            kind: kind, incarnation: Incarnation(high: fields.incarnation_high, low: fields.incarnation_low),
            call: fields.call, role: try text(fields.role), name: try text(fields.name), method: fields.method,
            deadlineMicroseconds: fields.deadline_microseconds,
            trace: TraceContext(
                traceHigh: fields.trace_high, traceLow: fields.trace_low, span: fields.span, flags: flags),
            version: fields.version)
    }
}
