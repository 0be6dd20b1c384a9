/// Decides, byte by byte, whether a text now ends with one of the stop strings (Knuth, Morris, Pratt 1977, once for each).
struct StopMatcher: Sendable {
    private struct Stop: Sendable {
        let bytes: [UInt8]
        /// For each prefix, how long its longest border is.
        let borders: [Int]
        /// How much of the string the text ends with.
        var matched = 0
    }

    private var stops: [Stop]

    init(_ strings: [[UInt8]]) {
        stops = strings.map { bytes in
            precondition(!bytes.isEmpty, "a stop string has at least one byte")
            var borders = [0]
            for index in 1..<max(bytes.count, 1) {
                var border = borders[index - 1]
                while border > 0, bytes[border] != bytes[index] { border = borders[border - 1] }
                borders.append(bytes[border] == bytes[index] ? border + 1 : 0)
            }
            return Stop(bytes: bytes, borders: borders)
        }
    }

    /// Bytes at the end of the text that may be the start of a stop string.
    var matchedCount: Int { stops.reduce(0) { max($0, $1.matched) } }

    /// Takes the next byte; where it completes stop strings, the longest of them, the first of equals.
    mutating func push(_ byte: UInt8) -> (index: Int, byteCount: Int)? {
        var found: (index: Int, byteCount: Int)?
        for index in stops.indices {
            var matched = stops[index].matched
            while matched > 0, stops[index].bytes[matched] != byte { matched = stops[index].borders[matched - 1] }
            if stops[index].bytes[matched] == byte { matched += 1 }
            if matched == stops[index].bytes.count {
                if matched > found?.byteCount ?? 0 { found = (index, matched) }
                matched = stops[index].borders[matched - 1]
            }
            stops[index].matched = matched
        }
        return found
    }
}
