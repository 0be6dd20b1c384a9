/// Owns one Python string: valid UTF-8, counted, cut and compared by Unicode scalars as Python does, never by Swift's
/// characters.
struct Text: Hashable, Sendable {
    let bytes: [UInt8]
    /// Whether a scalar's number is its byte's.
    let isASCII: Bool

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        isASCII = bytes.allSatisfy { $0 < 0x80 }
    }

    init(_ string: String) { self.init(Array(string.utf8)) }

    static let empty = Text([])

    static func == (left: Text, right: Text) -> Bool { left.bytes == right.bytes }

    func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

    var isEmpty: Bool { bytes.isEmpty }

    /// Scalars.
    var count: Int { isASCII ? bytes.count : bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } }

    var description: String { String(decoding: bytes, as: UTF8.self) }

    var scalars: String.UnicodeScalarView { description.unicodeScalars }

    /// Whether this is `word`, byte for byte.
    func equals(_ word: String) -> Bool { bytes.elementsEqual(word.utf8) }

    /// Order by scalars, which is that of the bytes.
    func precedes(_ other: Text) -> Bool { bytes.lexicographicallyPrecedes(other.bytes) }

    static func + (left: Text, right: Text) -> Text { Text(left.bytes + right.bytes) }

    // MARK: places

    /// Where the scalar of this number starts; the byte count for all behind the last.
    func byteOffset(_ scalarIndex: Int) -> Int {
        if isASCII { return min(max(scalarIndex, 0), bytes.count) }
        var left = scalarIndex
        for (offset, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if left <= 0 { return offset }
            left -= 1
        }
        return bytes.count
    }

    /// The number of the scalar that starts at this byte.
    func scalarIndex(_ byteOffset: Int) -> Int {
        isASCII ? byteOffset : bytes[..<byteOffset].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }

    /// Scalars from `start` to before `end`, both inside.
    func slice(_ start: Int, _ end: Int) -> Text {
        guard start < end else { return .empty }
        return Text(Array(bytes[byteOffset(start)..<byteOffset(end)]))
    }

    /// One text for each scalar.
    var elements: [Text] {
        var result: [Text] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let count = Scan.scalar(bytes, index).byteCount
            result.append(Text(Array(bytes[index..<(index + count)])))
            index += count
        }
        return result
    }

    // MARK: ends

    func hasPrefix(_ prefix: Text) -> Bool { bytes.starts(with: prefix.bytes) }

    func hasSuffix(_ suffix: Text) -> Bool {
        bytes.count >= suffix.bytes.count && bytes.suffix(suffix.bytes.count).elementsEqual(suffix.bytes)
    }

    /// Without the scalars of `set` at its ends; without whitespace where there is no set.
    func stripped(of set: Text?, left: Bool = true, right: Bool = true) -> Text {
        let members = set.map { Set($0.scalars) }
        func isIn(_ scalar: Unicode.Scalar) -> Bool { members?.contains(scalar) ?? Scan.isSpace(scalar) }
        var start = 0
        var end = bytes.count
        while left, start < end {
            let (scalar, count) = Scan.scalar(bytes, start)
            guard isIn(scalar) else { break }
            start += count
        }
        while right, end > start {
            let (scalar, count) = Scan.scalar(bytes, before: end)
            guard isIn(scalar) else { break }
            end -= count
        }
        return start == 0 && end == bytes.count ? self : Text(Array(bytes[start..<end]))
    }
}
