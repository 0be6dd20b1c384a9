import Foundation
import HeddleCore
import HeddleFiles

/// Makes the lines of Goldens/corpus.py, and the checksums that it makes of what a tokenizer does.
struct FuzzCorpus {
    static let lineCount = 20_000
    static let linesPerDigest = 50
    static let rowCount = 4000
    static let rowsPerDigest = 50
    static let scalarsPerText = 32

    /// Texts that lines are made of, as UTF-8.
    private let groups: [[[UInt8]]]

    init() throws {
        groups =
            try GoldenFiles.family("ingredients.json").array?.map { group in
                group.array?.compactMap { text in if case .string(let string) = text { string.bytes } else { nil } }
                    ?? []
            } ?? []
    }

    /// The first lines, as bytes that need not be UTF-8.
    func lines(_ count: Int) -> [[UInt8]] {
        var generator = Generator(state: 33)
        return (0..<count).map { _ in line(&generator) }
    }

    private func line(_ generator: inout Generator) -> [UInt8] {
        var result: [UInt8] = []
        for _ in 0..<(1 + generator.below(8)) {
            let kind = generator.below(20)
            var piece: [UInt8]
            switch kind {
            case 0..<6: piece = groups[0][generator.below(groups[0].count)]
            case 6..<15: piece = groups[kind - 5][generator.below(groups[kind - 5].count)]
            case 15: piece = Self.encoded(UInt32(generator.below(0x110000)))
            case 16: piece = Self.encoded(UInt32(generator.below(0x3000)))
            case 17: piece = (0..<(1 + generator.below(4))).map { _ in UInt8(generator.below(256)) }
            case 18: piece = (0..<(1 + generator.below(8))).map { _ in UInt8(32 + generator.below(95)) }
            default: piece = [0x20]
            }
            if generator.below(8) == 0 { piece = Array(repeatElement(piece, count: 1 + generator.below(12)).joined()) }
            result += piece
        }
        return result
    }

    /// UTF-8, also of a surrogate, for which it is none.
    private static func encoded(_ value: UInt32) -> [UInt8] {
        if let scalar = Unicode.Scalar(value) { return Array(String(scalar).utf8) }
        return [
            UInt8(0xE0 | value >> 12), UInt8(0x80 | value >> 6 & 0x3F), UInt8(0x80 | value & 0x3F),
        ]
    }

    /// Rows of ids: every second id is out of all, the others are of byte tokens and such as are no whole characters.
    static func randomIDs(_ tokenizer: Tokenizer) -> [[TokenID]] {
        let count = (0..<TokenID(tokenizer.tokenCount)).count { tokenizer.tokenText($0) != nil }
        let broken = (0..<TokenID(count)).filter { token in
            tokenizer.decode([token], skipSpecialTokens: false).unicodeScalars.contains("\u{FFFD}")
                || tokenizer.tokenText(token)?.hasPrefix("<0x") == true
        }
        var generator = Generator(state: 44)
        return (0..<rowCount).map { _ in
            (0..<generator.below(12)).map { _ in
                !broken.isEmpty && generator.below(2) == 0
                    ? broken[generator.below(broken.count)] : TokenID(generator.below(count + 3))
            }
        }
    }

    /// SplitMix64.
    private struct Generator {
        var state: UInt64

        mutating func below(_ count: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((value ^ (value >> 31)) % UInt64(count))
        }
    }
}

/// The checksum of zlib and of Ethernet, over what a tokenizer did.
struct Checksum {
    private var value: UInt32 = 0xFFFF_FFFF

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = value >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] }
    }

    /// Adds numbers of 32 bits, and before them how many there are.
    mutating func add(_ tokens: [TokenID]) {
        for number in [TokenID(tokens.count)] + tokens {
            withUnsafeBytes(of: number.littleEndian) { add($0) }
        }
    }

    /// Adds UTF-8, and before it how many bytes there are.
    mutating func add(_ text: String) {
        withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { add($0) }
        add(text.utf8)
    }

    /// Eight digits.
    var text: String {
        let digits = String(~value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
