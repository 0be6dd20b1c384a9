/// Decides where one split step cuts: what it looks for, and what becomes of that.
struct SplitRule: Sendable {
    enum Matcher: Sendable {
        /// A pattern that is scanned by hand; it matches everywhere.
        case known(SplitPattern)
        case pattern(TextPattern)
        /// Every scalar of a class.
        case scalars(ScalarClasses.Flags)
        /// Runs of word scalars, and runs of others that are no space.
        case words
    }

    /// What becomes of matches, in the words of the `tokenizers` crate.
    enum Behavior: Sendable {
        case removed
        case isolated
        case mergedWithPrevious
        case mergedWithNext
        /// Matches that follow each other stay together, and so does what lies between.
        case contiguous
    }

    var matcher: Matcher
    var behavior: Behavior
    /// Whether what lies between matches is taken for the matches.
    var isInverted: Bool

    /// Calls `body` with every piece, in order; a piece may be empty only where the text is.
    func forEachPiece(of bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        if case .known(let pattern) = matcher, behavior == .isolated || (behavior == .removed && isInverted) {
            pattern.forEachWord(of: bytes, body)
            return
        }
        var pending: Range<Int>?
        var wasMatch = false
        var reached = 0
        func add(_ range: Range<Int>, isMatch: Bool) {
            defer { wasMatch = isMatch }
            switch behavior {
            case .isolated: body(range)
            case .removed: if !isMatch { body(range) }
            case .contiguous, .mergedWithPrevious:
                let extends = behavior == .contiguous ? isMatch == wasMatch : isMatch && !wasMatch
                if extends, let whole = pending {
                    pending = whole.lowerBound..<range.upperBound
                } else {
                    if let whole = pending { body(whole) }
                    pending = range
                }
            case .mergedWithNext:
                if isMatch {
                    if let alone = pending { body(alone) }
                    pending = range
                } else {
                    body((pending?.lowerBound ?? range.lowerBound)..<range.upperBound)
                    pending = nil
                }
            }
        }
        forEachMatch(in: bytes) { match in
            if reached < match.lowerBound { add(reached..<match.lowerBound, isMatch: isInverted) }
            add(match, isMatch: !isInverted)
            reached = match.upperBound
        }
        if reached < bytes.count { add(reached..<bytes.count, isMatch: isInverted) }
        if let last = pending { body(last) }
    }

    private func forEachMatch(in bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        let reader = ScalarReader(bytes: bytes)
        let classes = ScalarClasses.shared
        switch matcher {
        case .known(let pattern): pattern.forEachWord(of: bytes, body)
        case .pattern(let pattern): pattern.forEachMatch(in: bytes, body)
        case .scalars(let flags):
            var place = 0
            while place < bytes.count {
                let (scalar, end) = reader.scalar(at: place)
                if !classes[scalar].isDisjoint(with: flags) { body(place..<end) }
                place = end
            }
        case .words:
            var start = 0
            var kind: ScalarClasses.Flags?
            var place = 0
            while place < bytes.count {
                let (scalar, end) = reader.scalar(at: place)
                let flags = classes[scalar]
                let next: ScalarClasses.Flags? =
                    flags.contains(.word) ? .word : flags.contains(.stripped) ? nil : []
                if next != kind {
                    if kind != nil { body(start..<place) }
                    (start, kind) = (place, next)
                }
                place = end
            }
            if kind != nil { body(start..<bytes.count) }
        }
    }
}
