import HeddleCore

extension WorkerMessage: WireCodable {
    public static var wireByteCountMin: Int { 21 }

    public func encode(into writer: inout WireWriter) {
        switch self {
        case .run(let assignment, let group):
            writer.write(byte: 1)
            assignment.encode(into: &writer)
            group.encode(into: &writer)
        case .cancel(let request, let attempt, let choice, let group):
            writer.write(byte: 2)
            request.encode(into: &writer)
            attempt.encode(into: &writer)
            choice.encode(into: &writer)
            group.encode(into: &writer)
        case .over(let group, let last):
            writer.write(byte: 3)
            group.encode(into: &writer)
            last.encode(into: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        switch tag {
        case 1:
            let assignment = try Assignment(from: &reader)
            let group = try GroupEpoch(from: &reader)
            self = .run(assignment, on: group)
        case 2:
            let request = try RequestID(from: &reader)
            let attempt = try Attempt(from: &reader)
            let choice = try Int?(from: &reader)
            let group = try GroupEpoch(from: &reader)
            self = .cancel(request, attempt, choice: choice, on: group)
        case 3:
            let group = try GroupEpoch(from: &reader)
            self = .over(group, last: try Epoch(from: &reader))
        default: throw reader.unknownCase(of: "WorkerMessage", tag: tag)
        }
    }
}
