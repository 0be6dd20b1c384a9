/// A module's full name, prepared to be compared with many patterns: where each character stands, as sets of positions.
package struct ModuleName: Sendable {
    /// The longest name that fits a set of positions, its end included.
    static let countMax = 127

    package let text: String
    /// Characters, all ASCII.
    let count: Int
    /// Positions at which exactly one of the characters before and behind belongs to a word.
    let boundaries: UInt128
    private let characters: [(character: UInt8, positions: UInt128)]

    /// Takes the name of a base model's module.
    package init(_ text: String) {
        guard let name = ModuleName(found: text) else {
            preconditionFailure("a module's name has at most \(Self.countMax) ASCII characters: \(text)")
        }
        self = name
    }

    /// Takes a name that stands in a file; nil where it is no ASCII, or longer than any module's.
    init?(found text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.countMax, bytes.allSatisfy({ $0 < 128 }) else { return nil }
        self.text = text
        count = bytes.count
        var sets = [UInt128](repeating: 0, count: 128)
        for (position, byte) in bytes.enumerated() { sets[Int(byte)] |= 1 << UInt128(position) }
        characters = sets.enumerated().filter { $0.element != 0 }.map { (UInt8($0.offset), $0.element) }
        var words: UInt128 = 0
        for (position, byte) in bytes.enumerated() where Self.isOfWord(byte) { words |= 1 << UInt128(position) }
        // Bit p of `words << 1` is the character before position p.
        boundaries = words ^ (words << 1)
    }

    /// The name, and what stands behind each of its dots.
    var endings: [JSONString] {
        let bytes = Array(text.utf8)
        return bytes.indices.filter { $0 == 0 || bytes[$0 - 1] == UInt8(ascii: ".") }.map {
            JSONString(Array(bytes[$0...]))
        }
    }

    /// The set that holds the position behind the last character.
    var endBit: UInt128 { 1 << UInt128(count) }

    func positions(of character: UInt8) -> UInt128 {
        for entry in characters where entry.character == character { return entry.positions }
        return 0
    }

    /// Positions of all characters whose bits are set.
    func positions(ofAny wanted: UInt128) -> UInt128 {
        var positions: UInt128 = 0
        for entry in characters where wanted >> UInt128(entry.character) & 1 == 1 { positions |= entry.positions }
        return positions
    }

    /// A letter, a digit or an underscore.
    static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
