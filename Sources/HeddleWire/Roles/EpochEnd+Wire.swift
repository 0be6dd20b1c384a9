import HeddleCore

extension EpochEnd: WireCodable {
    public static var wireByteCountMin: Int { 1 }

    public func encode(into writer: inout WireWriter) { writer.write(byte: rawValue) }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        guard let end = EpochEnd(rawValue: tag) else { throw reader.unknownCase(of: "EpochEnd", tag: tag) }
        self = end
    }
}
