/// Why a request was refused or ended without its tokens. Each case carries its numbers; `code` is what programs match.
public enum RequestError: Error, Hashable, Sendable {
    case wrongKey
    case unknownTenant(TenantName)
    case unknownModel(String)
    case unknownAdapter(String)
    case notPermitted(tenant: TenantName, model: String)
    case emptyPrompt
    case promptTooLong(tokenCount: Int, tokenCountMax: Int)
    case promptTextTooLong(byteCount: Int, byteCountMax: Int)
    case promptNotUTF8(byteOffset: Int)
    case promptTokenOutOfRange(token: TokenID, vocabularyCount: Int)
    case invalidParameter(name: String, value: String, rule: String)
    case adapterInvalid(adapter: String, reason: String)
    /// A schema that cannot be enforced; the reason names the place and the keyword.
    case schemaInvalid(reason: String)
    case tenantLaneFull(depthMax: Int)
    case busy(retryAfter: Duration)
    case noCapacity(reason: String)
    case deadlineExceeded(after: Duration)
    case cancelled
    case workerLost(losses: Int)
    case protocolViolation(reason: String)
    case shuttingDown

    /// Stable snake-case name: what a program compares and what metrics count.
    public var code: String {
        switch self {
        case .wrongKey: "wrong_key"
        case .unknownTenant: "unknown_tenant"
        case .unknownModel: "unknown_model"
        case .unknownAdapter: "unknown_adapter"
        case .notPermitted: "not_permitted"
        case .emptyPrompt: "empty_prompt"
        case .promptTooLong: "prompt_too_long"
        case .promptTextTooLong: "prompt_text_too_long"
        case .promptNotUTF8: "prompt_not_utf8"
        case .promptTokenOutOfRange: "prompt_token_out_of_range"
        case .invalidParameter: "invalid_parameter"
        case .adapterInvalid: "adapter_invalid"
        case .schemaInvalid: "invalid_schema"
        case .tenantLaneFull: "tenant_lane_full"
        case .busy: "busy"
        case .noCapacity: "no_capacity"
        case .deadlineExceeded: "deadline_exceeded"
        case .cancelled: "cancelled"
        case .workerLost: "worker_lost"
        case .protocolViolation: "protocol_violation"
        case .shuttingDown: "shutting_down"
        }
    }

    /// The parameter at fault, in the client's own vocabulary; nil where none is.
    public var parameter: String? {
        switch self {
        case .invalidParameter(let name, _, _): name
        case .unknownModel, .unknownAdapter, .adapterInvalid, .notPermitted: "model"
        case .schemaInvalid: "json_schema"
        case .unknownTenant: "tenant"
        case .wrongKey: "key"
        case .emptyPrompt, .promptTooLong, .promptTextTooLong, .promptNotUTF8, .promptTokenOutOfRange: "prompt"
        case .deadlineExceeded: "deadline"
        default: nil
        }
    }
}

extension RequestError: CustomStringConvertible {
    /// One sentence that names what is wrong and, where there is one, the limit.
    public var description: String {
        switch self {
        case .wrongKey: "the key is missing or belongs to no tenant"
        case .unknownTenant(let tenant): "no tenant is named “\(tenant)”"
        case .unknownModel(let model): "no model or adapter is named “\(model)”"
        case .unknownAdapter(let adapter): "no adapter is named “\(adapter)”"
        case .notPermitted(let tenant, let model): "tenant “\(tenant)” may not use “\(model)”"
        case .emptyPrompt: "the prompt is empty"
        case .promptTooLong(let count, let max):
            "the prompt has \(count) tokens; with its new tokens it must fit \(max)"
        case .promptTextTooLong(let count, let max): "the prompt has \(count) bytes; at most \(max) are allowed"
        case .promptNotUTF8(let offset): "the prompt is not UTF-8 at byte \(offset)"
        case .promptTokenOutOfRange(let token, let count): "prompt token \(token) is outside the vocabulary 0..<\(count)"
        case .invalidParameter(let name, let value, let rule): "\(name) is \(value); it must be \(rule)"
        case .adapterInvalid(let adapter, let reason): "adapter “\(adapter)” cannot be used: \(reason)"
        case .schemaInvalid(let reason): "the schema cannot be enforced: \(reason)"
        case .tenantLaneFull(let depth): "the tenant already has \(depth) requests waiting"
        case .busy(let after): "the router is at its limit; try again in \(after)"
        case .noCapacity(let reason): "no worker group can run this request: \(reason)"
        case .deadlineExceeded(let after): "the deadline of \(after) passed"
        case .cancelled: "the request was cancelled"
        case .workerLost(let losses): "the request lost its worker group \(losses) times and is not tried again"
        case .protocolViolation(let reason): "the frame is not valid: \(reason)"
        case .shuttingDown: "the node is shutting down"
        }
    }
}

/// How a choice ended when nothing went wrong.
public enum FinishReason: UInt8, Hashable, Sendable, CustomStringConvertible {
    /// A stop string or an end token.
    case stop = 1
    /// `tokenCountMax`, or the model's context, was reached.
    case length = 2

    public var description: String {
        switch self {
        case .stop: "stop"
        case .length: "length"
        }
    }
}
