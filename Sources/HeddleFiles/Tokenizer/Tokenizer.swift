import HeddleCore

/// Turns text into tokens and tokens into text exactly as the `tokenizers` library does with the same tokenizer.json:
/// byte-level byte pairs (GPT-2, Llama 3, Qwen), SentencePiece's byte pairs (Llama 2, Mistral, Gemma, Phi-3), unigrams (T5,
/// XLM-R) and whole words. Encoding takes n log n time whatever the text holds.
public struct Tokenizer: Sendable {
    private let parts: Parts

    /// Immutable and shared by every copy.
    private final class Parts: Sendable {
        let file: TokenizerFile
        /// What text says before it is normalised, and after.
        let rawTokens: AddedTokenFinder
        let normalizedTokens: AddedTokenFinder
        let isSpecial: [Bool]
        let idByContent: [JSONString: TokenID]

        /// What is put into the decoder for each token; nil where there is none.
        let decoderInputs: [[UInt8]?]
        /// Spellings of added tokens that are decoded otherwise.
        let spellings: [TokenID: [UInt8]]

        init(_ file: TokenizerFile) {
            self.file = file
            rawTokens = AddedTokenFinder(file.addedTokens.filter { !$0.isNormalized })
            normalizedTokens = AddedTokenFinder(file.addedTokens.filter(\.isNormalized))
            var ids: [JSONString: TokenID] = [:]
            var spellings: [TokenID: [UInt8]] = [:]
            for token in file.addedTokens {
                ids[JSONString(token.spelling)] = token.id
                if token.spelling != token.content { spellings[token.id] = token.spelling }
            }
            idByContent = ids
            self.spellings = spellings
            // The crate knows control tokens by their spelling, and looks for it in what it decodes.
            let control = Set(file.addedTokens.filter(\.isSpecial).map { JSONString($0.spelling) })
            isSpecial = file.texts.map { text in text.map { control.contains(JSONString($0)) } ?? false }
            decoderInputs = file.texts.map { text in text.map { file.decoder.prepared($0) } }
        }
    }

    /// Reads the tokenizer.json at `path`, or the one in the folder at `path`.
    public init(path: String, limits: TokenizerLimits = TokenizerLimits()) throws(TokenizerError) {
        let file = try Self.map(path, limits: limits)
        let value: JSONValue
        do throws(JSONError) {
            value = try file.withUnsafeBytes { (bytes) throws(JSONError) in
                try JSONParser.parse(bytes, limits: limits.json)
            }
        } catch { throw .notJSON(file: file.path, error) }
        parts = Parts(try TokenizerFile(value, file: file.path, limits: limits))
    }

    /// Reads the text of a tokenizer.json; `name` stands for it in errors.
    public init(
        json: [UInt8], name: String = "tokenizer.json", limits: TokenizerLimits = TokenizerLimits()
    ) throws(TokenizerError) {
        let value: JSONValue
        do { value = try JSONParser.parse(json, limits: limits.json) } catch { throw .notJSON(file: name, error) }
        parts = Parts(try TokenizerFile(value, file: name, limits: limits))
    }

    /// The largest token id plus one; some ids below may stand for no token.
    public var tokenCount: Int { parts.file.texts.count }

    /// The bytes that a token adds to a text behind another token, which need not be whole characters; empty for an id
    /// without a token.
    public func tokenBytes(_ token: TokenID) -> [UInt8] {
        decoderInput(token).map { parts.file.decoder.bytesBehindAnother($0) } ?? []
    }

    /// The token as the file spells it, such as `▁the`, `Ġthe`, `<0x0A>` or `<|eot_id|>`; nil for an id without a token.
    public func tokenText(_ token: TokenID) -> String? {
        guard token >= 0, Int(token) < parts.file.texts.count, let text = parts.file.texts[Int(token)] else {
            return nil
        }
        return String(decoding: parts.spellings[token] ?? text, as: UTF8.self)
    }

    var decoder: DecoderChain { parts.file.decoder }

    /// What is put into the decoder for a token; nil for an id without a token.
    func decoderInput(_ token: TokenID) -> [UInt8]? {
        token >= 0 && Int(token) < parts.decoderInputs.count ? parts.decoderInputs[Int(token)] : nil
    }

    /// Whether the token is a control token, which decoding leaves out where asked.
    public func isSpecial(_ token: TokenID) -> Bool {
        token >= 0 && Int(token) < parts.isSpecial.count && parts.isSpecial[Int(token)]
    }

    /// The added token of exactly this text, such as `<|eot_id|>`; nil where there is none.
    public func addedToken(_ content: String) -> TokenID? { parts.idByContent[JSONString(content)] }

    /// The tokens of a text.
    ///
    /// - Parameters:
    ///   - addSpecialTokens: whether the template's tokens, such as a begin token, are set around the text.
    ///   - parseSpecialTokens: whether control tokens spelled out in the text become those tokens, which is what
    ///     `tokenizers` does; false reads them as any other text, so that a text cannot forge them.
    public func encode(
        _ text: String, addSpecialTokens: Bool = true, parseSpecialTokens: Bool = true
    ) -> [TokenID] {
        var text = text
        return text.withUTF8 { encode(checked: $0, addSpecialTokens, parseSpecialTokens) }
    }

    /// The tokens of UTF-8 bytes, as for a text.
    ///
    /// - Throws: `TokenizerError.notUTF8` with the offset of the first byte that is not.
    public func encode(
        utf8 bytes: some Collection<UInt8>, addSpecialTokens: Bool = true, parseSpecialTokens: Bool = true
    ) throws(TokenizerError) -> [TokenID] {
        let bytes = Array(bytes)
        if let offset = UTF8Check.firstInvalid(bytes) { throw .notUTF8(byteOffset: offset) }
        return bytes.withUnsafeBufferPointer { encode(checked: $0, addSpecialTokens, parseSpecialTokens) }
    }

    /// The text of tokens. Bytes that are no UTF-8 become U+FFFD; ids without a token are left out.
    public func decode(_ tokens: some Sequence<TokenID>, skipSpecialTokens: Bool = true) -> String {
        var decoder = IncrementalDecoder(self, skipSpecialTokens: skipSpecialTokens)
        var bytes: [UInt8] = []
        for token in tokens { decoder.push(token, into: &bytes) }
        decoder.finish(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func map(_ path: String, limits: TokenizerLimits) throws(TokenizerError) -> MappedFile {
        do throws(FileError) {
            return try MappedFile(path: path, byteCountMax: limits.json.byteCountMax)
        } catch {
            guard case .notRegular = error else { throw .file(error) }
        }
        let inside = path + (path.utf8.last == UInt8(ascii: "/") ? "" : "/") + "tokenizer.json"
        do { return try MappedFile(path: inside, byteCountMax: limits.json.byteCountMax) } catch { throw .file(error) }
    }

    private func encode(
        checked bytes: UnsafeBufferPointer<UInt8>, _ addSpecialTokens: Bool, _ parseSpecialTokens: Bool
    ) -> [TokenID] {
        var tokens: [TokenID] = addSpecialTokens ? parts.file.prefix : []
        var scratch = TokenModel.Scratch()
        for piece in parts.rawTokens.pieces(of: bytes, parseSpecialTokens: parseSpecialTokens) {
            switch piece {
            case .token(let token): tokens.append(token)
            case .text(let range):
                let text = UnsafeBufferPointer(rebasing: bytes[range])
                let startsAtOrigin = range.lowerBound == 0
                guard !parts.file.normalizer.leavesUnchanged(text) else {
                    encode(normalized: text, startsAtOrigin, parseSpecialTokens, &scratch, &tokens)
                    continue
                }
                let normal = parts.file.normalizer.normalized(
                    Normalizer.Text(bytes: Array(text), startsAtOrigin: startsAtOrigin))
                normal.bytes.withUnsafeBufferPointer {
                    encode(normalized: $0, normal.startsAtOrigin, parseSpecialTokens, &scratch, &tokens)
                }
            }
        }
        if addSpecialTokens { tokens += parts.file.suffix }
        return tokens
    }

    private func encode(
        normalized bytes: UnsafeBufferPointer<UInt8>, _ startsAtOrigin: Bool, _ parseSpecialTokens: Bool,
        _ scratch: inout TokenModel.Scratch, _ tokens: inout [TokenID]
    ) {
        for piece in parts.normalizedTokens.pieces(of: bytes, parseSpecialTokens: parseSpecialTokens) {
            switch piece {
            case .token(let token): tokens.append(token)
            case .text(let range):
                parts.file.preTokenizer.forEachWord(
                    of: UnsafeBufferPointer(rebasing: bytes[range]),
                    startsAtOrigin: startsAtOrigin && range.lowerBound == 0
                ) { word in
                    parts.file.model.encode(word, scratch: &scratch, into: &tokens)
                }
            }
        }
    }
}
