/// Decides which words a text is cut into before the model sees it: a chain of steps, each of which cuts the pieces of the
/// one before and sees no further than its piece.
struct PreTokenizer: Sendable {
    enum Step: Sendable {
        case split(SplitRule)
        /// A piece that does not start with a space gets one.
        case spaceBefore
        case metaspace(Metaspace)
        /// Every byte becomes its character of the byte alphabet.
        case byteAlphabet
    }

    /// Spaces become a sign, which may be set before a piece that starts with none, and may start a new piece.
    struct Metaspace: Sendable {
        enum Prepending: Sendable {
            case never
            /// Before the piece that starts the whole text.
            case first
            case always
        }

        /// The sign's UTF-8.
        var replacement: [UInt8]
        var prepending: Prepending
        var splits: Bool
    }

    let steps: [Step]

    /// Calls `body` with every word of well-formed UTF-8, in order; none is empty. `startsAtOrigin` says that the text
    /// stands for the start of all.
    func forEachWord(
        of bytes: UnsafeBufferPointer<UInt8>, startsAtOrigin: Bool, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        run(0, on: bytes, startsAtOrigin, body)
    }

    private func run(
        _ index: Int, on piece: UnsafeBufferPointer<UInt8>, _ startsAtOrigin: Bool,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard !piece.isEmpty else { return }
        guard index < steps.count else {
            body(piece)
            return
        }
        switch steps[index] {
        case .split(let rule):
            rule.forEachPiece(of: piece) { range in
                run(
                    index + 1, on: UnsafeBufferPointer(rebasing: piece[range]), startsAtOrigin && range.lowerBound == 0,
                    body)
            }
        case .spaceBefore:
            guard piece.first != 0x20 else {
                run(index + 1, on: piece, startsAtOrigin, body)
                return
            }
            let spaced = [0x20] + Array(piece)
            spaced.withUnsafeBufferPointer { run(index + 1, on: $0, startsAtOrigin, body) }
        case .metaspace(let metaspace):
            let text = metaspace.replaced(piece, startsAtOrigin: startsAtOrigin)
            text.withUnsafeBufferPointer { text in
                guard metaspace.splits else {
                    run(index + 1, on: text, startsAtOrigin, body)
                    return
                }
                var start = 0
                var place = 0
                while place < text.count {
                    if place > start, metaspace.starts(at: place, of: text) {
                        run(
                            index + 1, on: UnsafeBufferPointer(rebasing: text[start..<place]),
                            startsAtOrigin && start == 0, body)
                        start = place
                    }
                    place += 1
                }
                run(
                    index + 1, on: UnsafeBufferPointer(rebasing: text[start...]), startsAtOrigin && start == 0, body)
            }
        case .byteAlphabet:
            var text: [UInt8] = []
            text.reserveCapacity(2 * piece.count)
            for byte in piece { text += ByteAlphabet.characters[Int(byte)] }
            text.withUnsafeBufferPointer { run(index + 1, on: $0, startsAtOrigin, body) }
        }
    }
}

extension PreTokenizer.Metaspace {
    fileprivate func replaced(_ piece: UnsafeBufferPointer<UInt8>, startsAtOrigin: Bool) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(piece.count + piece.count / 2 + replacement.count)
        let prepends =
            switch prepending {
            case .never: false
            case .first: startsAtOrigin
            case .always: true
            }
        if prepends, piece[0] != 0x20, !starts(at: 0, of: piece) { text += replacement }
        for byte in piece {
            if byte == 0x20 { text += replacement } else { text.append(byte) }
        }
        return text
    }

    /// Whether the sign stands here.
    @inline(__always)
    fileprivate func starts(at place: Int, of text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text[place] == replacement[0], place + replacement.count <= text.count else { return false }
        for offset in 1..<max(replacement.count, 1) where text[place + offset] != replacement[offset] { return false }
        return true
    }
}
