import Foundation
import HeddleCore
import HeddleFiles
import HeddleGrammar
import Testing

/// Schemas and texts that `Goldens/make_goldens.py` wrote; the jsonschema package said which texts are valid.
struct SchemaGolden: Sendable {
    let schema: String
    let valid: [String]
    let invalid: [String]

    static let all: [SchemaGolden] = {
        guard let folder = Bundle.module.resourceURL,
            let data = try? Data(contentsOf: folder.appendingPathComponent("Goldens/schemas.jsonl"))
        else { return [] }
        return data.split(separator: 0x0A).compactMap { line in
            guard let object = (try? JSONParser.parse(Array(line)))?.object else { return nil }
            let texts = { (key: String) in (object[key]?.array ?? []).compactMap(\.text) }
            return SchemaGolden(schema: object["schema"]?.text ?? "", valid: texts("valid"), invalid: texts("invalid"))
        }
    }()
}

/// Vocabularies of several families, trained for other tests and for the demo.
enum Vocabularies {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// Byte-level BPE of four kinds, SentencePiece BPE with byte fallback, and the shipped demo's.
    static let paths = [
        "gpt2": "Tests/HeddleFilesTests/Goldens/gpt2.tokenizer.json",
        "llama3": "Tests/HeddleFilesTests/Goldens/llama3.tokenizer.json",
        "qwen2": "Tests/HeddleFilesTests/Goldens/qwen2.tokenizer.json",
        "llama2": "Tests/HeddleFilesTests/Goldens/Families/llama2.json",
        "demo": "Cluster/demo/model/tokenizer.json",
    ]

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(path: root.appendingPathComponent(try #require(paths[name])).path)
    }

    static func vocabulary(_ tokenizer: Tokenizer) -> TokenVocabulary {
        TokenVocabulary(tokenizer, vocabularyCount: tokenizer.tokenCount, endTokens: [])
    }

    /// Single bytes, and `count` tokens of the kinds that large vocabularies have.
    static func synthetic(_ count: Int) -> [[UInt8]] {
        var generator = SeededGenerator(seed: 7)
        var tokens = (0...255).map { [UInt8($0)] }
        let letters = Array(" etaoinshrdlucmfwypvbgkjqxz".utf8)
        let marks = Array("ETAOIN0123456789\"{}[]:,\\.-_/\n\t".utf8) + Array("éüß€中😀".utf8)
        let structure = ["\": \"", "\",\"", "\"}", "}]", "{\"", "\": ", ", \"", "],[", "null", "true", "false", "}},"]
        while tokens.count < count {
            let length = Int.random(in: 2...(tokens.count % 50 == 0 ? 24 : 9), using: &generator)
            if tokens.count % 97 == 0 {
                tokens.append([UInt8](repeating: 0x20, count: length))
            } else if tokens.count % 89 == 0, let text = structure.randomElement(using: &generator) {
                tokens.append(Array(text.utf8))
            } else {
                tokens.append(
                    (0..<length).map { _ in
                        let isMark = Int.random(in: 0..<8, using: &generator) == 0
                        return (isMark ? marks : letters).randomElement(using: &generator) ?? 0x20
                    })
            }
        }
        return tokens
    }
}

/// A generator whose whole sequence follows from its seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension TokenMask {
    /// One of the tokens, each as likely as any other.
    func random(_ generator: inout SeededGenerator) -> TokenID? {
        let count = count
        guard count > 0 else { return nil }
        var left = Int.random(in: 0..<count, using: &generator)
        for (index, word) in words.enumerated() {
            guard left >= word.nonzeroBitCount else {
                var word = word
                for _ in 0..<left { word &= word - 1 }
                return TokenID(index * 64 + word.trailingZeroBitCount)
            }
            left -= word.nonzeroBitCount
        }
        return nil
    }
}

extension ConstraintMatcher {
    /// The state behind a text, token by token as the tokenizer divides it; nil where one of them may not come.
    func state(afterTokens tokens: [TokenID]) -> ConstraintState? {
        var state = start
        for token in tokens {
            guard mask(of: state).contains(token), let next = self.state(after: token, from: state) else { return nil }
            state = next
        }
        return state
    }

    /// Draws an answer from masks alone, with a leaning to what ends things; nil where it did not end.
    func randomAnswer(_ generator: inout SeededGenerator, closers: [TokenID], tokenCountMax: Int) -> [TokenID]? {
        var state = start
        var tokens: [TokenID] = []
        while tokens.count < tokenCountMax {
            let mask = mask(of: state)
            #expect(mask.allowsEnd || !mask.isEmpty, "something may always come")
            #expect(mask.allowsEnd == state.isComplete)
            if mask.allowsEnd, mask.isEmpty || Int.random(in: 0..<3, using: &generator) == 0 { return tokens }
            let isClosing = tokens.count > 60 || Int.random(in: 0..<4, using: &generator) > 0
            let closer = isClosing ? closers.shuffled(using: &generator).first { mask.contains($0) } : nil
            guard let token = closer ?? mask.random(&generator), let next = self.state(after: token, from: state) else {
                Issue.record("the mask let a token come that the automaton does not")
                return nil
            }
            tokens.append(token)
            state = next
        }
        return nil
    }
}
