/// Decides which tokens a word becomes: the pieces with the greatest sum of scores (Kudo 2018), found by Viterbi's algorithm
/// as the `tokenizers` crate runs it, sum by sum in double precision.
struct UnigramModel: Sendable {
    let vocabulary: Vocabulary
    let trie: PieceTrie
    let scores: [Double]
    let unknown: Int32
    /// The score of a scalar that no piece covers.
    let unknownScore: Double
    /// The tokens of single bytes; empty where the model has no byte fallback.
    let byteTokens: [Int32]

    /// How far an unknown scalar is below the worst piece.
    static let unknownPenalty = 10.0

    /// Memory that one call of `encode` after another uses again.
    struct Scratch {
        fileprivate var nodes: [Node] = []
        fileprivate var found: [Piece] = []
    }

    /// The best way to one place of a word.
    fileprivate struct Node {
        var score = 0.0
        /// Where its last piece starts; -1 where no way leads here yet.
        var start = -1
        var token: Int32 = 0
    }

    fileprivate struct Piece {
        var range: Range<Int>
        /// The token; -1 where it is unknown text.
        var token: Int32
    }

    /// Appends the tokens of one word, which is not split again.
    func encode(_ word: UnsafeBufferPointer<UInt8>, scratch: inout Scratch, into tokens: inout [Int32]) {
        scratch.nodes.removeAll(keepingCapacity: true)
        scratch.nodes.append(contentsOf: repeatElement(Node(), count: word.count + 1))
        scratch.nodes.withUnsafeMutableBufferPointer { findBest(word, $0) }

        scratch.found.removeAll(keepingCapacity: true)
        var end = word.count
        while end > 0 {
            let node = scratch.nodes[end]
            let range = node.start..<end
            if node.token != unknown {
                scratch.found.append(Piece(range: range, token: node.token))
            } else if let last = scratch.found.last, last.token < 0 {
                // Unknown text in a row is one.
                scratch.found[scratch.found.count - 1].range = node.start..<last.range.upperBound
            } else {
                scratch.found.append(Piece(range: range, token: -1))
            }
            end = node.start
        }
        for piece in scratch.found.reversed() {
            if piece.token >= 0 {
                tokens.append(piece.token)
                continue
            }
            let text = UnsafeBufferPointer(rebasing: word[piece.range])
            if let token = vocabulary[text] {
                tokens.append(token)
            } else if !byteTokens.isEmpty, text.allSatisfy({ byteTokens[Int($0)] >= 0 }) {
                for byte in text { tokens.append(byteTokens[Int(byte)]) }
            } else {
                tokens.append(unknown)
            }
        }
    }

    private func findBest(_ word: UnsafeBufferPointer<UInt8>, _ nodes: UnsafeMutableBufferPointer<Node>) {
        let reader = ScalarReader(bytes: word)
        var start = 0
        while start < word.count {
            let score = nodes[start].score
            let scalarEnd = reader.scalar(at: start).end
            var coversScalar = false
            trie.forEachPiece(word, from: start) { token, end in
                let candidate = scores[Int(token)] + score
                if nodes[end].start < 0 || candidate > nodes[end].score {
                    nodes[end] = Node(score: candidate, start: start, token: token)
                }
                if end == scalarEnd { coversScalar = true }
            }
            if !coversScalar {
                let candidate = unknownScore + score
                if nodes[scalarEnd].start < 0 || candidate > nodes[scalarEnd].score {
                    nodes[scalarEnd] = Node(score: candidate, start: start, token: unknown)
                }
            }
            start = scalarEnd
        }
    }
}
