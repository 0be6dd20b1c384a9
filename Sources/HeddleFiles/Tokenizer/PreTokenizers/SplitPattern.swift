/// A pattern that cuts text into words, known by its exact spelling and scanned by hand: each is a chain of alternatives
/// over runs of classes, which one pass decides without backtracking. (Swift's `Regex` splits some texts otherwise.)
enum SplitPattern: Hashable, Sendable {
    /// GPT-2: contractions in lower case, words and numbers with the space before them.
    case gpt2
    /// Llama 3 (numbers of up to three) and Qwen 2 (one by one): contractions in any case, words with one sign before them.
    case llama3(numberCountMax: Int)

    /// The pattern of this spelling.
    init?(spelling: String) {
        switch spelling {
        case Self.gpt2Spelling: self = .gpt2
        case Self.llama3Spelling: self = .llama3(numberCountMax: 3)
        case Self.qwen2Spelling: self = .llama3(numberCountMax: 1)
        default: return nil
        }
    }

    static let gpt2Spelling = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    static let llama3Spelling =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let qwen2Spelling =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    /// Calls `body` with every word, in order. Every scalar belongs to one.
    func forEachWord(of bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        let scan = TextScan(reader: ScalarReader(bytes: bytes), classes: ScalarClasses.shared, end: bytes.count)
        var start = 0
        while start < bytes.count {
            let end: Int
            switch self {
            case .gpt2: end = scan.gpt2WordEnd(from: start)
            case .llama3(let numberCountMax): end = scan.llama3WordEnd(from: start, numberCountMax: numberCountMax)
            }
            body(start..<end)
            start = end
        }
    }
}

/// Walks over one piece of text, which ends at `end` for every look ahead.
struct TextScan {
    let reader: ScalarReader
    let classes: ScalarClasses
    let end: Int

    fileprivate func gpt2WordEnd(from start: Int) -> Int {
        let (first, afterFirst) = reader.scalar(at: start)
        if first == 0x27, let contraction = contractionEnd(after: afterFirst, anyCase: false) { return contraction }
        // An optional space, then a run of one class.
        var position = start
        var flags = classes[first]
        if first == 0x20, afterFirst < end {
            let next = classes[reader.scalar(at: afterFirst).value]
            if !next.contains(.space) {
                position = afterFirst
                flags = next
            }
        }
        if flags.contains(.letter) { return runEnd(from: position) { $0.contains(.letter) } }
        if flags.contains(.number) { return runEnd(from: position) { $0.contains(.number) } }
        if !flags.contains(.space) { return runEnd(from: position) { $0.isDisjoint(with: .classified) } }
        return spaceEnd(from: start, breaksAtLines: false)
    }

    fileprivate func llama3WordEnd(from start: Int, numberCountMax: Int) -> Int {
        let (first, afterFirst) = reader.scalar(at: start)
        if first == 0x27, let contraction = contractionEnd(after: afterFirst, anyCase: true) { return contraction }
        let flags = classes[first]
        if flags.contains(.letter) { return runEnd(from: afterFirst) { $0.contains(.letter) } }
        if flags.contains(.number) {
            var position = afterFirst
            for _ in 1..<max(numberCountMax, 1) where position < end {
                let (scalar, after) = reader.scalar(at: position)
                guard classes[scalar].contains(.number) else { break }
                position = after
            }
            return position
        }
        let isLineBreak = first == 0x0A || first == 0x0D
        let next = afterFirst < end ? classes[reader.scalar(at: afterFirst).value] : .space
        if !isLineBreak, next.contains(.letter) { return runEnd(from: afterFirst) { $0.contains(.letter) } }
        if !flags.contains(.space) || (first == 0x20 && next.isDisjoint(with: .classified)) {
            var position = runEnd(from: afterFirst) { $0.isDisjoint(with: .classified) }
            while position < end, reader.bytes[position] == 0x0A || reader.bytes[position] == 0x0D { position += 1 }
            return position
        }
        return spaceEnd(from: start, breaksAtLines: true)
    }

    /// `\s+(?!\S)|\s+`, and before them `\s*[\r\n]+` where the pattern breaks at lines.
    private func spaceEnd(from start: Int, breaksAtLines: Bool) -> Int {
        var position = start
        var lastStart = start
        var lineEnd: Int?
        while position < end {
            let (scalar, after) = reader.scalar(at: position)
            guard classes[scalar].contains(.space) else { break }
            if scalar == 0x0A || scalar == 0x0D { lineEnd = after }
            lastStart = position
            position = after
        }
        // Greedy up to the last line break of the run.
        if breaksAtLines, let lineEnd { return lineEnd }
        // The last space before a word belongs to the word, unless it is all there is.
        return position == end || lastStart == start ? position : lastStart
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d`, from behind the apostrophe.
    private func contractionEnd(after position: Int, anyCase: Bool) -> Int? {
        guard position < end else { return nil }
        // Case folding makes U+017F, the long s, an s.
        if anyCase, position + 1 < end, reader.bytes[position] == 0xC5, reader.bytes[position + 1] == 0xBF {
            return position + 2
        }
        let fold: UInt8 = anyCase ? 0x20 : 0
        // A byte with bit 5 set already is no capital letter, and an ASCII sign becomes none of the letters below.
        switch reader.bytes[position] | fold {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return position + 1
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            guard position + 1 < end, reader.bytes[position + 1] | fold == UInt8(ascii: "e") else { return nil }
            return position + 2
        case UInt8(ascii: "l"):
            guard position + 1 < end, reader.bytes[position + 1] | fold == UInt8(ascii: "l") else { return nil }
            return position + 2
        default: return nil
        }
    }

    @inline(__always)
    private func runEnd(from start: Int, while belongs: (ScalarClasses.Flags) -> Bool) -> Int {
        var position = start
        while position < end {
            let (scalar, after) = reader.scalar(at: position)
            guard belongs(classes[scalar]) else { break }
            position = after
        }
        return position
    }
}
