import HeddleCore
import HeddleFiles

/// How tokens are shown in log-probabilities.
struct TokenSpelling: Sendable {
    let tokenizer: Tokenizer
    /// `token_id:17`, for programs that want to be told apart what looks alike.
    let isByID: Bool

    func text(_ token: TokenID) -> String {
        isByID ? "token_id:\(token)" : String(decoding: tokenizer.tokenBytes(token), as: UTF8.self)
    }

    func bytes(_ token: TokenID) -> [UInt8] { tokenizer.tokenBytes(token) }
}

extension TokenSpelling {
    /// `logprobs` of a choice of `/v1/chat/completions`.
    func writeChat(_ logprobs: [TokenLogprobs], to text: inout JSONText) {
        text.member("logprobs") { text in
            text.member("content", array: logprobs) { text, entry in
                text.object { text in
                    write(entry.token, entry.logprob, to: &text)
                    text.member("top_logprobs", array: entry.top) { text, top in
                        text.object { text in write(top.token, top.logprob, to: &text) }
                    }
                }
            }
            text.null("refusal")
        }
    }

    private func write(_ token: TokenID, _ logprob: Float, to text: inout JSONText) {
        text.member("token", self.text(token))
        text.key("logprob")
        text.value(logprob: logprob)
        text.member("bytes", array: bytes(token)) { $0.value($1) }
    }

    /// `logprobs` of a choice of `/v1/completions`; an entry that is nil is the prompt's first token, which nothing foretells.
    ///
    /// - Parameter textOffset: where the first token's text begins; moved behind the last one's.
    func writeCompletion(
        _ tokens: [TokenID], _ logprobs: [TokenLogprobs?], textOffset: inout Int, to text: inout JSONText
    ) {
        let spelled = tokens.map { String(decoding: tokenizer.tokenBytes($0), as: UTF8.self) }
        var offsets: [Int] = []
        for spelling in spelled {
            offsets.append(textOffset)
            textOffset += spelling.unicodeScalars.count
        }
        text.member("logprobs") { text in
            text.member("tokens", array: tokens) { $0.value(self.text($1)) }
            text.member("token_logprobs", array: logprobs) { text, entry in
                if let entry { text.value(logprob: entry.logprob) } else { text.null() }
            }
            text.member("top_logprobs", array: logprobs) { text, entry in
                guard let entry else { return text.null() }
                text.object { writeTop(entry, to: &$0) }
            }
            text.member("text_offset", array: offsets) { $0.value($1) }
        }
    }

    /// The likeliest tokens, and the one that came where it is not among them, by their texts; of those that look alike, the
    /// likeliest.
    private func writeTop(_ entry: TokenLogprobs, to text: inout JSONText) {
        var seen: Set<[UInt8]> = []
        let own = TokenLogprobs.Entry(token: entry.token, logprob: entry.logprob)
        for top in entry.top + (entry.top.contains { $0.token == entry.token } ? [] : [own]) {
            let spelling = self.text(top.token)
            guard seen.insert(Array(spelling.utf8)).inserted else { continue }
            text.key(spelling)
            text.value(logprob: top.logprob)
        }
    }

    /// vLLM's `prompt_logprobs`: for each token of the prompt the likeliest ones and itself, by id; null for the first.
    func writePrompt(_ logprobs: [TokenLogprobs], to text: inout JSONText) {
        text.key("prompt_logprobs")
        text.array { text in
            text.null()
            for entry in logprobs {
                text.object { text in
                    for (rank, top) in entry.top.enumerated() { write(top, rank: rank + 1, to: &text) }
                    if !entry.top.contains(where: { $0.token == entry.token }) {
                        let own = TokenLogprobs.Entry(token: entry.token, logprob: entry.logprob)
                        write(own, rank: nil, to: &text)
                    }
                }
            }
        }
    }

    /// - Parameter rank: nil where it is only known that others are likelier.
    private func write(_ entry: TokenLogprobs.Entry, rank: Int?, to text: inout JSONText) {
        text.member("\(entry.token)") { text in
            text.key("logprob")
            text.value(logprob: entry.logprob)
            if let rank { text.member("rank", rank) } else { text.null("rank") }
            text.member("decoded_token", String(decoding: bytes(entry.token), as: UTF8.self))
        }
    }
}
