import HeddleCore

/// Writes answers in the forms of OpenAI's two endpoints, whole or in chunks.
struct AnswerWriter: Sendable {
    let request: GenerationRequest
    var head: AnswerHead
    let spelling: TokenSpelling

    // MARK: Whole

    func whole(_ parts: [AnswerPart], prompts: [AnsweredPrompt], usage: AnswerUsage) -> [UInt8] {
        var text = JSONText()
        text.object { text in
            head.write(to: &text, isChunk: false)
            text.member("choices", array: parts) { text, part in
                text.object { write(part, prompt: prompts[part.choice / max(1, request.choiceCount)], to: &$0) }
            }
            usage.write(to: &text)
            if request.endpoint == .chat, let prompt = prompts.first {
                if request.sampling.promptLogprobCount != nil { spelling.writePrompt(prompt.logprobs, to: &text) }
                if request.returnsTokenIDs { text.member("prompt_token_ids", array: prompt.tokens) { $0.value($1) } }
            }
        }
        return text.bytes
    }

    private func write(_ part: AnswerPart, prompt: AnsweredPrompt, to text: inout JSONText) {
        text.member("index", part.choice)
        let body = (request.echoes ? prompt.text : "") + part.text
        switch request.endpoint {
        case .chat:
            text.member("message") { text in
                text.member("role", "assistant")
                text.member("content", body)
                text.null("refusal")
            }
            if request.showsLogprobs { spelling.writeChat(part.logprobs, to: &text) } else { text.null("logprobs") }
        case .completions:
            text.member("text", body)
            if request.showsLogprobs {
                var offset = 0
                let echoed = request.echoes ? prompt : AnsweredPrompt()
                let first: [TokenLogprobs?] = echoed.tokens.isEmpty ? [] : [nil]
                spelling.writeCompletion(
                    echoed.tokens + part.tokens, first + echoed.logprobs + part.logprobs, textOffset: &offset, to: &text
                )
            } else {
                text.null("logprobs")
            }
            if request.sampling.promptLogprobCount != nil { spelling.writePrompt(prompt.logprobs, to: &text) }
            if request.returnsTokenIDs { text.member("prompt_token_ids", array: prompt.tokens) { $0.value($1) } }
        }
        if request.returnsTokenIDs { text.member("token_ids", array: part.tokens) { $0.value($1) } }
        text.member("finish_reason", part.finish?.description)
    }

    // MARK: Chunks

    /// What a choice's stream begins with: the speaker, and the prompt where it is echoed; nil where there is nothing to say.
    func opening(choice: Int, prompt: AnsweredPrompt) -> JSONText? {
        guard request.endpoint == .chat || request.echoes else { return nil }
        var part = AnswerPart(choice: choice)
        if request.echoes { part.text = prompt.text }
        var offset = 0
        return chunk(part, isOpening: true, textOffset: &offset)
    }

    /// - Parameter textOffset: where the part's text begins; moved behind it.
    func chunk(_ part: AnswerPart, isOpening: Bool = false, textOffset: inout Int) -> JSONText {
        var text = JSONText()
        text.object { text in
            head.write(to: &text, isChunk: true)
            text.key("choices")
            text.array { text in
                text.object { text in
                    text.member("index", part.choice)
                    switch request.endpoint {
                    case .chat:
                        text.member("delta") { text in
                            if isOpening { text.member("role", "assistant") }
                            text.member("content", part.text)
                        }
                        if request.showsLogprobs, !isOpening {
                            spelling.writeChat(part.logprobs, to: &text)
                        } else {
                            text.null("logprobs")
                        }
                    case .completions:
                        text.member("text", part.text)
                        if request.showsLogprobs, !isOpening {
                            spelling.writeCompletion(
                                part.tokens, part.logprobs, textOffset: &textOffset, to: &text)
                        } else {
                            text.null("logprobs")
                        }
                    }
                    if request.returnsTokenIDs { text.member("token_ids", array: part.tokens) { $0.value($1) } }
                    text.member("finish_reason", part.finish?.description)
                }
            }
            if request.includesUsage { text.null("usage") }
        }
        return text
    }

    /// The last chunk, where usage is wanted.
    func closing(_ usage: AnswerUsage) -> JSONText {
        var text = JSONText()
        text.object { text in
            head.write(to: &text, isChunk: true)
            text.member("choices", array: [Int]()) { $0.value($1) }
            usage.write(to: &text)
        }
        return text
    }
}
