import HeddleCore
import HeddleFiles

/// What a call of `/v1/completions` or `/v1/chat/completions` asks for, read and checked for shape.
package struct GenerationRequest: Sendable {
    package enum Endpoint: Sendable {
        case completions
        case chat

        /// The field that the prompt stands in.
        var promptField: String { self == .chat ? "messages" : "prompt" }
    }

    /// What is to be continued.
    package enum Prompts: Sendable {
        /// Each is answered on its own.
        case plain([ClientSubmission.Prompt])
        case chat(ChatFields)
    }

    package var endpoint: Endpoint
    /// As the client wrote it.
    package var model: String
    package var prompts: Prompts
    /// All but the seed and the length, which may be left to the request's id and to the model's context.
    package var sampling: RequestedSampling
    package var seed: UInt64?
    package var tokenCountMax: Int?
    package var deadline: Duration?
    package var isStreamed: Bool
    package var includesUsage: Bool
    /// Whether the answer's text begins with the prompt's.
    package var echoes: Bool
    package var returnsTokenIDs: Bool
    /// Whether tokens are shown as `token_id:17` in log-probabilities.
    package var namesTokensByID: Bool
    /// Who the client says that its user is, for the log.
    package var labels: [(name: String, text: String)]

    /// Whether log-probabilities of the answer's tokens are shown.
    package var showsLogprobs: Bool { sampling.logprobCount != nil }
    package var choiceCount: Int { sampling.choiceCount }

    /// Reads a body, which may hold anything.
    package init(_ endpoint: Endpoint, body: [UInt8], limits: GatewayLimits) throws(HTTPFailure) {
        self.endpoint = endpoint
        var reader = FieldReader(try Self.object(body, limits: limits))
        guard let model = try reader.text("model"), !model.isEmpty else {
            throw .invalid("model", "model is missing; GET /v1/models lists what there is")
        }
        self.model = model
        seed = try reader.seed()
        sampling = try reader.sampling()
        deadline = try reader.deadline()
        isStreamed = try reader.flag("stream") ?? false
        includesUsage = try Self.includesUsage(&reader, isStreamed: isStreamed)
        echoes = try reader.flag("echo") ?? false
        returnsTokenIDs = try reader.flag("return_token_ids") ?? false
        namesTokensByID = try reader.flag("return_tokens_as_token_ids") ?? false
        labels = try reader.labels(limits: limits)
        let format = UnsupportedField(
            "response_format", "answers are not constrained",
            harmless: [.object(JSONObject([("type", .string(JSONString("text")))]))])
        try format.check(&reader)
        for field in UnsupportedField.common { try field.check(&reader) }
        switch endpoint {
        case .completions:
            tokenCountMax = try reader.integer("max_tokens") ?? 16
            sampling.logprobCount = try reader.integer("logprobs")
            let addsSpecialTokens = UnsupportedField(
                "add_special_tokens", "give token ids to have none added", harmless: [.bool(true)])
            try addsSpecialTokens.check(&reader)
            for field in UnsupportedField.completions { try field.check(&reader) }
            prompts = .plain(try reader.prompts(limits: limits))
        case .chat:
            tokenCountMax = try Self.chatLength(&reader)
            sampling.logprobCount = try Self.chatLogprobs(&reader)
            for field in UnsupportedField.chat { try field.check(&reader) }
            prompts = .chat(try ChatFields(&reader, limits: limits))
        }
        try reader.finish()
        try checkTogether(limits)
    }

    static func object(_ body: [UInt8], limits: GatewayLimits) throws(HTTPFailure) -> JSONObject {
        var json = JSONLimits()
        json.byteCountMax = limits.bodyByteCountMax
        json.depthMax = limits.jsonDepthMax
        json.valueCountMax = limits.jsonValueCountMax
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(body, limits: json)
        } catch {
            throw HTTPFailure(status: 400, message: "the body is not JSON: \(error)", code: "invalid_json")
        }
        guard let object = value.object else {
            throw HTTPFailure(status: 400, message: "the body must be one JSON object", code: "invalid_json")
        }
        return object
    }

    private static func includesUsage(_ reader: inout FieldReader, isStreamed: Bool) throws(HTTPFailure) -> Bool {
        guard let value = reader.value("stream_options") else { return false }
        guard isStreamed else { throw .invalid("stream_options", "stream_options is of no use without stream") }
        var options = try FieldReader(value, at: "stream_options")
        let includes = try options.flag("include_usage") ?? false
        for name in ["continuous_usage_stats", "include_obfuscation"] {
            let field = UnsupportedField(name, "chunks hold the answer alone", harmless: [.bool(false)])
            try field.check(&options)
        }
        try options.finish()
        return includes
    }

    /// OpenAI renamed the field; a program that sends both means the same.
    private static func chatLength(_ reader: inout FieldReader) throws(HTTPFailure) -> Int? {
        let old = try reader.integer("max_tokens")
        let new = try reader.integer("max_completion_tokens")
        if let old, let new, old != new {
            throw .invalid("max_tokens", "max_tokens is \(old) and max_completion_tokens \(new); give one of them")
        }
        return new ?? old
    }

    private static func chatLogprobs(_ reader: inout FieldReader) throws(HTTPFailure) -> Int? {
        let isWanted = try reader.flag("logprobs") ?? false
        let count = try reader.integer("top_logprobs")
        if count != nil, !isWanted { throw .invalid("top_logprobs", "top_logprobs needs logprobs: true") }
        return isWanted ? count ?? 0 : nil
    }

    private func checkTogether(_ limits: GatewayLimits) throws(HTTPFailure) {
        var promptCount = 1
        if case .plain(let prompts) = prompts { promptCount = prompts.count }
        // What n itself may be is the router's to say.
        let (total, overflow) = promptCount.multipliedReportingOverflow(by: max(1, choiceCount))
        if promptCount > 1, overflow || total > limits.choiceCountMax {
            throw .invalid(
                "n",
                "\(promptCount) prompts with n \(choiceCount) are \(total) choices; at most \(limits.choiceCountMax)")
        }
        if isStreamed, sampling.promptLogprobCount != nil {
            throw .invalid("prompt_logprobs", "prompt_logprobs is not streamed; leave stream out")
        }
        if isStreamed, echoes, showsLogprobs {
            throw .invalid("echo", "echo with logprobs is not streamed; leave one of them out")
        }
        if echoes, endpoint == .completions, showsLogprobs, sampling.promptLogprobCount != nil {
            throw .invalid("prompt_logprobs", "echo with logprobs shows them already; leave prompt_logprobs out")
        }
    }

    /// What is asked of the router for one prompt.
    package func submission(
        id: RequestID, key: String, prompt: ClientSubmission.Prompt, tokenCountMax: Int, resumeFrom: [Int]?,
        limits: GatewayLimits
    ) -> ClientSubmission {
        var sampling = sampling
        // As on the socket: the same call under the same id draws the same tokens.
        sampling.seed = seed ?? id.low
        sampling.tokenCountMax = tokenCountMax
        if endpoint == .completions, echoes, let count = sampling.logprobCount { sampling.promptLogprobCount = count }
        return ClientSubmission(
            id: id, key: key, model: model, prompt: prompt, sampling: sampling, deadline: deadline,
            creditTokens: isStreamed ? limits.windowTokens : nil, resumeFrom: resumeFrom,
            echoesPrompt: echoes || returnsTokenIDs || sampling.promptLogprobCount != nil)
    }
}
