import HeddleCore

extension CollectiveAddress: WireCodable {
    public static var wireByteCountMin: Int { 5 }

    public func encode(into writer: inout WireWriter) {
        writer.write(byte: kind.rawValue)
        address.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        guard let kind = Kind(rawValue: tag) else { throw reader.unknownCase(of: "CollectiveAddress", tag: tag) }
        self.init(kind: kind, address: try String(from: &reader))
    }
}
