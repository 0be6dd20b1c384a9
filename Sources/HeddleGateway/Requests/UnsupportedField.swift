import HeddleFiles

/// A field of OpenAI's or vLLM's API that Heddle does not have: refused by name, unless its value asks for nothing.
package struct UnsupportedField: Sendable {
    package let name: String
    /// Values that mean what happens anyway.
    let harmless: [JSONValue]
    package let reason: String

    init(_ name: String, _ reason: String, harmless: [JSONValue] = []) {
        self.name = name
        self.reason = reason
        self.harmless = harmless
    }

    func check(_ reader: inout FieldReader) throws(HTTPFailure) {
        guard let value = reader.value(name), !harmless.contains(where: { Self.means($0, value) }) else { return }
        let path = reader.path(name)
        let allowed =
            harmless.isEmpty ? "" : "; it may only be \(harmless.map(\.description).joined(separator: " or "))"
        throw .unsupported(path, "\(path) is not supported: \(reason)\(allowed)")
    }

    private static func means(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if let left = left.number, let right = right.number { return left == right }
        return left == right
    }
}

extension UnsupportedField {
    private static func word(_ text: String) -> JSONValue { .string(JSONString(text)) }

    /// Of both endpoints.
    package static let common: [UnsupportedField] = [
        UnsupportedField("use_beam_search", "tokens are drawn, one after the other", harmless: [.bool(false)]),
        UnsupportedField("length_penalty", "it belongs to beam search", harmless: [.integer(1)]),
        UnsupportedField("early_stopping", "it belongs to beam search", harmless: [.bool(false)]),
        UnsupportedField(
            "include_stop_str_in_output", "a stop text is never part of the answer", harmless: [.bool(false)]),
        UnsupportedField(
            "skip_special_tokens", "control tokens are never part of the text; return_token_ids shows them",
            harmless: [.bool(true)]),
        UnsupportedField(
            "spaces_between_special_tokens", "control tokens are never part of the text", harmless: [.bool(true)]),
        UnsupportedField("truncate_prompt_tokens", "a prompt is answered whole or refused"),
        UnsupportedField("allowed_token_ids", "use logit_bias"),
        UnsupportedField("bad_words", "use logit_bias", harmless: [.array([])]),
        UnsupportedField("logits_processors", "no code of a client's is run", harmless: [.array([])]),
        UnsupportedField("structured_outputs", "answers are not constrained"),
        UnsupportedField("guided_json", "answers are not constrained"),
        UnsupportedField("guided_regex", "answers are not constrained"),
        UnsupportedField("guided_choice", "answers are not constrained"),
        UnsupportedField("guided_grammar", "answers are not constrained"),
        UnsupportedField("guided_decoding_backend", "answers are not constrained"),
        UnsupportedField("guided_whitespace_pattern", "answers are not constrained"),
        UnsupportedField("kv_transfer_params", "keys and values stay within a worker group"),
        UnsupportedField("vllm_xargs", "there are no such extensions", harmless: [.object(JSONObject([]))]),
        UnsupportedField("priority", "tenants are served by their shares", harmless: [.integer(0)]),
        UnsupportedField("mm_processor_kwargs", "models read text alone"),
        UnsupportedField("prompt_cache_key", "nothing is routed by it"),
        UnsupportedField("prompt_cache_retention", "nothing is kept by it"),
        UnsupportedField("request_id", "give the header Idempotency-Key"),
        UnsupportedField("metadata", "answers are not stored", harmless: [.object(JSONObject([]))]),
        UnsupportedField("store", "answers are not stored", harmless: [.bool(false)]),
        UnsupportedField(
            "service_tier", "there is one tier", harmless: [word("auto"), word("default")]),
    ]

    package static let completions: [UnsupportedField] = [
        UnsupportedField("suffix", "text is continued, not filled in", harmless: [word("")]),
        UnsupportedField("prompt_embeds", "prompts are text or tokens"),
    ]

    package static let chat: [UnsupportedField] = [
        UnsupportedField("functions", "use tools"),
        UnsupportedField("function_call", "use tools"),
        UnsupportedField(
            "parallel_tool_calls", "what a model says with tools is its template's business", harmless: [.bool(true)]),
        UnsupportedField("modalities", "models write text alone", harmless: [.array([word("text")])]),
        UnsupportedField("audio", "models write text alone"),
        UnsupportedField("prediction", "nothing is made of it"),
        UnsupportedField("web_search_options", "nothing is searched"),
        UnsupportedField("reasoning_effort", "give the template's own variable in chat_template_kwargs"),
        UnsupportedField("verbosity", "give the template's own variable in chat_template_kwargs"),
        UnsupportedField("chat_template", "no template of a client's is run"),
        UnsupportedField(
            "continue_final_message", "the last message is answered, not continued", harmless: [.bool(false)]),
    ]
}
