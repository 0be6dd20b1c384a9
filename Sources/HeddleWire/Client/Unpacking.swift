import CHeddleWire
import Glibc

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
        let unpacked =
            payload.isEmpty
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
