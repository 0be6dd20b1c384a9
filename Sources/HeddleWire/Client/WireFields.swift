import CHeddleWire
import HeddleCore

extension RequestID {
    /// 16 bytes, big-endian.
    var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) } }
    }

    /// Takes exactly 16 bytes; anything else is nil.
    init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }, low: bytes[8...].reduce(0) { $0 << 8 | UInt64($1) })
    }
}

func requestID(_ field: ProtobufCBinaryData) throws -> RequestID {
    guard let id = RequestID(bytes: field.array) else {
        throw ClientFrameError("request_id has 16 bytes; this one has \(field.len)")
    }
    return id
}

extension Incarnation {
    /// 16 bytes, big-endian.
    var bytes: [UInt8] { RequestID(high: high, low: low).bytes }
}

func incarnation(_ field: ProtobufCBinaryData) throws -> Incarnation {
    guard let words = RequestID(bytes: field.array) else {
        throw ClientFrameError("incarnation has 16 bytes; this one has \(field.len)")
    }
    return Incarnation(high: words.high, low: words.low)
}

/// A bounded UTF-8 text of a reply.
func sentence(_ field: ProtobufCBinaryData, _ name: String, byteCountMax: Int) throws -> String {
    guard field.len <= byteCountMax else {
        throw ClientFrameError("\(name) has \(field.len) bytes; at most \(byteCountMax) are allowed")
    }
    guard let text = String(validating: field.array, as: UTF8.self) else {
        throw ClientFrameError("\(name) is not UTF-8")
    }
    return text
}

/// A name of a reply: bounded, and of the characters that names have.
func name(_ field: ProtobufCBinaryData, _ name: String, _ isValid: (String) -> Bool) throws -> String {
    let text = try sentence(field, name, byteCountMax: NodeName.byteCountMax)
    guard isValid(text) else { throw ClientFrameError("\(name) is not a name") }
    return text
}

extension String {
    /// The longest beginning of at most this many bytes that ends with a whole character.
    func cut(byteCountMax: Int) -> String {
        guard utf8.count > byteCountMax else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: byteCountMax)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
