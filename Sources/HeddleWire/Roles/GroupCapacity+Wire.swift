import HeddleCore

extension GroupCapacity: WireCodable {
    public static var wireByteCountMin: Int { 32 }

    public func encode(into writer: inout WireWriter) {
        sequenceCountMax.encode(into: &writer)
        kvTokenCountMax.encode(into: &writer)
        sequenceTokenCountMax.encode(into: &writer)
        adapterSlotCount.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        let sequenceCountMax = try Int(from: &reader)
        let kvTokenCountMax = try Int(from: &reader)
        let sequenceTokenCountMax = try Int(from: &reader)
        let adapterSlotCount = try Int(from: &reader)
        do throws(LimitsError) {
            try self.init(
                sequenceCountMax: sequenceCountMax, kvTokenCountMax: kvTokenCountMax,
                sequenceTokenCountMax: sequenceTokenCountMax, adapterSlotCount: adapterSlotCount)
        } catch {
            throw reader.outOfRange("GroupCapacity", rule: "\(error)", start: start)
        }
    }
}
