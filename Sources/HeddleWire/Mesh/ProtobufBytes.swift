import CHeddleWire
import CProtobufC

/// Lends a text's UTF-8 as protobuf-c's bytes for the time of the closure.
func withBinaryData<Result>(_ text: String, _ body: (ProtobufCBinaryData) -> Result) -> Result {
    var text = text
    return text.withUTF8 { utf8 in
        // Safety: protobuf-c only reads what it packs; its struct has no const.
        body(ProtobufCBinaryData(len: utf8.count, data: UnsafeMutablePointer(mutating: utf8.baseAddress)))
    }
}

/// The bytes of a message whose pointers are valid now.
func packedMessage(_ message: UnsafePointer<ProtobufCMessage>) -> [UInt8] {
    let byteCount = protobuf_c_message_get_packed_size(message)
    return [UInt8](unsafeUninitializedCapacity: byteCount) { storage, initialized in
        initialized = storage.baseAddress.map { protobuf_c_message_pack(message, $0) } ?? 0
    }
}

/// Copies and checks a text that came as bytes.
func text(_ data: ProtobufCBinaryData) throws(WireError) -> String {
    guard data.len > 0, let start = data.data else { return "" }
    let bytes = UnsafeBufferPointer(start: start, count: data.len)
    guard let text = String(validating: bytes, as: UTF8.self) else { throw WireError(offset: 0, reason: .notUTF8) }
    return text
}
