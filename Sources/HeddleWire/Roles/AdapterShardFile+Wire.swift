import HeddleCore

extension AdapterShardFile: WireCodable {
    public static var wireByteCountMin: Int { 56 }

    public func encode(into writer: inout WireWriter) {
        adapter.encode(into: &writer)
        path.encode(into: &writer)
        byteCount.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let adapter = try AdapterRef(from: &reader)
        let path = try String(from: &reader)
        let byteCount = try Int(countFrom: &reader)
        self.init(adapter: adapter, path: path, byteCount: byteCount)
    }
}
