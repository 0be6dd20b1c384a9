#if _endian(big)
    #error("arrays of numbers are copied as they lie in memory, which the wire defines as little-endian")
#endif

/// Numbers whose memory on a little-endian machine is their wire form, so that arrays of them copy at once.
public protocol WireFixedWidth: WireCodable, BitwiseCopyable {}

extension WireFixedWidth {
    public static var wireByteCountMin: Int { MemoryLayout<Self>.size }

    public static func encodeElements(_ elements: [Self], into writer: inout WireWriter) {
        elements.withUnsafeBytes { writer.write(raw: $0) }
    }

    public static func decodeElements(count: Int, from reader: inout WireReader) throws(WireError) -> [Self] {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Self>.stride)
        guard count >= 0, !overflow, byteCount <= reader.byteCountLeft else {
            throw WireError(
                offset: reader.offset,
                reason: .countTooLarge(count: count, countMax: reader.byteCountLeft / MemoryLayout<Self>.stride))
        }
        var start: WireReader = reader
        let elements = [Self](unsafeUninitializedCapacity: count) { storage, initialized in
            // Safety: the count was checked just above, and every bit pattern is a value of these types.
            try? start.readRaw(count: byteCount) { raw in
                if let target = UnsafeMutableRawPointer(storage.baseAddress), let source = raw.baseAddress {
                    target.copyMemory(from: source, byteCount: byteCount)
                }
                initialized = count
            }
        }
        reader = start
        return elements
    }
}

extension WireFixedWidth where Self: FixedWidthInteger {
    public func encode(into writer: inout WireWriter) { writer.write(self) }
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.read(Self.self) }
}

extension UInt8: WireFixedWidth {}
extension UInt16: WireFixedWidth {}
extension UInt32: WireFixedWidth {}
extension UInt64: WireFixedWidth {}
extension Int8: WireFixedWidth {}
extension Int16: WireFixedWidth {}
extension Int32: WireFixedWidth {}
extension Int64: WireFixedWidth {}
/// Eight bytes: Heddle runs on 64-bit machines alone.
extension Int: WireFixedWidth {}

extension Float: WireFixedWidth {
    public func encode(into writer: inout WireWriter) { writer.write(bitPattern) }
    public init(from reader: inout WireReader) throws(WireError) { self.init(bitPattern: try reader.read()) }
}

extension Double: WireFixedWidth {
    public func encode(into writer: inout WireWriter) { writer.write(bitPattern) }
    public init(from reader: inout WireReader) throws(WireError) { self.init(bitPattern: try reader.read()) }
}
