import HeddleCore

extension QueueAnswer: WireCodable {
    public static var wireByteCountMin: Int { 22 }

    public func encode(into writer: inout WireWriter) {
        switch self {
        case .assigned(let request, let attempt, let group):
            writer.write(byte: 1)
            request.encode(into: &writer)
            attempt.encode(into: &writer)
            group.encode(into: &writer)
        case .rejected(let request, let attempt, let error):
            writer.write(byte: 2)
            request.encode(into: &writer)
            attempt.encode(into: &writer)
            error.encode(into: &writer)
        case .gaveBack(let request, let attempt, let group, let end):
            writer.write(byte: 3)
            request.encode(into: &writer)
            attempt.encode(into: &writer)
            group.encode(into: &writer)
            end.encode(into: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        switch tag {
        case 1:
            let request = try RequestID(from: &reader)
            let attempt = try Attempt(from: &reader)
            let group = try GroupEpoch(from: &reader)
            self = .assigned(request, attempt, to: group)
        case 2:
            let request = try RequestID(from: &reader)
            let attempt = try Attempt(from: &reader)
            let error = try RequestError(from: &reader)
            self = .rejected(request, attempt, error)
        case 3:
            let request = try RequestID(from: &reader)
            let attempt = try Attempt(from: &reader)
            let group = try GroupEpoch(from: &reader)
            self = .gaveBack(request, attempt, lost: group, try EpochEnd(from: &reader))
        default: throw reader.unknownCase(of: "QueueAnswer", tag: tag)
        }
    }
}
