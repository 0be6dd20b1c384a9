/// One token that is recognised in the text before it is split into words.
struct AddedToken: Sendable {
    let id: Int32
    /// As the file spells it.
    let spelling: [UInt8]
    /// What is looked for: the spelling, or its normal form.
    let content: [UInt8]
    /// Control tokens: skipped in decoding where asked, and not recognised in text that may not hold any.
    let isSpecial: Bool
    /// Recognised in normalised text, in its normalised form.
    let isNormalized: Bool
    /// Recognised only where no word scalar stands beside it.
    let isSingleWord: Bool
    /// Takes the space before it.
    let stripsLeft: Bool
    /// Takes the space behind it.
    let stripsRight: Bool
}

/// Decides where added tokens stand in a text: from left to right, the longest at each place, as the `tokenizers` crate
/// does it with all its corners.
struct AddedTokenFinder: Sendable {
    /// A stretch of the text: a token, or what is left between tokens.
    enum Piece: Sendable {
        case text(Range<Int>)
        case token(Int32)
    }

    private struct Node: Sendable {
        var children: [(byte: UInt8, node: Int32)] = []
        /// Index into `tokens`, or -1.
        var token: Int32 = -1
    }

    private let tokens: [AddedToken]
    private var nodes = [Node()]
    /// Whether any token starts with this byte.
    private var starts = [Bool](repeating: false, count: 256)

    init(_ tokens: [AddedToken]) {
        self.tokens = tokens
        for (index, token) in tokens.enumerated() { insert(token.content, index: Int32(index)) }
    }

    var isEmpty: Bool { tokens.isEmpty }

    private mutating func insert(_ content: [UInt8], index: Int32) {
        guard let first = content.first else { return }
        starts[Int(first)] = true
        var node = 0
        for byte in content {
            if let child = nodes[node].children.first(where: { $0.byte == byte }) {
                node = Int(child.node)
            } else {
                nodes[node].children.append((byte, Int32(nodes.count)))
                node = nodes.count
                nodes.append(Node())
            }
        }
        nodes[node].token = index
    }

    /// Cuts a text. Empty stretches are left out.
    func pieces(of bytes: UnsafeBufferPointer<UInt8>, parseSpecialTokens: Bool) -> [Piece] {
        guard !tokens.isEmpty else { return bytes.isEmpty ? [] : [.text(0..<bytes.count)] }
        let reader = ScalarReader(bytes: bytes)
        let classes = ScalarClasses.shared
        var pieces: [Piece] = []
        var reached = 0
        var position = 0
        while let (found, token) = nextMatch(in: bytes, from: position) {
            position = found.upperBound
            if token.isSpecial, !parseSpecialTokens { continue }
            if token.isSingleWord {
                let before =
                    found.lowerBound > 0 && classes[reader.scalar(before: found.lowerBound).value].contains(.word)
                let behind =
                    found.upperBound < bytes.count
                    && classes[reader.scalar(at: found.upperBound).value].contains(.word)
                if before || behind { continue }
            }
            var start = found.lowerBound
            var stop = found.upperBound
            if token.stripsLeft {
                while start > reached {
                    let (scalar, scalarStart) = reader.scalar(before: start)
                    guard classes[scalar].contains(.stripped) else { break }
                    start = scalarStart
                }
                start = max(start, reached)
            }
            if token.stripsRight {
                while stop < bytes.count {
                    let (scalar, after) = reader.scalar(at: stop)
                    guard classes[scalar].contains(.stripped) else { break }
                    stop = after
                }
            }
            if reached < start { pieces.append(.text(reached..<start)) }
            pieces.append(.token(token.id))
            reached = stop
        }
        if reached < bytes.count { pieces.append(.text(reached..<bytes.count)) }
        return pieces
    }

    private func nextMatch(
        in bytes: UnsafeBufferPointer<UInt8>, from first: Int
    ) -> (range: Range<Int>, token: AddedToken)? {
        for start in first..<bytes.count where starts[Int(bytes[start])] {
            var node = 0
            var longest: (end: Int, token: Int32)?
            var position = start
            while position < bytes.count {
                guard let child = nodes[node].children.first(where: { $0.byte == bytes[position] }) else { break }
                node = Int(child.node)
                position += 1
                if nodes[node].token >= 0 { longest = (position, nodes[node].token) }
            }
            if let longest { return (start..<longest.end, tokens[Int(longest.token)]) }
        }
        return nil
    }
}
