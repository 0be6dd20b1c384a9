import HeddleCore

extension RequestError: WireCodable {
    /// The most bytes of a text inside an error; longer ones are cut when they are written.
    public static var wireTextByteCountMax: Int { 4096 }

    public func encode(into writer: inout WireWriter) {
        func text(_ text: String) { writer.write(Self.cut(text)) }
        writer.write(byte: tag)
        switch self {
        case .wrongKey, .emptyPrompt, .cancelled, .shuttingDown: break
        case .unknownTenant(let tenant): text(tenant.text)
        case .unknownModel(let model): text(model)
        case .unknownAdapter(let adapter): text(adapter)
        case .notPermitted(let tenant, let model):
            text(tenant.text)
            text(model)
        case .promptTooLong(let count, let max), .promptTextTooLong(let count, let max):
            writer.write(count)
            writer.write(max)
        case .promptNotUTF8(let offset): writer.write(offset)
        case .promptTokenOutOfRange(let token, let count):
            writer.write(token)
            writer.write(count)
        case .invalidParameter(let name, let value, let rule):
            text(name)
            text(value)
            text(rule)
        case .adapterInvalid(let adapter, let reason):
            text(adapter)
            text(reason)
        case .tenantLaneFull(let depth): writer.write(depth)
        case .busy(let duration), .deadlineExceeded(let duration): duration.encode(into: &writer)
        case .noCapacity(let reason), .protocolViolation(let reason), .schemaInvalid(let reason): text(reason)
        case .workerLost(let losses): writer.write(losses)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.readByte()
        switch tag {
        case 1: self = .wrongKey
        // A tenant that is unknown need not bear a valid name.
        case 2: self = .unknownTenant(TenantName(try Self.text(from: &reader)))
        case 3: self = .unknownModel(try Self.text(from: &reader))
        case 4: self = .unknownAdapter(try Self.text(from: &reader))
        case 5:
            let tenant = TenantName(try Self.text(from: &reader))
            self = .notPermitted(tenant: tenant, model: try Self.text(from: &reader))
        case 6: self = .emptyPrompt
        case 7:
            let count = try Int(from: &reader)
            self = .promptTooLong(tokenCount: count, tokenCountMax: try Int(from: &reader))
        case 8:
            let count = try Int(from: &reader)
            self = .promptTextTooLong(byteCount: count, byteCountMax: try Int(from: &reader))
        case 9: self = .promptNotUTF8(byteOffset: try Int(from: &reader))
        case 10:
            let token = try TokenID(from: &reader)
            self = .promptTokenOutOfRange(token: token, vocabularyCount: try Int(from: &reader))
        case 11:
            let name = try Self.text(from: &reader)
            let value = try Self.text(from: &reader)
            self = .invalidParameter(name: name, value: value, rule: try Self.text(from: &reader))
        case 12:
            let adapter = try Self.text(from: &reader)
            self = .adapterInvalid(adapter: adapter, reason: try Self.text(from: &reader))
        case 13: self = .tenantLaneFull(depthMax: try Int(from: &reader))
        case 14: self = .busy(retryAfter: try Duration(from: &reader))
        case 15: self = .noCapacity(reason: try Self.text(from: &reader))
        case 16: self = .deadlineExceeded(after: try Duration(from: &reader))
        case 17: self = .cancelled
        case 18: self = .workerLost(losses: try Int(from: &reader))
        case 19: self = .protocolViolation(reason: try Self.text(from: &reader))
        case 20: self = .shuttingDown
        case 21: self = .schemaInvalid(reason: try Self.text(from: &reader))
        default: throw reader.unknownCase(of: "RequestError", tag: tag)
        }
    }

    private var tag: UInt8 {
        switch self {
        case .wrongKey: 1
        case .unknownTenant: 2
        case .unknownModel: 3
        case .unknownAdapter: 4
        case .notPermitted: 5
        case .emptyPrompt: 6
        case .promptTooLong: 7
        case .promptTextTooLong: 8
        case .promptNotUTF8: 9
        case .promptTokenOutOfRange: 10
        case .invalidParameter: 11
        case .adapterInvalid: 12
        case .tenantLaneFull: 13
        case .busy: 14
        case .noCapacity: 15
        case .deadlineExceeded: 16
        case .cancelled: 17
        case .workerLost: 18
        case .protocolViolation: 19
        case .shuttingDown: 20
        case .schemaInvalid: 21
        }
    }

    private static func text(from reader: inout WireReader) throws(WireError) -> String {
        try reader.readText(byteCountMax: wireTextByteCountMax)
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > wireTextByteCountMax else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: wireTextByteCountMax)
        while end > text.startIndex, text.unicodeScalars.index(after: text.unicodeScalars.index(before: end)) != end {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }
}
