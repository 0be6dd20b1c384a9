import HeddleCore
import HeddleFiles
import Testing

/// Every number here was written by the `tokenizers` library (Goldens/make_tokenizer_goldens.py).
@Suite struct FamilyGoldenTests {
    static let families = [
        "llama2", "tinyllama", "phi3", "mistral", "gemma", "unknowns", "t5", "xlmr", "albert", "unigram_bytes",
        "cl100k",
        "o200k", "deepseek", "falcon", "word_level",
    ]

    /// 20,000 lines over all planes, some of them no UTF-8: ids, ids without special tokens, and texts of the ids, whole and
    /// token by token.
    @Test(arguments: families) func linesEqualHuggingFaces(family: String) throws {
        let tokenizer = try GoldenFiles.familyTokenizer(family)
        let expected = try GoldenFiles.digests(family)[0]
        try #require(expected.count == FuzzCorpus.lineCount / FuzzCorpus.linesPerDigest)
        #expect(try Self.firstOddLines(tokenizer, expected) == nil)
    }

    @Test(arguments: families) func textsOfRandomTokensEqualHuggingFaces(family: String) throws {
        let expected = try GoldenFiles.digests(family)[1]
        #expect(Self.firstOddRows(try GoldenFiles.familyTokenizer(family), expected) == nil)
    }

    /// One text around every scalar: all classes and mappings of all scalars are the crate's.
    @Test(arguments: families) func everyScalarIsTokenisedAsByHuggingFace(family: String) throws {
        let expected = try GoldenFiles.digests(family)[2]
        let tokenizer = try GoldenFiles.familyTokenizer(family)
        #expect(Self.firstOddText(tokenizer, expected) == nil)
    }

    /// Normalizers, pre-tokenizers and decoders one by one.
    @Test func everyPartDoesWhatHuggingFacesDoes() throws {
        let lines = try GoldenFiles.lines("Families/variants.json")
        let bases = try #require(try JSONParser.parse(lines[0]).object)
        let (cutters, decoders) = (try #require(bases["cutters"]), try #require(bases["decoders"]))
        var count = 0
        for line in lines[1...] {
            let item = try #require(try JSONParser.parse(line).object)
            let name = String(decoding: line.prefix(300), as: UTF8.self)
            if let digests = item["ids"]?.text {
                let tokenizer = try Tokenizer(json: GoldenFiles.json(decoders, replacing: item))
                #expect(Self.firstOddRows(tokenizer, digests.split(separator: " ").map(String.init)) == nil, "\(name)")
            } else {
                let tokenizer = try Tokenizer(json: GoldenFiles.json(cutters, replacing: item))
                let digests = try #require(item["lines"]?.text).split(separator: " ").map(String.init)
                #expect(try Self.firstOddLines(tokenizer, digests) == nil, "\(name)")
                if let scalars = item["scalars"]?.text {
                    let digests = scalars.split(separator: " ").map(String.init)
                    #expect(Self.firstOddText(tokenizer, digests) == nil, "\(name)")
                }
            }
            count += 1
        }
        #expect(count > 100)
    }

    /// The first line of the first block whose checksum differs.
    private static func firstOddLines(_ tokenizer: Tokenizer, _ expected: [String]) throws -> Int? {
        let lines = try FuzzCorpus().lines(expected.count * FuzzCorpus.linesPerDigest)
        for (block, digest) in expected.enumerated() {
            var checksum = Checksum()
            for line in lines[(block * FuzzCorpus.linesPerDigest)..<((block + 1) * FuzzCorpus.linesPerDigest)] {
                let text = String(decoding: line, as: UTF8.self)
                let tokens = tokenizer.encode(text)
                checksum.add(tokens)
                checksum.add(tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false))
                for skips in [true, false] { checksum.add(decoded(tokenizer, tokens, skips)) }
            }
            if checksum.text != digest { return block * FuzzCorpus.linesPerDigest }
        }
        return nil
    }

    /// The first row of the first block whose checksum differs.
    private static func firstOddRows(_ tokenizer: Tokenizer, _ expected: [String]) -> Int? {
        let rows = FuzzCorpus.randomIDs(tokenizer)
        for (block, digest) in expected.enumerated() {
            var checksum = Checksum()
            for row in rows[(block * FuzzCorpus.rowsPerDigest)..<((block + 1) * FuzzCorpus.rowsPerDigest)] {
                for skips in [true, false] { checksum.add(decoded(tokenizer, row, skips)) }
            }
            if checksum.text != digest { return block * FuzzCorpus.rowsPerDigest }
        }
        return nil
    }

    /// The first scalar of the first block of texts whose checksum differs.
    private static func firstOddText(_ tokenizer: Tokenizer, _ expected: [String]) -> UInt32? {
        let scalars = (0..<UInt32(0x110000)).compactMap { Unicode.Scalar($0) }
        let textCount = (scalars.count + FuzzCorpus.scalarsPerText - 1) / FuzzCorpus.scalarsPerText
        let blockCount = (textCount + expected.count - 1) / max(expected.count, 1) * FuzzCorpus.scalarsPerText
        for (block, digest) in expected.enumerated() {
            var checksum = Checksum()
            let end = min((block + 1) * blockCount, scalars.count)
            for start in stride(from: block * blockCount, to: end, by: FuzzCorpus.scalarsPerText) {
                let part = scalars[start..<min(start + FuzzCorpus.scalarsPerText, end)]
                checksum.add(tokenizer.encode(part.map { "a\($0)b 1\($0) " }.joined()))
            }
            if checksum.text != digest { return scalars[block * blockCount].value }
        }
        return nil
    }

    /// The text of tokens, which token by token is the same; otherwise no text that a checksum expects.
    private static func decoded(_ tokenizer: Tokenizer, _ tokens: [TokenID], _ skips: Bool) -> String {
        let whole = tokenizer.decode(tokens, skipSpecialTokens: skips)
        var decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: skips)
        var text = ""
        for token in tokens { text += decoder.push(token) }
        text += decoder.finish()
        return text.utf8.elementsEqual(whole.utf8) ? whole : "token by token: \(text)"
    }
}
