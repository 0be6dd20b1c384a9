import HeddleCore

extension HTTPFailure {
    /// What a router's failure is over HTTP. Codes that OpenAI has its own word for get that word.
    package init(_ failure: RequestFailure, promptField: String) {
        let parameter = Self.parameter(failure.parameter, promptField: promptField)
        func refusal(_ status: Int, _ code: String, type: String = "invalid_request_error") -> HTTPFailure {
            HTTPFailure(
                status: status, message: failure.message, type: type, parameter: parameter, code: code,
                retryAfter: failure.retryAfter)
        }
        func trouble(_ status: Int, retryAfter: Duration? = nil, isFinal: Bool = false) -> HTTPFailure {
            HTTPFailure(
                status: status, message: failure.message, type: "server_error", parameter: parameter,
                code: failure.code,
                retryAfter: failure.retryAfter ?? retryAfter, isFinal: isFinal)
        }
        switch failure.code {
        case "wrong_key", "unknown_tenant":
            self = refusal(401, "invalid_api_key", type: "authentication_error")
            self.parameter = nil
        case "not_permitted": self = refusal(403, failure.code, type: "permission_error")
        case "unknown_model", "unknown_adapter": self = refusal(404, "model_not_found")
        case "prompt_too_long": self = refusal(400, "context_length_exceeded")
        case "adapter_invalid": self = refusal(422, failure.code)
        case "busy", "tenant_lane_full", "rate_limited", "quota_exhausted":
            self = refusal(429, "rate_limit_exceeded", type: "rate_limit_error")
            self.retryAfter = failure.retryAfter ?? .seconds(1)
        case "no_capacity": self = trouble(503, retryAfter: .seconds(1))
        case "shutting_down": self = trouble(503, retryAfter: .seconds(1))
        case "deadline_exceeded": self = trouble(504, isFinal: true)
        case "worker_lost": self = trouble(500, isFinal: true)
        case "cancelled":
            self = refusal(409, failure.code)
            isFinal = true
        case "protocol_violation":
            self = refusal(409, "request_conflict")
            isFinal = true
        case "invalid_parameter", "invalid_schema", "empty_prompt", "prompt_text_too_long", "prompt_not_utf8",
            "prompt_token_out_of_range":
            self = refusal(400, failure.code)
        default: self = trouble(500)
        }
    }

    package init(_ error: RequestError, promptField: String = "prompt") {
        self.init(RequestFailure(id: nil, error), promptField: promptField)
    }

    /// The router's names of fields are the socket's.
    private static func parameter(_ name: String?, promptField: String) -> String? {
        switch name {
        case "prompt": promptField
        case "logprobs" where promptField == "messages": "top_logprobs"
        case "key", "tenant": "Authorization"
        case "resume_from": "Last-Event-ID"
        case "json_schema": "response_format"
        default: name
        }
    }
}
