/// Decides which tokens a word becomes.
enum TokenModel: Sendable {
    case bytePair(BytePairModel)
    case unigram(UnigramModel)
    case wordLevel(WordLevelModel)

    /// Memory that one call of `encode` after another uses again.
    struct Scratch {
        var pairs = BytePairModel.Scratch()
        var lattice = UnigramModel.Scratch()
    }

    /// Appends the tokens of one word, which is not empty and not split again.
    func encode(_ word: UnsafeBufferPointer<UInt8>, scratch: inout Scratch, into tokens: inout [Int32]) {
        switch self {
        case .bytePair(let model): model.encode(word, scratch: &scratch.pairs, into: &tokens)
        case .unigram(let model): model.encode(word, scratch: &scratch.lattice, into: &tokens)
        case .wordLevel(let model): tokens.append(model.vocabulary[word] ?? model.unknown)
        }
    }
}

/// A model that knows whole words only.
struct WordLevelModel: Sendable {
    let vocabulary: Vocabulary
    let unknown: Int32
}
