/// Reads the model of a tokenizer.json: which bytes each token stands for, and which pairs become one.
struct VocabularyReader {
    let model: BytePairModel
    /// By id; empty where there is no token.
    let tokenBytes: [[UInt8]]
    /// Entries of the vocabulary, which is where the crate starts to number added tokens.
    let count: Int
    /// Tokens with a character outside the byte alphabet, which no merge makes.
    private let otherTokens: [JSONString: Int32]

    init(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) {
        // Old files do not name the type.
        let type = part["type"]
        guard type.isNull || type.value.text == "BPE" else { throw type.unsupported("BPE is") }
        try part.check(
            fields: [
                "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                "byte_fallback", "ignore_merges", "vocab", "merges",
            ])
        guard part["dropout"].isNull || part["dropout"].value.number == 0 else {
            throw part["dropout"].unsupported("null is")
        }
        for field in ["continuing_subword_prefix", "end_of_word_suffix"] {
            guard part[field].isNull || part[field].value.text == "" else { throw part[field].unsupported("null is") }
        }
        guard try !part["byte_fallback"].bool(default: false) else {
            throw part["byte_fallback"].unsupported("false is")
        }

        let vocabulary = part["vocab"]
        guard case .object(let entries) = vocabulary.value else { throw vocabulary.invalid("it is no object") }
        count = entries.members.count
        guard count <= limits.tokenCountMax else {
            throw vocabulary.invalid("it has \(count) tokens; at most \(limits.tokenCountMax) are read")
        }
        var words = ByteTable(capacity: count)
        var others: [JSONString: Int32] = [:]
        var tokenBytes: [[UInt8]] = []
        var isTaken: [Bool] = []
        for member in entries.members {
            let entry = TokenizerPart(
                value: member.value, file: part.file, path: "\(vocabulary.path)[\"\(member.key)\"]")
            let id = try entry.token(limits: limits)
            while isTaken.count <= Int(id) {
                isTaken.append(false)
                tokenBytes.append([])
            }
            guard !isTaken[Int(id)] else { throw entry.invalid("token \(id) is taken by another text") }
            isTaken[Int(id)] = true
            if let bytes = ByteAlphabet.bytes(of: member.key) {
                tokenBytes[Int(id)] = bytes
                precondition(words.insert(bytes, id), "the keys of an object differ, and so do their bytes")
            } else {
                tokenBytes[Int(id)] = member.key.bytes
                others[member.key] = id
            }
        }
        self.tokenBytes = tokenBytes
        otherTokens = others
        let merges = try Self.merges(part["merges"], limits: limits) { Self.token($0, words, others) }
        let unknown = try Self.unknownToken(part, words, others)
        let byteTokens = (UInt8.min...UInt8.max).map { words[[$0]] ?? unknown }
        model = BytePairModel(
            words: words, merges: merges, byteTokens: byteTokens,
            ignoresMerges: try part["ignore_merges"].bool(default: false))
    }

    /// The token of a text as the file spells it.
    func token(_ text: JSONString) -> Int32? { Self.token(text, model.words, otherTokens) }

    private static func token(_ text: JSONString, _ words: ByteTable, _ others: [JSONString: Int32]) -> Int32? {
        if let bytes = ByteAlphabet.bytes(of: text) { words[bytes] } else { others[text] }
    }

    private static func merges(
        _ part: TokenizerPart, limits: TokenizerLimits, token: (JSONString) -> Int32?
    ) throws(TokenizerError) -> MergeTable {
        guard case .array(let list) = part.value else { throw part.invalid("it is no list") }
        guard list.count <= limits.tokenCountMax else {
            throw part.invalid("it has \(list.count) merges; at most \(limits.tokenCountMax) are read")
        }
        var table = MergeTable(capacity: list.count)
        for (index, element) in list.enumerated() {
            guard let (left, right) = sides(of: element) else {
                throw part.invalid("merge \(index) is neither two texts nor one text with a space between two")
            }
            let whole = JSONString(left.bytes + right.bytes)
            for side in [left, right, whole] where token(side) == nil {
                throw part.invalid("merge \(index) needs the token “\(side)”, which the vocabulary does not have")
            }
            guard let leftToken = token(left), let rightToken = token(right), let wholeToken = token(whole) else {
                continue
            }
            table.insert(left: leftToken, right: rightToken, rank: UInt32(index), token: wholeToken)
        }
        return table
    }

    private static func sides(of element: JSONValue) -> (JSONString, JSONString)? {
        switch element {
        case .array(let pair):
            guard pair.count == 2, case .string(let left) = pair[0], case .string(let right) = pair[1] else {
                return nil
            }
            return (left, right)
        case .string(let text):
            let parts = text.bytes.split(separator: 0x20, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            return (JSONString(Array(parts[0])), JSONString(Array(parts[1])))
        default: return nil
        }
    }

    /// What a byte without a token becomes: the unknown token, or nothing. Where all bytes have one it never matters.
    private static func unknownToken(
        _ part: TokenizerPart, _ words: ByteTable, _ others: [JSONString: Int32]
    ) throws(TokenizerError) -> Int32 {
        let unknown = part["unk_token"]
        if unknown.isNull { return -1 }
        guard case .string(let text) = unknown.value else { throw unknown.invalid("\(unknown.value) is no token") }
        let isComplete = (UInt8.min...UInt8.max).allSatisfy { words[[$0]] != nil }
        if isComplete { return -1 }
        guard try !part["fuse_unk"].bool(default: false) else {
            throw part["fuse_unk"].unsupported("false is, where single bytes have no token")
        }
        guard let token = token(text, words, others) else {
            throw unknown.invalid("“\(text)” is not in the vocabulary")
        }
        return token
    }
}
