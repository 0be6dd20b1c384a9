extension Int {
    /// Reads a count, an index or a rank of another node's: 0...2⁴⁰, so that a few of them add up without overflow.
    init(countFrom reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        let value = try Int(from: &reader)
        guard (0...(1 << 40)).contains(value) else {
            throw reader.outOfRange("Int", rule: "0...2⁴⁰", start: start)
        }
        self = value
    }
}
