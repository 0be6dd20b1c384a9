/// Owns the tokens of a model as the file spells them.
struct Vocabulary: Sendable {
    /// By id; empty where there is no token.
    private(set) var texts: [[UInt8]] = []
    private(set) var isTaken: [Bool] = []
    /// Entries of the vocabulary, which is where the crate starts to number added tokens.
    private(set) var count = 0
    private var ids: ByteTable

    init(capacity: Int) { ids = ByteTable(capacity: capacity + 1) }

    /// Adds a token; false where its id is taken by another.
    mutating func insert(_ text: [UInt8], _ id: Int32) -> Bool {
        while texts.count <= Int(id) {
            texts.append([])
            isTaken.append(false)
        }
        guard !isTaken[Int(id)] else { return false }
        isTaken[Int(id)] = true
        texts[Int(id)] = text
        count += 1
        ids.set(text, id)
        return true
    }

    /// The token of this text; of several the last.
    subscript(text: [UInt8]) -> Int32? { ids[text] }

    subscript(text: UnsafeBufferPointer<UInt8>) -> Int32? { ids[text] }

    /// The tokens `<0x00>` to `<0xFF>`, which stand for bytes; -1 where there is none.
    var byteTokens: [Int32] {
        let digits = Array("0123456789ABCDEF".utf8)
        return (0..<256).map { byte in
            self[Array("<0x".utf8) + [digits[byte / 16], digits[byte % 16], UInt8(ascii: ">")]] ?? -1
        }
    }
}
