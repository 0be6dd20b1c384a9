import CHeddleWire
import HeddleCore

extension MessageArena {
    func pack(_ request: InspectRequest) -> [UInt8] {
        pack(
            make(heddle__inspect__v1__inspect_request__init) { message in
                message.number = request.number
                message.subject = Heddle__Inspect__V1__Subject(rawValue: UInt32(request.query.subject.rawValue))
                message.name = bytes(request.query.name ?? "")
                message.deadline_microseconds = request.deadline.wireMicroseconds
                message.after = request.query.after
                message.count = UInt32(clamping: request.query.countMax)
            })
    }
}

func readInspectRequest(_ payload: [UInt8], limits: InspectionLimits) throws -> InspectRequest {
    let request = try unpacking(
        payload, heddle__inspect__v1__inspect_request__unpack, heddle__inspect__v1__inspect_request__free_unpacked
    ) { message in
        guard let number = UInt8(exactly: message.subject.rawValue),
            let subject = InspectionQuery.Subject(rawValue: number)
        else { throw ClientFrameError("subject is \(message.subject.rawValue), which has no meaning") }
        let name = try sentence(message.name, "name", byteCountMax: limits.textByteCountMax)
        let deadline = Duration(wireMicroseconds: message.deadline_microseconds)
        guard deadline > .zero, deadline <= limits.deadlineMax else {
            throw ClientFrameError("deadline is \(deadline); it must be above 0 and at most \(limits.deadlineMax)")
        }
        return InspectRequest(
            number: message.number,
            query: InspectionQuery(
                subject, name: name.isEmpty ? nil : name, after: message.after, countMax: Int(message.count)),
            deadline: deadline)
    }
    guard let request else { throw ClientFrameError("the payload is not an InspectRequest") }
    return request
}
