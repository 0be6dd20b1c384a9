/// Who sent a message to a bound socket: the routing id of one connection, meaningless to everyone else.
public enum PeerID: Hashable, Sendable {
    /// Up to seven bytes, with their count in the top byte: what libzmq itself gives out, without an allocation.
    case short(UInt64)
    case long([UInt8])

    init(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= 7 else {
            self = .long(Array(bytes))
            return
        }
        var word = UInt64(bytes.count) << 56
        for (position, byte) in bytes.enumerated() { word |= UInt64(byte) << UInt64(8 * position) }
        self = .short(word)
    }

    /// The routing id's bytes.
    public var bytes: [UInt8] { withBytes { Array($0) } }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        switch self {
        case .long(let bytes): bytes.withUnsafeBytes(body)
        case .short(let word):
            withUnsafeBytes(of: word.littleEndian) { body(UnsafeRawBufferPointer(rebasing: $0[..<Int(word >> 56)])) }
        }
    }
}

extension PeerID: CustomStringConvertible {
    public var description: String {
        withBytes { bytes in
            "peer " + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
    }
}
