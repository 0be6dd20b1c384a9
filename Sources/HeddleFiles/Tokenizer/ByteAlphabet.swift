/// Owns the alphabet in which byte-level vocabularies are written: GPT-2 gave each of the 256 bytes a printable character.
enum ByteAlphabet {
    /// The bytes that a token's text stands for; nil where it has a character outside the alphabet.
    static func bytes(of text: JSONString) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.bytes.count)
        for scalar in text.description.unicodeScalars {
            guard scalar.value < 0x144, let byte = byteOfScalar[Int(scalar.value)] else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// The UTF-8 of each byte's character.
    static let characters: [[UInt8]] = {
        var characters = [[UInt8]](repeating: [], count: 256)
        for (scalar, byte) in byteOfScalar.enumerated() {
            guard let byte else { continue }
            characters[Int(byte)].append(scalar: UInt32(scalar))
        }
        return characters
    }()

    /// Printable Latin-1 stands for itself; the other 68 bytes are U+0100 and following in rising order.
    private static let byteOfScalar: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 0x144)
        var next = 0x100
        for byte in UInt8.min...UInt8.max {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: table[Int(byte)] = byte
            default:
                table[next] = byte
                next += 1
            }
        }
        return table
    }()
}
