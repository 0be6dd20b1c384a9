import HeddleCore

/// What every object of one answer begins with.
struct AnswerHead: Sendable {
    let endpoint: GenerationRequest.Endpoint
    /// The first prompt's.
    let request: RequestID
    /// Seconds since 1970, when the call came; a stream that is taken up keeps it.
    let created: Int
    /// As the client wrote it.
    let model: String
    /// Digests of the files that answer: the same fingerprint and seed draw the same tokens.
    var fingerprint = ""

    var id: String { (endpoint == .chat ? "chatcmpl-" : "cmpl-") + request.description }

    /// Writes the common members of a whole answer, or of one chunk of a stream.
    func write(to text: inout JSONText, isChunk: Bool) {
        text.member("id", id)
        switch endpoint {
        case .completions: text.member("object", "text_completion")
        case .chat: text.member("object", isChunk ? "chat.completion.chunk" : "chat.completion")
        }
        text.member("created", created)
        text.member("model", model)
        text.member("system_fingerprint", fingerprint)
    }
}

extension AcceptedRequest {
    /// The first digits of the digests of the model's and the adapter's files.
    var fingerprint: String { "fp_\(modelDigest.short)" + (adapter.map { "_\($0.digest.short)" } ?? "") }
}

/// What all prompts of a call used.
struct AnswerUsage: Sendable {
    var promptTokenCount = 0
    var generatedTokenCount = 0
    var cachedTokenCount = 0

    mutating func add(_ finished: FinishedRequest) {
        promptTokenCount += finished.usage.promptTokenCount
        generatedTokenCount += finished.usage.generatedTokenCount
        cachedTokenCount += finished.cachedTokenCount
    }

    func write(to text: inout JSONText) {
        text.member("usage") { text in
            text.member("prompt_tokens", promptTokenCount)
            text.member("completion_tokens", generatedTokenCount)
            text.member("total_tokens", promptTokenCount + generatedTokenCount)
            text.member("prompt_tokens_details") { $0.member("cached_tokens", cachedTokenCount) }
        }
    }
}
