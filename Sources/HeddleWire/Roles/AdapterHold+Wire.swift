import HeddleCore

extension AdapterHold: WireCodable {
    public static var wireByteCountMin: Int { 16 }

    public func encode(into writer: inout WireWriter) {
        group.encode(into: &writer)
        slot.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let group = try GroupEpoch(from: &reader)
        self.init(group: group, slot: try AdapterSlot(from: &reader))
    }
}
