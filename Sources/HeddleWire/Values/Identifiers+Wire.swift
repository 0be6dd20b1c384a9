import HeddleCore

extension Incarnation: WireCodable {
    public static var wireByteCountMin: Int { 16 }
    public func encode(into writer: inout WireWriter) {
        writer.write(high)
        writer.write(low)
    }
    public init(from reader: inout WireReader) throws(WireError) {
        let high: UInt64 = try reader.read()
        self.init(high: high, low: try reader.read())
    }
}

extension RequestID: WireCodable {
    public static var wireByteCountMin: Int { 16 }
    public func encode(into writer: inout WireWriter) {
        writer.write(high)
        writer.write(low)
    }
    public init(from reader: inout WireReader) throws(WireError) {
        let high: UInt64 = try reader.read()
        self.init(high: high, low: try reader.read())
    }
}

extension Digest: WireCodable {
    public static var wireByteCountMin: Int { byteCount }
    public func encode(into writer: inout WireWriter) { UInt8.encodeElements(bytes, into: &writer) }
    public init(from reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        let bytes = try UInt8.decodeElements(count: Self.byteCount, from: &reader)
        guard let digest = Digest(bytes) else { throw reader.outOfRange("Digest", rule: "32 bytes", start: start) }
        self = digest
    }
}

extension Attempt: WireCodable {
    public static var wireByteCountMin: Int { 4 }
    public func encode(into writer: inout WireWriter) { writer.write(number) }
    public init(from reader: inout WireReader) throws(WireError) { self.init(try reader.read()) }
}

extension Epoch: WireCodable {
    public static var wireByteCountMin: Int { 8 }
    public func encode(into writer: inout WireWriter) { writer.write(number) }
    public init(from reader: inout WireReader) throws(WireError) { self.init(try reader.read()) }
}

extension SequenceID: WireCodable {
    public static var wireByteCountMin: Int { 8 }
    public func encode(into writer: inout WireWriter) { writer.write(number) }
    public init(from reader: inout WireReader) throws(WireError) { self.init(try reader.read()) }
}

extension BlockID: WireCodable {
    public static var wireByteCountMin: Int { 4 }
    public func encode(into writer: inout WireWriter) { writer.write(index) }
    public init(from reader: inout WireReader) throws(WireError) { self.init(try reader.read()) }
}

extension AdapterSlot: WireCodable {
    public static var wireByteCountMin: Int { 4 }
    public func encode(into writer: inout WireWriter) { writer.write(index) }
    public init(from reader: inout WireReader) throws(WireError) { self.init(try reader.read()) }
}
