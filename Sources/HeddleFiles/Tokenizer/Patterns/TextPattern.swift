/// What a Replace or Split part of a tokenizer.json looks for: a text, or a pattern.
enum TextPattern: Sendable {
    /// Not empty.
    case literal([UInt8])
    case program(PatternProgram)

    /// Calls `body` with every match in well-formed UTF-8, from left to right; none overlaps another.
    func forEachMatch(in bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        switch self {
        case .program(let program): program.forEachMatch(in: bytes, body)
        case .literal(let text):
            guard let first = text.first, bytes.count >= text.count else { return }
            var place = 0
            while place <= bytes.count - text.count {
                if bytes[place] == first, bytes[place..<(place + text.count)].elementsEqual(text) {
                    body(place..<(place + text.count))
                    place += text.count
                } else {
                    place += 1
                }
            }
        }
    }

    /// The text with every match replaced; nil where there is none.
    func replacing(_ bytes: [UInt8], with content: [UInt8]) -> (text: [UInt8], firstMatch: Range<Int>)? {
        var result: [UInt8] = []
        var reached = 0
        var firstMatch: Range<Int>?
        bytes.withUnsafeBufferPointer { buffer in
            forEachMatch(in: buffer) { match in
                if firstMatch == nil {
                    firstMatch = match
                    result.reserveCapacity(bytes.count + bytes.count / 4)
                }
                result.append(contentsOf: buffer[reached..<match.lowerBound])
                result.append(contentsOf: content)
                reached = match.upperBound
            }
        }
        guard let firstMatch else { return nil }
        result.append(contentsOf: bytes[reached...])
        return (result, firstMatch)
    }
}
