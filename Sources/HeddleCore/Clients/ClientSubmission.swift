/// A request as a client states it: read and checked for shape, not yet admitted. Admission makes a `Submission` of it.
public struct ClientSubmission: Hashable, Sendable {
    /// Chosen by the client; the same id again takes the same request's stream up.
    public var id: RequestID
    /// The tenant's key as it was sent; nil where none was.
    public var key: String?
    /// The tenant that the client believes it is; nil: whoever the key belongs to.
    public var tenant: TenantName?
    /// An adapter, a base model or `base:adapter`, in bounds but not looked up; empty: the router's only model.
    public var model: String
    public var prompt: Prompt
    public var sampling: RequestedSampling
    /// Life of the request from when the router reads it; nil: the router's own limit.
    public var deadline: Duration?
    /// Tokens that may be sent before more credit; nil: all of them.
    public var creditTokens: Int?
    /// For each choice, the index of the first token to send. As many as there are choices.
    public var resumeFrom: [Int]
    /// Whether `AcceptedRequest` is to carry the prompt's tokens.
    public var echoesPrompt: Bool

    public init(
        id: RequestID, key: String? = nil, tenant: TenantName? = nil, model: String = "", prompt: Prompt,
        sampling: RequestedSampling = RequestedSampling(), deadline: Duration? = nil, creditTokens: Int? = nil,
        resumeFrom: [Int]? = nil, echoesPrompt: Bool = false
    ) {
        self.id = id
        self.key = key
        self.tenant = tenant
        self.model = model
        self.prompt = prompt
        self.sampling = sampling
        self.deadline = deadline
        self.creditTokens = creditTokens
        self.echoesPrompt = echoesPrompt
        self.resumeFrom = resumeFrom ?? Array(repeating: 0, count: max(0, sampling.choiceCount))
    }

    /// What a request asks to continue.
    public enum Prompt: Hashable, Sendable {
        case text(String)
        case tokens([TokenID])
    }

    /// The first value that cannot be served by any router of these limits; nil when all can.
    ///
    /// The client's library asks before it sends, the wire decoder when it has read.
    public func firstError(limits: ClientLimits) -> RequestError? {
        switch prompt {
        case .text(let text):
            if text.isEmpty { return .emptyPrompt }
            if text.utf8.count > limits.request.promptByteCountMax {
                return .promptTextTooLong(byteCount: text.utf8.count, byteCountMax: limits.request.promptByteCountMax)
            }
        case .tokens(let tokens):
            if tokens.isEmpty { return .emptyPrompt }
            if tokens.count > limits.promptTokenCountMax {
                return .promptTooLong(tokenCount: tokens.count, tokenCountMax: limits.promptTokenCountMax)
            }
            if let token = tokens.first(where: { $0 < 0 }) {
                return .promptTokenOutOfRange(token: token, vocabularyCount: Int(TokenID.max))
            }
        }
        if let error = sampling.firstError(limits: limits.request) { return error }
        if let tenant, !TenantName.isValid(tenant.text) {
            return invalid("tenant", "\(tenant.text.utf8.count) bytes", "1 to 128 letters, digits, “-”, “_” or “.”")
        }
        if let key, !(1...limits.keyByteCountMax).contains(key.utf8.count) { return .wrongKey }
        if model.utf8.count > limits.modelByteCountMax {
            return invalid("model", "\(model.utf8.count) bytes", "a name of at most \(limits.modelByteCountMax) bytes")
        }
        if model.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return invalid("model", "a text with control characters", "a name")
        }
        if let deadline, deadline <= .zero || deadline > limits.request.deadlineMax {
            return invalid("deadline", "\(deadline)", "above 0 and at most \(limits.request.deadlineMax)")
        }
        if let creditTokens, !(1...limits.creditTokensMax).contains(creditTokens) {
            return invalid("credit_tokens", "\(creditTokens)", "a whole number from 1 to \(limits.creditTokensMax)")
        }
        if resumeFrom.count != sampling.choiceCount {
            return invalid("resume_from", "\(resumeFrom.count) indices", "empty or one index for each of n choices")
        }
        if let index = resumeFrom.first(where: { !(0...(sampling.tokenCountMax ?? .max)).contains($0) }) {
            return invalid("resume_from", "\(index)", "an index from 0 to max_tokens")
        }
        return nil
    }

    private func invalid(_ name: String, _ value: String, _ rule: String) -> RequestError {
        .invalidParameter(name: name, value: value, rule: rule)
    }
}
