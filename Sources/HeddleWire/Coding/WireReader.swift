/// Walks over one untrusted frame; every step is checked against what is left before it is taken.
public struct WireReader: Sendable {
    private let bytes: [UInt8]
    /// Bytes read so far.
    public private(set) var offset = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var byteCountLeft: Int { bytes.count - offset }

    /// Reads a number of fixed width.
    @inline(__always)
    public mutating func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) throws(WireError) -> T {
        T(littleEndian: try load(type))
    }

    /// Reads one byte: a tag or a flag.
    public mutating func readByte() throws(WireError) -> UInt8 {
        guard offset < bytes.count else { throw truncated(byteCountNeeded: 1) }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// Reads a count of elements that take at least `elementByteCountMin` bytes each, and refuses what cannot be there.
    public mutating func readCount(elementByteCountMin: Int) throws(WireError) -> Int {
        let start = offset
        let count = Int(try read(UInt32.self))
        let countMax = byteCountLeft / max(1, elementByteCountMin)
        guard count <= countMax else {
            throw WireError(offset: start, reason: .countTooLarge(count: count, countMax: countMax))
        }
        return count
    }

    /// Reads a text: a count of bytes, then UTF-8. Over `byteCountMax` is an error.
    public mutating func readText(byteCountMax: Int = .max) throws(WireError) -> String {
        let start = offset
        let count = try readCount(elementByteCountMin: 1)
        guard count <= byteCountMax else {
            throw WireError(offset: start, reason: .countTooLarge(count: count, countMax: byteCountMax))
        }
        guard let text = String(validating: bytes[offset..<offset + count], as: UTF8.self) else {
            throw WireError(offset: offset, reason: .notUTF8)
        }
        offset += count
        return text
    }

    /// Hands out `count` raw bytes for the time of the closure.
    public mutating func readRaw(count: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws(WireError) {
        guard count >= 0, count <= byteCountLeft else { throw truncated(byteCountNeeded: count) }
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
        offset += count
    }

    /// Requires that everything was read.
    public func finish() throws(WireError) {
        guard byteCountLeft == 0 else {
            throw WireError(offset: offset, reason: .bytesLeftOver(byteCount: byteCountLeft))
        }
    }

    /// An error at a tag byte that was just read.
    public func unknownCase(of type: String, tag: UInt8) -> WireError {
        WireError(offset: max(0, offset - 1), reason: .unknownCase(type: type, tag: Int(tag)))
    }

    /// An error at a value that began at `start`.
    public func outOfRange(_ type: String, rule: String, start: Int) -> WireError {
        WireError(offset: start, reason: .outOfRange(type: type, rule: rule))
    }

    mutating func load<T: BitwiseCopyable>(_ type: T.Type) throws(WireError) -> T {
        let width = MemoryLayout<T>.size
        guard width <= byteCountLeft else { throw truncated(byteCountNeeded: width) }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
        offset += width
        return value
    }

    private func truncated(byteCountNeeded: Int) -> WireError {
        WireError(offset: offset, reason: .truncated(byteCountNeeded: byteCountNeeded, byteCountLeft: byteCountLeft))
    }
}
