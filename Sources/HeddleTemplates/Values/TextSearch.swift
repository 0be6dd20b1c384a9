/// Finds a text in another in linear time (Knuth, Morris and Pratt), whatever both are.
struct TextSearch {
    let needle: [UInt8]
    private let failures: [Int]

    init(_ needle: [UInt8]) {
        self.needle = needle
        var failures = [Int](repeating: 0, count: needle.count)
        var matched = 0
        for index in needle.indices.dropFirst() {
            while matched > 0, needle[index] != needle[matched] { matched = failures[matched - 1] }
            if needle[index] == needle[matched] { matched += 1 }
            failures[index] = matched
        }
        self.failures = failures
    }

    /// The first place at or behind `start` where the needle lies before `end`; the needle is not empty.
    func first(in bytes: [UInt8], from start: Int, to end: Int) -> Int? {
        guard needle.count <= end - start else { return nil }
        var matched = 0
        for index in start..<end {
            while matched > 0, bytes[index] != needle[matched] { matched = failures[matched - 1] }
            if bytes[index] == needle[matched] { matched += 1 }
            if matched == needle.count { return index + 1 - needle.count }
        }
        return nil
    }

    /// All places that do not overlap, from the left; at most `countMax`.
    func all(in bytes: [UInt8], from start: Int, to end: Int, countMax: Int = .max) -> [Int] {
        var result: [Int] = []
        var position = start
        while result.count < countMax, let found = first(in: bytes, from: position, to: end) {
            result.append(found)
            position = found + needle.count
        }
        return result
    }
}

extension Text {
    /// The byte of the first occurrence in the bytes of `range`.
    func firstOffset(of needle: Text, in range: Range<Int>) -> Int? {
        if needle.isEmpty { return range.lowerBound }
        return TextSearch(needle.bytes).first(in: bytes, from: range.lowerBound, to: range.upperBound)
    }

    /// The byte of the last occurrence in the bytes of `range`.
    func lastOffset(of needle: Text, in range: Range<Int>) -> Int? {
        if needle.isEmpty { return range.upperBound }
        let reversed = Array(bytes[range].reversed())
        let found = TextSearch(needle.bytes.reversed()).first(in: reversed, from: 0, to: reversed.count)
        return found.map { range.upperBound - $0 - needle.bytes.count }
    }

    func contains(_ needle: Text) -> Bool { firstOffset(of: needle, in: 0..<bytes.count) != nil }

    /// Occurrences that do not overlap; one at each scalar and the end for an empty needle.
    func occurrences(of needle: Text, in range: Range<Int>) -> Int {
        if needle.isEmpty { return scalarIndex(range.upperBound) - scalarIndex(range.lowerBound) + 1 }
        return TextSearch(needle.bytes).all(in: bytes, from: range.lowerBound, to: range.upperBound).count
    }

    /// Where `replacing` would put a replacement: byte offsets, from the left.
    func places(of old: Text, countMax: Int) -> [Int] {
        guard old.isEmpty else {
            return TextSearch(old.bytes).all(in: bytes, from: 0, to: bytes.count, countMax: countMax)
        }
        var starts = bytes.indices.filter { bytes[$0] & 0xC0 != 0x80 }
        starts.append(bytes.count)
        return Array(starts.prefix(countMax))
    }

    /// With `new` at each of the places instead of so many bytes.
    func replacing(_ places: [Int], byteCount: Int, with new: Text) -> Text {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + places.count * max(0, new.bytes.count - byteCount))
        var position = 0
        for place in places {
            result += bytes[position..<place]
            result += new.bytes
            position = place + byteCount
        }
        result += bytes[position...]
        return Text(result)
    }
}
