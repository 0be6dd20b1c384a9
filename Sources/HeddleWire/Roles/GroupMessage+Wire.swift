import HeddleCore

extension GroupMessage: WireCodable {
    public static var wireByteCountMin: Int { 13 }

    public func encode(into writer: inout WireWriter) {
        switch self {
        case .up(let group, let capacity, let model, let incarnation):
            writer.write(byte: 1)
            group.encode(into: &writer)
            capacity.encode(into: &writer)
            model.encode(into: &writer)
            incarnation.encode(into: &writer)
        case .lost(let group):
            writer.write(byte: 2)
            group.encode(into: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        switch tag {
        case 1:
            let group = try GroupEpoch(from: &reader)
            let capacity = try GroupCapacity(from: &reader)
            let model = try ModelName(from: &reader)
            let incarnation = try Incarnation(from: &reader)
            self = .up(group, capacity, model, incarnation)
        case 2:
            let group = try GroupEpoch(from: &reader)
            self = .lost(group)
        default: throw reader.unknownCase(of: "GroupMessage", tag: tag)
        }
    }
}
