import HeddleCore

extension FinishReason: WireCodable {
    public func encode(into writer: inout WireWriter) { writer.write(byte: rawValue) }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        guard let reason = FinishReason(rawValue: tag) else { throw reader.unknownCase(of: "FinishReason", tag: tag) }
        self = reason
    }
}
