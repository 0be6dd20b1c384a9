import HeddleCore

extension WorkerAnswer: WireCodable {
    public static var wireByteCountMin: Int { 21 }

    public func encode(into writer: inout WireWriter) {
        switch self {
        case .delivered(let delivery):
            writer.write(byte: 1)
            delivery.encode(into: &writer)
        case .failed(let request, let attempt, let error, let group):
            writer.write(byte: 2)
            request.encode(into: &writer)
            attempt.encode(into: &writer)
            error.encode(into: &writer)
            group.encode(into: &writer)
        case .refused(let request, let attempt):
            writer.write(byte: 3)
            request.encode(into: &writer)
            attempt.encode(into: &writer)
        case .promptScored(let scores):
            writer.write(byte: 4)
            scores.encode(into: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        switch tag {
        case 1:
            let delivery = try Delivery(from: &reader)
            self = .delivered(delivery)
        case 2:
            let request = try RequestID(from: &reader)
            let attempt = try Attempt(from: &reader)
            let error = try RequestError(from: &reader)
            let group = try GroupEpoch(from: &reader)
            self = .failed(request, attempt, error, on: group)
        case 3:
            let request = try RequestID(from: &reader)
            let attempt = try Attempt(from: &reader)
            self = .refused(request, attempt)
        case 4: self = .promptScored(try PromptScores(from: &reader))
        default: throw reader.unknownCase(of: "WorkerAnswer", tag: tag)
        }
    }
}
