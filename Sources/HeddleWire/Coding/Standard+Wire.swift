extension Bool: WireCodable {
    public func encode(into writer: inout WireWriter) { writer.write(byte: self ? 1 : 0) }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.readByte() {
        case 0: self = false
        case 1: self = true
        case let tag: throw reader.unknownCase(of: "Bool", tag: tag)
        }
    }
}

extension String: WireCodable {
    public static var wireByteCountMin: Int { 4 }
    public func encode(into writer: inout WireWriter) { writer.write(self) }
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.readText() }
}

extension Array: WireCodable where Element: WireCodable {
    public static var wireByteCountMin: Int { 4 }

    public func encode(into writer: inout WireWriter) {
        writer.write(count: count)
        Element.encodeElements(self, into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let count = try reader.readCount(elementByteCountMin: Element.wireByteCountMin)
        self = try Element.decodeElements(count: count, from: &reader)
    }
}

extension Optional: WireCodable where Wrapped: WireCodable {
    public func encode(into writer: inout WireWriter) {
        switch self {
        case nil: writer.write(byte: 0)
        case let value?:
            writer.write(byte: 1)
            value.encode(into: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.readByte() {
        case 0: self = nil
        case 1: self = try Wrapped(from: &reader)
        case let tag: throw reader.unknownCase(of: "Optional", tag: tag)
        }
    }
}

extension Duration: WireCodable {
    public static var wireByteCountMin: Int { 16 }

    public func encode(into writer: inout WireWriter) {
        writer.write(components.seconds)
        writer.write(components.attoseconds)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        let seconds = try reader.read(Int64.self)
        let attoseconds = try reader.read(Int64.self)
        guard attoseconds.magnitude < 1_000_000_000_000_000_000,
            seconds == 0 || attoseconds == 0 || (seconds < 0) == (attoseconds < 0)
        else {
            throw reader.outOfRange(
                "Duration", rule: "attoseconds below 10¹⁸ with the sign of the seconds", start: start)
        }
        self.init(secondsComponent: seconds, attosecondsComponent: attoseconds)
    }
}
