import CHeddleWire
import CProtobufC

/// Owns the C memory of one protobuf message while it is put together and packed.
///
/// protobuf-c packs from a tree of structures that point at each other; everything that they point at is taken from
/// here and lives until the arena goes.
final class MessageArena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    /// A message, initialised by protobuf-c and then filled.
    func make<Message>(
        _ initialise: (UnsafeMutablePointer<Message>?) -> Void, _ fill: (inout Message) -> Void
    ) -> UnsafeMutablePointer<Message> {
        let message = allocate(Message.self, count: 1)
        initialise(message)
        fill(&message.pointee)
        return message
    }

    func bytes(_ text: String) -> ProtobufCBinaryData { bytes(Array(text.utf8)) }

    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        guard !bytes.isEmpty else { return ProtobufCBinaryData() }
        return ProtobufCBinaryData(len: bytes.count, data: array(bytes))
    }

    /// The elements of a repeated field; nil where there are none.
    func array<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element>? {
        guard !elements.isEmpty else { return nil }
        let copy = allocate(Element.self, count: elements.count)
        for (index, element) in elements.enumerated() { (copy + index).initialize(to: element) }
        return copy
    }

    /// The elements of a repeated message.
    func messages<Message>(_ messages: [UnsafeMutablePointer<Message>]) -> UnsafeMutablePointer<
        UnsafeMutablePointer<Message>?
    >? {
        guard !messages.isEmpty else { return nil }
        let copy = allocate(UnsafeMutablePointer<Message>?.self, count: messages.count)
        for (index, message) in messages.enumerated() { (copy + index).initialize(to: message) }
        return copy
    }

    /// The bytes of a message that this arena made.
    func pack<Message>(_ message: UnsafeMutablePointer<Message>) -> [UInt8] {
        // Safety: every protoc-c structure begins with its ProtobufCMessage, and every type that comes here is one.
        let base = UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
        let byteCount = protobuf_c_message_get_packed_size(base)
        return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = buffer.baseAddress.map { protobuf_c_message_pack(base, $0) } ?? 0
        }
    }

    private func allocate<Element>(_ type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: count)
        blocks.append(UnsafeMutableRawPointer(memory))
        return memory
    }
}
