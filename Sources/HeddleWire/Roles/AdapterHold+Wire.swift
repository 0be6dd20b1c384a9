import HeddleCore

extension AdapterHold: WireCodable {
    public static var wireByteCountMin: Int { 32 }

    public func encode(into writer: inout WireWriter) {
        group.encode(into: &writer)
        slot.encode(into: &writer)
        incarnation.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let group = try GroupEpoch(from: &reader)
        let slot = try AdapterSlot(from: &reader)
        self.init(group: group, slot: slot, incarnation: try Incarnation(from: &reader))
    }
}
