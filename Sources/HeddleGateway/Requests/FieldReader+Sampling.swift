import HeddleCore
import HeddleFiles

extension FieldReader {
    /// How tokens are drawn, as far as both endpoints say it alike. What is left out is the model's default;
    /// ranges are checked by admission, like everybody's.
    mutating func sampling() throws(HTTPFailure) -> RequestedSampling {
        var sampling = RequestedSampling()
        sampling.temperature = try number("temperature")
        sampling.topP = try number("top_p")
        // vLLM says −1 for all.
        sampling.topK = try integer("top_k").map { $0 == -1 ? 0 : $0 }
        sampling.minP = try number("min_p")
        sampling.typicalP = try number("typical_p")
        sampling.repetitionPenalty = try number("repetition_penalty")
        if let value = try number("presence_penalty") { sampling.presencePenalty = value }
        if let value = try number("frequency_penalty") { sampling.frequencyPenalty = value }
        sampling.logitBias = try logitBias()
        if let value = try integer("n") { sampling.choiceCount = value }
        sampling.bestOf = try integer("best_of")
        sampling.tokenCountMin = try integer("min_tokens")
        sampling.stopStrings = try stops()
        sampling.stopTokens = try tokens("stop_token_ids") ?? []
        if let value = try flag("ignore_eos") { sampling.ignoresEndTokens = value }
        sampling.promptLogprobCount = try integer("prompt_logprobs")
        return sampling
    }

    /// Any 64 bits; a negative number is its two's complement.
    mutating func seed() throws(HTTPFailure) -> UInt64? {
        try integer("seed").map { UInt64(bitPattern: Int64($0)) }
    }

    /// In seconds; what is too long is the router's to say.
    mutating func deadline() throws(HTTPFailure) -> Duration? {
        guard let seconds = try number("deadline") else { return nil }
        guard seconds > 0, seconds <= 1e6 else {
            throw .invalid("deadline", "deadline is \(seconds); it must be seconds above 0")
        }
        return .seconds(Double(seconds))
    }

    private mutating func stops() throws(HTTPFailure) -> [String] {
        guard let value = value("stop") else { return [] }
        if let one = value.text { return [one] }
        guard let list = value.array else {
            throw .invalid(path("stop"), "\(path("stop")) is \(value); it must be a text or a list of texts")
        }
        var stops: [String] = []
        for (index, element) in list.enumerated() {
            guard let text = element.text else {
                throw .invalid(path("stop"), "\(path("stop"))[\(index)] is \(element); it must be a text")
            }
            stops.append(text)
        }
        return stops
    }

    mutating func tokens(_ name: String) throws(HTTPFailure) -> [TokenID]? {
        guard let list = try list(name) else { return nil }
        return try Self.tokens(list, at: path(name))
    }

    static func tokens(_ list: [JSONValue], at path: String) throws(HTTPFailure) -> [TokenID] {
        var tokens: [TokenID] = []
        tokens.reserveCapacity(list.count)
        for (index, element) in list.enumerated() {
            guard let number = element.integer, let token = TokenID(exactly: number), token >= 0 else {
                throw .invalid(path, "\(path)[\(index)] is \(element); it must be a token id")
            }
            tokens.append(token)
        }
        return tokens
    }

    /// By token, each once, as the sampler wants it.
    private mutating func logitBias() throws(HTTPFailure) -> [SamplingParameters.LogitBias] {
        guard let object = try object("logit_bias") else { return [] }
        var biases: [SamplingParameters.LogitBias] = []
        for member in object.members {
            let path = path("logit_bias")
            guard let token = TokenID(member.key.description), token >= 0 else {
                throw .invalid(path, "\(path) names “\(member.key.description.prefix(64))”, which is no token id")
            }
            guard let bias = member.value.number else {
                throw .invalid(path, "\(path)[\(token)] is \(member.value); it must be a number")
            }
            biases.append(SamplingParameters.LogitBias(token: token, bias: Float(bias)))
        }
        biases.sort { $0.token < $1.token }
        return biases
    }

    /// A text, a list of texts, token ids, or a list of lists of token ids.
    mutating func prompts(limits: GatewayLimits) throws(HTTPFailure) -> [ClientSubmission.Prompt] {
        let rule = "a text, a list of texts, a list of token ids, or a list of such lists"
        guard let value = value("prompt") else { throw .invalid("prompt", "prompt is missing; it must be \(rule)") }
        if let text = value.text { return [.text(text)] }
        guard let list = value.array else { throw .invalid("prompt", "prompt is \(value); it must be \(rule)") }
        guard let first = list.first else { throw .invalid("prompt", "prompt is an empty list") }
        if first.number != nil { return [.tokens(try Self.tokens(list, at: "prompt"))] }
        guard list.count <= limits.promptCountMax else {
            throw .invalid("prompt", "there are \(list.count) prompts; at most \(limits.promptCountMax) in one call")
        }
        var prompts: [ClientSubmission.Prompt] = []
        for (index, element) in list.enumerated() {
            if let text = element.text {
                prompts.append(.text(text))
            } else if let tokens = element.array {
                prompts.append(.tokens(try Self.tokens(tokens, at: "prompt[\(index)]")))
            } else {
                throw .invalid("prompt", "prompt[\(index)] is \(element); prompt must be \(rule)")
            }
        }
        return prompts
    }

    /// Who a client says that its user is.
    mutating func labels(limits: GatewayLimits) throws(HTTPFailure) -> [(name: String, text: String)] {
        var labels: [(name: String, text: String)] = []
        for name in ["user", "safety_identifier"] {
            guard let text = try text(name) else { continue }
            guard text.utf8.count <= limits.labelByteCountMax,
                !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else {
                throw .invalid(
                    name, "\(name) must have at most \(limits.labelByteCountMax) bytes and no control characters")
            }
            labels.append((name, text))
        }
        return labels
    }
}
