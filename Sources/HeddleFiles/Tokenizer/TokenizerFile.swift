/// Reads a tokenizer.json of the byte-level byte-pair family: every part is understood, or refused by name.
struct TokenizerFile {
    var model: BytePairModel
    var tokenBytes: [[UInt8]]
    var addedTokens: [AddedToken]
    var preTokenizer: PreTokenizer
    var normalizes: Bool
    /// What a template sets before and behind every text.
    var prefix: [Int32]
    var suffix: [Int32]

    init(_ value: JSONValue, file: String, limits: TokenizerLimits) throws(TokenizerError) {
        let root = TokenizerPart(value: value, file: file, path: "")
        try root.check(
            fields: [
                "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
                "decoder",
                "model",
            ])
        for field in ["truncation", "padding"] {
            let part = root[field]
            guard part.isNull else { throw part.unsupported("null is: the engine sees every prompt whole") }
        }
        normalizes = try Self.normalizes(root["normalizer"], limits: limits)
        preTokenizer = PreTokenizer(steps: try PreTokenizerReader.steps(root["pre_tokenizer"], limits: limits))
        try Self.checkDecoder(root["decoder"])
        let vocabulary = try VocabularyReader(root["model"], limits: limits)
        model = vocabulary.model
        tokenBytes = vocabulary.tokenBytes
        addedTokens = try AddedTokenReader.tokens(
            root["added_tokens"], vocabulary: vocabulary, normalizes: normalizes, limits: limits)
        for token in addedTokens {
            let index = Int(token.id)
            if index >= tokenBytes.count {
                tokenBytes += Array(repeating: [], count: index + 1 - tokenBytes.count)
            }
            // The crate's decoder reads every token in the byte alphabet first, added ones too.
            tokenBytes[index] = ByteAlphabet.bytes(of: JSONString(token.content)) ?? token.content
        }
        (prefix, suffix) = try TemplateReader.affixes(
            root["post_processor"], tokenCount: tokenBytes.count, limits: limits)
    }

    private static func normalizes(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> Bool {
        if part.isNull { return false }
        switch try part.type() {
        case "NFC":
            try part.check(fields: ["type"])
            return true
        case "Sequence":
            try part.check(fields: ["type", "normalizers"])
            var found = false
            for inner in try part["normalizers"].elements(countMax: limits.stepCountMax) {
                if try normalizes(inner, limits: limits) { found = true }
            }
            return found
        default: throw part.unsupported("NFC and Sequence are")
        }
    }

    private static func checkDecoder(_ part: TokenizerPart) throws(TokenizerError) {
        guard !part.isNull, try part.type() == "ByteLevel" else { throw part.unsupported("ByteLevel is") }
        try part.check(fields: ["type", "add_prefix_space", "trim_offsets", "use_regex"])
    }
}

/// One value of the file with the path that leads to it, for complaints.
struct TokenizerPart {
    let value: JSONValue
    let file: String
    let path: String

    var isNull: Bool { value == .null }

    /// The part of this name; a missing one is null.
    subscript(_ field: String) -> TokenizerPart {
        TokenizerPart(
            value: value.object?[field] ?? .null, file: file, path: path.isEmpty ? field : path + "." + field)
    }

    func type() throws(TokenizerError) -> String {
        guard let type = value.object?["type"]?.text else { throw invalid("the field “type” is missing") }
        return type
    }

    func check(fields: [String]) throws(TokenizerError) {
        guard case .object(let object) = value else { throw invalid("it is no object") }
        for member in object.members where !fields.contains(where: { member.key.equals($0) }) {
            throw self[member.key.description].unsupported("the field is unknown and may change the tokens")
        }
    }

    func elements(countMax: Int) throws(TokenizerError) -> [TokenizerPart] {
        guard case .array(let elements) = value else { throw invalid("it is no list") }
        guard elements.count <= countMax else {
            throw invalid("it has \(elements.count) elements; at most \(countMax) are read")
        }
        return elements.enumerated().map { TokenizerPart(value: $1, file: file, path: "\(path)[\($0)]") }
    }

    /// A truth value; missing and null are `fallback`.
    func bool(default fallback: Bool) throws(TokenizerError) -> Bool {
        if isNull { return fallback }
        guard let truth = value.bool else { throw invalid("\(value) is neither true nor false") }
        return truth
    }

    func token(limits: TokenizerLimits) throws(TokenizerError) -> Int32 {
        guard let id = value.integer, (0..<limits.tokenCountMax).contains(id) else {
            throw invalid("\(value) is no token from 0 to \(limits.tokenCountMax - 1)")
        }
        return Int32(id)
    }

    func unsupported(_ supported: String) -> TokenizerError {
        .unsupported(file: file, part: path, value: value.description, supported: supported)
    }

    func invalid(_ reason: String) -> TokenizerError { .invalid(file: file, part: path, reason: reason) }
}
