import HeddleCore
import HeddleFiles
import Testing

/// Every number here was written by the `tokenizers` library (Goldens/make_goldens.py).
@Suite struct TokenizerGoldenTests {
    @Test(arguments: GoldenFiles.tokenizers) func tokensOfTheFuzzCorpusEqualHuggingFaces(name: String) throws {
        let tokenizer = try GoldenFiles.tokenizer(name)
        let corpus = try GoldenFiles.corpus()
        let expected = try GoldenFiles.lines(name + ".expected.txt")
        try #require(corpus.count == expected.count && corpus.count == 2000)
        for (index, (text, line)) in zip(corpus, expected).enumerated() {
            let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
            try #require(fields.count == 3)
            let tokens = GoldenFiles.tokens(fields[0])
            let place =
                "\(name), line \(index + 1): \(String(decoding: text.prefix(200), as: UTF8.self).debugDescription)"
            try #require(try tokenizer.encode(utf8: text) == tokens, "\(place)")
            try #require(tokenizer.encode(String(decoding: text, as: UTF8.self)) == tokens, "\(place)")
            let plain = fields[1].elementsEqual([0x3D]) ? tokens : GoldenFiles.tokens(fields[1])
            try #require(
                try tokenizer.encode(utf8: text, addSpecialTokens: false, parseSpecialTokens: false) == plain,
                "\(place)")
            let decoded = fields[2].elementsEqual([0x3D]) ? text : try GoldenFiles.string(fields[2])
            try #require(Array(tokenizer.decode(tokens).utf8) == decoded, "\(place)")
        }
    }

    @Test(arguments: GoldenFiles.tokenizers) func decodedRandomTokensEqualHuggingFaces(name: String) throws {
        let tokenizer = try GoldenFiles.tokenizer(name)
        for line in try GoldenFiles.lines(name + ".decode.jsonl") {
            let fields = try #require(try JSONParser.parse(line).array)
            let tokens = try #require(fields[0].array).compactMap { $0.integer.map { TokenID($0) } }
            for (text, skips) in [(fields[1], true), (fields[2], false)] {
                guard case .string(let expected) = text else { throw GoldenFiles.Malformed() }
                try #require(
                    Array(tokenizer.decode(tokens, skipSpecialTokens: skips).utf8) == expected.bytes,
                    "\(name) \(tokens)")
                var decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: skips)
                var pieces: [UInt8] = []
                for token in tokens {
                    let piece = decoder.push(token)
                    pieces += Array(piece.utf8)
                }
                pieces += Array(decoder.finish().utf8)
                try #require(pieces == expected.bytes, "\(name) \(tokens), token by token")
            }
        }
    }

    /// One text around every scalar: the classes of all scalars, and their normal forms, are the crate's.
    @Test(arguments: GoldenFiles.tokenizers) func everyScalarIsTokenisedAsByHuggingFace(name: String) throws {
        let tokenizer = try GoldenFiles.tokenizer(name)
        let scalars = (0..<UInt32(0x110000)).compactMap { Unicode.Scalar($0) }
        let expected = try GoldenFiles.lines(name + ".scalars.txt").map { String(decoding: $0, as: UTF8.self) }
        for (block, start) in stride(from: 0, to: scalars.count, by: 4096).enumerated() {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for scalar in scalars[start..<min(start + 4096, scalars.count)] {
                let tokens = tokenizer.encode("a\(scalar)b 1\(scalar)  \(scalar)\(scalar)")
                for number in [TokenID(tokens.count)] + tokens {
                    hash = (hash ^ UInt64(UInt32(bitPattern: number))) &* 0x100_0000_01B3
                }
            }
            let digits = String(hash, radix: 16)
            #expect(
                String(repeating: "0", count: 16 - digits.count) + digits == expected[block],
                "\(name), scalars from U+\(String(scalars[start].value, radix: 16))")
        }
    }
}
