import CHeddleWire
import Glibc

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

/// What protobuf-c may allocate for one message from outside.
///
/// A hostile frame can ask for fifty times its own size in structures; past this many bytes the allocation fails, and
/// with it the message.
struct MemoryBudget {
    var byteCount: Int

    /// Enough for every honest payload of this size: `factor` times itself in structures, and a little for small ones.
    init(payloadByteCount: Int, factor: Int) { byteCount = payloadByteCount * factor + (64 << 10) }
}

/// Unpacks one message within the budget, reads it with `body`, and frees it; nil where protobuf-c refuses the bytes.
func unpacking<Message, Value>(
    _ payload: [UInt8], memoryFactor: Int = 6,
    _ unpack: (UnsafeMutablePointer<ProtobufCAllocator>?, Int, UnsafePointer<UInt8>?) -> UnsafeMutablePointer<Message>?,
    _ release: (UnsafeMutablePointer<Message>?, UnsafeMutablePointer<ProtobufCAllocator>?) -> Void,
    _ body: (Message) throws -> Value
) rethrows -> Value? {
    var budget = MemoryBudget(payloadByteCount: payload.count, factor: memoryFactor)
    // Safety: the budget outlives the allocator, which outlives the message; no pointer leaves this function.
    return try withUnsafeMutablePointer(to: &budget) { budget in
        var allocator = ProtobufCAllocator(
            alloc: { context, byteCount in
                guard let budget = context?.assumingMemoryBound(to: MemoryBudget.self),
                    byteCount <= budget.pointee.byteCount
                else { return nil }
                budget.pointee.byteCount -= byteCount
                return malloc(byteCount)
            },
            free: { _, memory in free(memory) },
            allocator_data: UnsafeMutableRawPointer(budget))
        // An empty array may have no address, and protobuf-c wants one.
        let unpacked = payload.isEmpty
            ? withUnsafePointer(to: UInt8(0)) { unpack(&allocator, 0, $0) }
            : payload.withUnsafeBufferPointer { unpack(&allocator, $0.count, $0.baseAddress) }
        guard let message = unpacked else { return nil }
        defer { release(message, &allocator) }
        return try body(message.pointee)
    }
}

extension ProtobufCBinaryData {
    /// The bytes as our own.
    var array: [UInt8] {
        guard let data else { return [] }
        // Safety: protobuf-c allocated `len` bytes at `data`.
        return Array(UnsafeBufferPointer(start: data, count: len))
    }
}

/// Elements of a repeated field that protobuf-c unpacked.
func elements<Element>(_ start: UnsafeMutablePointer<Element>?, _ count: Int) -> UnsafeBufferPointer<Element> {
    // Safety: protobuf-c allocated `count` elements at `start`; the buffer is read before the message is freed.
    UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
}

/// The first byte that is not part of valid UTF-8; nil where all are.
func firstInvalidUTF8Offset(_ bytes: [UInt8]) -> Int? {
    if String(validating: bytes, as: UTF8.self) != nil { return nil }
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
        switch parser.parseScalar(from: &iterator) {
        case .valid(let scalar): offset += scalar.count
        case .error: return offset
        case .emptyInput: return nil
        }
    }
}

extension Duration {
    /// Whole microseconds for the wire; a negative duration is 0.
    var wireMicroseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000)
        let (sum, carry) = product.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000_000)
        return overflow || carry ? .max : sum
    }

    /// A duration from the wire: centuries are cut to one, so that no sum of two overflows.
    init(wireMicroseconds microseconds: UInt64) {
        self = .microseconds(Int64(clamping: min(microseconds, 3_155_760_000_000_000)))
    }
}
