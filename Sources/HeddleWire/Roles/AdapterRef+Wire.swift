import HeddleCore

extension AdapterRef: WireCodable {
    public static var wireByteCountMin: Int { 44 }

    public func encode(into writer: inout WireWriter) {
        name.encode(into: &writer)
        digest.encode(into: &writer)
        rank.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let name = try AdapterName(from: &reader)
        let digest = try Digest(from: &reader)
        let rank = try Int(countFrom: &reader)
        self.init(name: name, digest: digest, rank: rank)
    }
}
