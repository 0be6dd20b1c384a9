/// Decides what a text is changed to before it is cut into words: a chain of steps, each of which sees all of the text
/// between two added tokens.
struct Normalizer: Sendable {
    enum Step: Sendable {
        case form(NormalForm.Form)
        case lowercase
        case stripAccents
        case strip(left: Bool, right: Bool)
        case replace(TextPattern, with: [UInt8])
        case prepend([UInt8])
        case nmt
        case characterMap(CharacterMap)
    }

    /// A text on its way through the steps.
    struct Text: Sendable {
        var bytes: [UInt8]
        /// Whether its first scalar stands for the first of the whole text, which is where Metaspace may prepend.
        var startsAtOrigin: Bool
    }

    let steps: [Step]

    /// Whether every step leaves this text as it is, told by a look that takes no memory.
    func leavesUnchanged(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        steps.allSatisfy { step in
            switch step {
            case .form(let form): NormalForm.shared.isQuicklyNormal(bytes, form)
            default: false
            }
        }
    }

    /// The text after all steps.
    func normalized(_ text: Text) -> Text {
        var text = text
        for step in steps { Self.apply(step, to: &text) }
        return text
    }

    private static func apply(_ step: Step, to text: inout Text) {
        switch step {
        case .form(let form):
            if let normal = text.bytes.withUnsafeBufferPointer({ NormalForm.shared.normalized($0, form) }) {
                text.bytes = normal
            }
        case .lowercase: text.bytes = LetterCases.shared.lowercased(text.bytes)
        case .stripAccents: keep(&text) { LetterCases.shared.isAccent($0) ? nil : $0 }
        case .nmt: keep(&text, nmt)
        case .strip(let left, let right): strip(&text, left: left, right: right)
        case .prepend(let prefix): if !text.bytes.isEmpty { text.bytes.insert(contentsOf: prefix, at: 0) }
        case .characterMap(let map): text.bytes = map.normalized(text.bytes)
        case .replace(let pattern, let content):
            guard let (replaced, first) = pattern.replacing(text.bytes, with: content) else { return }
            if first.lowerBound == 0 {
                // What is inserted stands for the last scalar that it replaces.
                let lead = text.bytes[0]
                let leadCount = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
                if content.isEmpty || first.upperBound > leadCount { text.startsAtOrigin = false }
            }
            text.bytes = replaced
        }
    }

    /// Maps every scalar, and takes away those that become nil.
    private static func keep(_ text: inout Text, _ map: (UInt32) -> UInt32?) {
        var result: [UInt8] = []
        result.reserveCapacity(text.bytes.count)
        var isFirstKept = true
        text.bytes.forEachScalar { scalar, range in
            guard let kept = map(scalar) else {
                if range.lowerBound == 0 { isFirstKept = false }
                return
            }
            if kept == scalar { result += text.bytes[range] } else { result.append(scalar: kept) }
        }
        text.bytes = result
        if !isFirstKept { text.startsAtOrigin = false }
    }

    /// The rules of Google's NMT task, as SentencePiece names them.
    private static func nmt(_ scalar: UInt32) -> UInt32? {
        switch scalar {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: nil
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: 0x20
        default: scalar
        }
    }

    private static func strip(_ text: inout Text, left: Bool, right: Bool) {
        let classes = ScalarClasses.shared
        let bytes = text.bytes
        var (start, end) = (0, bytes.count)
        bytes.withUnsafeBufferPointer { bytes in
            let reader = ScalarReader(bytes: bytes)
            while left, start < end {
                let (scalar, next) = reader.scalar(at: start)
                guard classes[scalar].contains(.stripped) else { break }
                start = next
            }
            while right, start < end {
                let (scalar, before) = reader.scalar(before: end)
                guard classes[scalar].contains(.stripped) else { break }
                end = before
            }
        }
        guard start > 0 || end < bytes.count else { return }
        text.bytes = Array(bytes[start..<end])
        if start > 0 { text.startsAtOrigin = false }
    }
}
