/// Collects the bytes of one frame; every number goes in little-endian.
public struct WireWriter: Sendable {
    public private(set) var bytes: [UInt8]

    public init(byteCapacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(byteCapacity)
    }

    /// Appends a number at its fixed width.
    @inlinable
    public mutating func write(_ value: some FixedWidthInteger & BitwiseCopyable) {
        append(value.littleEndian)
    }

    /// Appends a tag, a flag or a short count.
    @inlinable
    public mutating func write(byte: UInt8) { appendByte(byte) }

    /// Appends a count; a frame never holds more than 2³² of anything.
    public mutating func write(count: Int) {
        guard let narrow = UInt32(exactly: count) else { preconditionFailure("a frame holds fewer than 2³² elements") }
        write(narrow)
    }

    /// Appends a text: its count of UTF-8 bytes, then the bytes.
    public mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            write(count: utf8.count)
            bytes.append(contentsOf: utf8)
        }
    }

    /// Appends raw bytes without a count.
    public mutating func write(raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

    @usableFromInline
    mutating func appendByte(_ byte: UInt8) { bytes.append(byte) }

    @usableFromInline
    mutating func append<T: BitwiseCopyable>(_ value: T) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
}
