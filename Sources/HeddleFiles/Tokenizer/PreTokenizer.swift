/// Decides which words a text is cut into before the byte-pair model sees it: a chain of steps, each of which cuts the
/// pieces of the one before and sees no further than its piece.
struct PreTokenizer: Sendable {
    enum Step: Hashable, Sendable {
        case split(SplitPattern)
        /// Digits stand alone one by one, or run by run.
        case digits(individual: Bool)
        /// A piece that does not start with a space gets one.
        case spaceBefore
    }

    let steps: [Step]

    /// Calls `body` with every word of well-formed UTF-8, in order.
    func forEachWord(
        of bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        run(0, on: bytes, body)
    }

    private func run(
        _ index: Int, on piece: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard !piece.isEmpty else { return }
        guard index < steps.count else {
            body(piece)
            return
        }
        let classes = ScalarClasses.shared
        let reader = ScalarReader(bytes: piece)
        switch steps[index] {
        case .split(let pattern):
            let scan = TextScan(reader: reader, classes: classes, end: piece.count)
            var start = 0
            while start < piece.count {
                let end = pattern.wordEnd(scan, from: start)
                run(index + 1, on: UnsafeBufferPointer(rebasing: piece[start..<end]), body)
                start = end
            }
        case .digits(let individual):
            var start = 0
            var wasDigit = false
            var position = 0
            while position < piece.count {
                let (scalar, end) = reader.scalar(at: position)
                let isDigit = classes[scalar].contains(.digit)
                if position > start, isDigit != wasDigit || (isDigit && individual) {
                    run(index + 1, on: UnsafeBufferPointer(rebasing: piece[start..<position]), body)
                    start = position
                }
                wasDigit = isDigit
                position = end
            }
            run(index + 1, on: UnsafeBufferPointer(rebasing: piece[start..<piece.count]), body)
        case .spaceBefore:
            guard piece.first != 0x20 else {
                run(index + 1, on: piece, body)
                return
            }
            let spaced = [0x20] + Array(piece)
            spaced.withUnsafeBufferPointer { run(index + 1, on: $0, body) }
        }
    }
}
