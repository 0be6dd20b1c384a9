import HeddleCore

extension QueueMessage: WireCodable {
    public static var wireByteCountMin: Int { 21 }

    public func encode(into writer: inout WireWriter) {
        switch self {
        case .enqueue(let ticket):
            writer.write(byte: 1)
            ticket.encode(into: &writer)
        case .reregister(let ticket, let group):
            writer.write(byte: 2)
            ticket.encode(into: &writer)
            group.encode(into: &writer)
        case .progressed(let request, let attempt, let count):
            writer.write(byte: 3)
            request.encode(into: &writer)
            attempt.encode(into: &writer)
            count.encode(into: &writer)
        case .finished(let request, let attempt, let count):
            writer.write(byte: 4)
            request.encode(into: &writer)
            attempt.encode(into: &writer)
            count.encode(into: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        switch tag {
        case 1:
            let ticket = try Ticket(from: &reader)
            self = .enqueue(ticket)
        case 2:
            let ticket = try Ticket(from: &reader)
            let group = try GroupEpoch(from: &reader)
            self = .reregister(ticket, running: group)
        case 3:
            let request = try RequestID(from: &reader)
            let attempt = try Attempt(from: &reader)
            let count = try Int(countFrom: &reader)
            self = .progressed(request, attempt, generatedTokenCount: count)
        case 4:
            let request = try RequestID(from: &reader)
            let attempt = try Attempt(from: &reader)
            let count = try Int(countFrom: &reader)
            self = .finished(request, attempt, generatedTokenCount: count)
        default: throw reader.unknownCase(of: "QueueMessage", tag: tag)
        }
    }
}
