/// Reads a byte-pair model: which text each token stands for, and which pairs become one.
struct BytePairReader {
    let model: BytePairModel
    let vocabulary: Vocabulary

    /// `usesBytes`: whether words come in the byte alphabet, so that tokens are looked for by their bytes.
    init(_ part: TokenizerPart, usesBytes: Bool, limits: TokenizerLimits) throws(TokenizerError) {
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
        let vocabulary = try VocabularyReader.vocabulary(part["vocab"], limits: limits)
        var words = ByteTable(capacity: vocabulary.count + 1)
        for (id, text) in vocabulary.texts.enumerated() where vocabulary.isTaken[id] {
            let word = usesBytes ? ByteAlphabet.bytes(of: JSONString(text)) : text
            if let word { words.set(word, Int32(id)) }
        }
        let byteTokens = vocabulary.byteTokens
        let hasByteFallback = try part["byte_fallback"].bool(default: false)
        let isComplete =
            usesBytes
            ? (UInt8.min...UInt8.max).allSatisfy { words[[$0]] != nil }
            : hasByteFallback && byteTokens.allSatisfy { $0 >= 0 }
        let unknown = try Self.unknownToken(part, vocabulary, isNeeded: !isComplete)
        let fusesUnknown = try part["fuse_unk"].bool(default: false)

        // Tokens that stand in a word for other text than their own.
        let substitutes = Set([unknown] + (hasByteFallback ? byteTokens : []))

        let list = try Self.merges(part["merges"], limits: limits)
        var merges = MergeTable(capacity: list.count)
        var seams = MergeSeams(capacity: list.count)
        for (index, (left, right)) in list.enumerated() {
            func token(_ text: [UInt8]) throws(TokenizerError) -> Int32 {
                if let token = vocabulary[text] { return token }
                throw part["merges"].invalid(
                    "merge \(index) needs the token “\(JSONString(text))”, which the vocabulary does not have")
            }
            let (leftToken, rightToken) = (try token(left), try token(right))
            merges.insert(
                left: leftToken, right: rightToken, rank: UInt32(index), token: try token(left + right))
            seams.join(left, right)
            if substitutes.contains(leftToken) || substitutes.contains(rightToken) { seams.removeAll() }
        }

        let alphabet: BytePairModel.Alphabet
        if usesBytes {
            guard isComplete || !hasByteFallback else {
                throw part["byte_fallback"].unsupported("false is, where single bytes have no token")
            }
            guard isComplete || unknown < 0 || !fusesUnknown else {
                throw part["fuse_unk"].unsupported("false is, where single bytes have no token")
            }
            alphabet = .bytes((UInt8.min...UInt8.max).map { words[[$0]] ?? unknown })
        } else {
            alphabet = .scalars(
                ScalarAlphabet(
                    vocabulary, byteTokens: hasByteFallback ? byteTokens : [], unknown: unknown,
                    fusesUnknown: fusesUnknown, seams: seams))
        }
        model = BytePairModel(
            words: words, merges: merges, alphabet: alphabet,
            ignoresMerges: try part["ignore_merges"].bool(default: false))
        self.vocabulary = vocabulary
    }

    /// The two sides of every merge.
    private static func merges(
        _ part: TokenizerPart, limits: TokenizerLimits
    ) throws(TokenizerError) -> [([UInt8], [UInt8])] {
        guard case .array(let list) = part.value else { throw part.invalid("it is no list") }
        guard list.count <= limits.tokenCountMax else {
            throw part.invalid("it has \(list.count) merges; at most \(limits.tokenCountMax) are read")
        }
        var merges: [([UInt8], [UInt8])] = []
        merges.reserveCapacity(list.count)
        for (index, element) in list.enumerated() {
            // Old files start with the line of a merges.txt that names its version.
            if case .string(let text) = element, text.bytes.starts(with: Array("#version".utf8)) { continue }
            guard let sides = sides(of: element) else {
                throw part.invalid("merge \(index) is neither two texts nor one text with a space between two")
            }
            merges.append(sides)
        }
        return merges
    }

    private static func sides(of element: JSONValue) -> ([UInt8], [UInt8])? {
        switch element {
        case .array(let pair):
            guard pair.count == 2, case .string(let left) = pair[0], case .string(let right) = pair[1] else {
                return nil
            }
            return (left.bytes, right.bytes)
        case .string(let text):
            let parts = text.bytes.split(separator: 0x20, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            return (Array(parts[0]), Array(parts[1]))
        default: return nil
        }
    }

    /// What a scalar or byte without a token becomes; -1 where it is left out, or where there is none.
    private static func unknownToken(
        _ part: TokenizerPart, _ vocabulary: Vocabulary, isNeeded: Bool
    ) throws(TokenizerError) -> Int32 {
        let unknown = part["unk_token"]
        if unknown.isNull { return -1 }
        guard case .string(let text) = unknown.value else { throw unknown.invalid("\(unknown.value) is no token") }
        guard isNeeded else { return -1 }
        guard let token = vocabulary[text.bytes] else { throw unknown.invalid("“\(text)” is not in the vocabulary") }
        return token
    }
}

/// Reads a vocabulary that is an object of texts and ids.
enum VocabularyReader {
    static func vocabulary(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> Vocabulary {
        guard case .object(let entries) = part.value else { throw part.invalid("it is no object") }
        guard entries.members.count <= limits.tokenCountMax else {
            throw part.invalid("it has \(entries.members.count) tokens; at most \(limits.tokenCountMax) are read")
        }
        var vocabulary = Vocabulary(capacity: entries.members.count)
        for member in entries.members {
            let entry = TokenizerPart(value: member.value, file: part.file, path: "\(part.path)[\"\(member.key)\"]")
            let id = try entry.token(limits: limits)
            guard vocabulary.insert(member.key.bytes, id) else {
                throw entry.invalid("token \(id) is taken by another text")
            }
        }
        return vocabulary
    }
}
