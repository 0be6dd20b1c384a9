import Foundation
import HeddleCore
import HeddleFiles
import Testing

@Suite struct TokenizerTests {
    /// A byte-level model whose tokens are the printable ASCII letters and one merge.
    private static let small = #"""
        {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [
          {"id": 4, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
         "normalizer": null,
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
         "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [4], "tokens": ["<s>"]}}},
         "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
         "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": {"a": 0, "b": 1, "Ġ": 2, "ab": 3}, "merges": [["a", "b"]]}}
        """#

    private func open(replacing old: String = "", with new: String = "") throws -> Tokenizer {
        let text = old.isEmpty ? Self.small : Self.small.replacingOccurrences(of: old, with: new)
        #expect(old.isEmpty || text != Self.small, "“\(old)” stands in the file")
        return try Tokenizer(json: Array(text.utf8))
    }

    @Test func aSmallTokenizerWorks() throws {
        let tokenizer = try open()
        #expect(tokenizer.encode("ab a") == [4, 3, 2, 0])
        #expect(tokenizer.encode("a<s>b", addSpecialTokens: false) == [0, 4, 1])
        #expect(
            tokenizer.encode("a<s>b", addSpecialTokens: false, parseSpecialTokens: false) == [0, 1],
            "bytes without a token are dropped")
        #expect(
            tokenizer.decode([4, 3, 2, 0]) == "ab a" && tokenizer.decode([4, 3], skipSpecialTokens: false) == "<s>ab")
        #expect(
            tokenizer.tokenCount == 5 && tokenizer.addedToken("<s>") == 4 && tokenizer.isSpecial(4)
                && !tokenizer.isSpecial(3))
    }

    @Test(arguments: [
        (
            #""truncation": null"#, #""truncation": {"max_length": 5}"#,
            #"truncation = {"max_length": 5} is not supported"#
        ),
        (#""padding": null"#, #""padding": {"strategy": "BatchLongest"}"#, "padding = "),
        (
            #""normalizer": null"#, #""normalizer": {"type": "BertNormalizer"}"#,
            #"normalizer = {"type": "BertNormalizer"} is not supported; Lowercase, NFC, "#
        ),
        (
            #""normalizer": null"#, #""normalizer": {"type": "Sequence", "normalizers": [{"type": "ByteLevel"}]}"#,
            "normalizer.normalizers[0] = "
        ),
        (
            #""pre_tokenizer": {"type": "ByteLevel""#, #""pre_tokenizer": {"type": "BertPreTokenizer""#,
            "pre_tokenizer = "
        ),
        (#""use_regex": true},"#, #""use_regex": true, "x": 1},"#, "pre_tokenizer.x = 1 is not supported"),
        (
            #""pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}"#,
            #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "(\\w)\\1"}, "behavior": "Isolated", "invert": false}, {"type": "ByteLevel"}]}"#,
            #"pre_tokenizer.pretokenizers[0].pattern = {"Regex": "(\w)\1"} is not supported; at scalar 6 “\1” is not understood"#
        ),
        (
            #""pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}"#,
            #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}, {"type": "ByteLevel"}]}"#,
            #"pre_tokenizer.pretokenizers[0] = {"type": "UnicodeScripts"} is not supported"#
        ),
        (#""decoder": {"type": "ByteLevel""#, #""decoder": {"type": "WordPiece""#, "decoder = "),
        (#""type": "TemplateProcessing""#, #""type": "OtherProcessing""#, "post_processor = "),
        (#""ids": [4]"#, #""ids": [9]"#, "post_processor.special_tokens.<s>.ids[0]: 9 is outside the vocabulary of 5"),
        (#"{"Sequence": {"id": "A""#, #"{"Sequence": {"id": "B""#, "post_processor.single[1] = "),
        (
            #"{"type": "BPE""#, #"{"type": "WordPiece""#,
            #"model.type = "WordPiece" is not supported; BPE, Unigram and WordLevel are"#
        ),
        (#""dropout": null"#, #""dropout": 0.1"#, "model.dropout = 0.1 is not supported"),
        (#""byte_fallback": false"#, #""byte_fallback": true"#, "model.byte_fallback = true is not supported"),
        (
            #""end_of_word_suffix": null"#, #""end_of_word_suffix": "</w>""#,
            #"model.end_of_word_suffix = "</w>" is not supported"#
        ),
        (#""ab": 3}"#, #""ab": 1}"#, #"model.vocab["ab"]: token 1 is taken by another text"#),
        (#""ab": 3}"#, #""ab": -1}"#, #"model.vocab["ab"]: -1 is no token"#),
        (#""ab": 3}"#, #""ab": 3, "ab": 7}"#, "the key “ab” stands twice"),
        (
            #"["a", "b"]"#, #"["a", "c"]"#,
            "model.merges: merge 0 needs the token “c”, which the vocabulary does not have"
        ),
        (#"["a", "b"]"#, #"["b", "a"]"#, "merge 0 needs the token “ba”"),
        (#"["a", "b"]"#, #""ab""#, "merge 0 is neither two texts nor one text with a space"),
        (
            #"{"id": 4, "content""#, #"{"id": 6, "content""#,
            "added_tokens[0]: “<s>” has id 6, but the vocabulary gives it 4"
        ),
        (#""special": true}"#, #""special": true, "y": 1}"#, "added_tokens[0].y = 1 is not supported"),
        (
            #""version": "1.0""#, #""version": "1.0", "extra": {}"#,
            "extra = {} is not supported; the field is unknown and may change the tokens"
        ),
    ])
    func whatIsNotUnderstoodIsRefusedByName(old: String, new: String, message: String) {
        let text = errorText { _ = try open(replacing: old, with: new) }
        #expect(text?.contains(message) == true, "\(text ?? "accepted")")
    }

    @Test func missingFilesAreNamed() throws {
        let folder = try TemporaryFolder()
        #expect(errorText { _ = try Tokenizer(path: folder.path) } == "there is no file \(folder.path)/tokenizer.json")
        try folder.write("tokenizer.json", Self.small)
        #expect(try Tokenizer(path: folder.path).encode("ab") == [4, 3])
        #expect(try Tokenizer(path: folder.path + "/tokenizer.json").encode("ab") == [4, 3])
        try folder.write("tokenizer.json", "{")
        #expect(
            errorText { _ = try Tokenizer(path: folder.path) }
                == "\(folder.path)/tokenizer.json is not JSON: line 1, column 2: the text ends inside a value")
    }

    @Test func bytesThatAreNoTextAreRefusedWithTheirPlace() throws {
        let tokenizer = try open()
        #expect(errorText { _ = try tokenizer.encode(utf8: [0x61, 0x62, 0xC3]) } == "the text is not UTF-8 at byte 2")
        #expect(errorText { _ = try tokenizer.encode(utf8: [0xED, 0xA0, 0x80]) } == "the text is not UTF-8 at byte 0")
        #expect(try tokenizer.encode(utf8: [0x61]) == [4, 0])
    }

    @Test func canonicallyEquivalentTokensStayApart() throws {
        // “é” in one scalar and in two are different tokens, as in every vocabulary with accents.
        let tokenizer = try open(
            replacing: #""vocab": {"a": 0, "b": 1, "Ġ": 2, "ab": 3}, "merges": [["a", "b"]]"#,
            with: #""vocab": {"Ã": 0, "©": 1, "Ã©": 2, "e": 3}, "merges": [["Ã", "©"]]"#)
        #expect(tokenizer.encode("\u{E9}e\u{301}", addSpecialTokens: false) == [2, 3])
    }

    /// A mutated tokenizer.json gives an error or a tokenizer that works.
    @Test func mutatedFilesNeverTrap() throws {
        let seed = Array(Self.small.utf8)
        var generator = SeededGenerator(state: 5)
        var accepted = 0
        for _ in 0..<6000 {
            var text = seed
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text[place] = UInt8.random(in: 0x20...0x7E, using: &generator)
                case 1: text.remove(at: place)
                case 2: text.insert(text[Int.random(in: 0..<text.count, using: &generator)], at: place)
                default: text.replaceSubrange(place..<min(place + 4, text.count), with: Array("null".utf8))
                }
            }
            guard let tokenizer = try? Tokenizer(json: text) else { continue }
            accepted += 1
            _ = tokenizer.decode(tokenizer.encode("ab <s> ab\n'll 12 é"))
        }
        #expect(accepted > 0 && accepted < 6000)
    }

    /// Words as long as a prompt: work that grows with the square of their length would not end in hours.
    @Test func hostileTextsTakeNoLongerThanOthers() throws {
        let texts = [
            String(repeating: "a", count: 1 << 18), String(repeating: "ab", count: 1 << 17),
            String(repeating: " ", count: 1 << 18) + "x",
            String(repeating: " \n", count: 1 << 17) + "x", String(repeating: "a\u{301}\u{316}", count: 1 << 16),
            "a" + String(repeating: "\u{316}\u{301}", count: 1 << 16),
            String(repeating: "<|reserved_special_", count: 1 << 13),
            String(repeating: "'", count: 1 << 18), String(repeating: "9", count: 1 << 18),
            String(repeating: "    <left>", count: 1 << 14),
        ]
        for name in GoldenFiles.tokenizers {
            let tokenizer = try GoldenFiles.tokenizer(name)
            for text in texts {
                let tokens = tokenizer.encode(text)
                #expect(tokens.count <= 6 * text.utf8.count)
                _ = tokenizer.decode(tokens)
            }
        }
    }
}

extension TokenizerTests {
    @Test func tokensAreGivenAsTheFileSpellsThem() throws {
        let llama = try GoldenFiles.familyTokenizer("llama2")
        let tokens = llama.encode("the\nthe", addSpecialTokens: false)
        #expect(tokens.map { llama.tokenText($0) ?? "" }.joined() == "▁the<0x0A>the")
        #expect(llama.tokenText(1) == "<s>" && llama.tokenText(-1) == nil && llama.tokenText(.max) == nil)
        let newline = try #require(tokens.first { llama.tokenText($0) == "<0x0A>" })
        #expect(
            llama.tokenBytes(newline) == [0x0A] && tokens.flatMap { llama.tokenBytes($0) } == Array(" the\nthe".utf8))
        #expect(llama.decode(tokens) == "the\nthe")
    }

    /// Bytes in a row are text only where all of them are: the text waits for the end of the row.
    @Test func byteTokensWaitForTheEndOfTheirRow() throws {
        let llama = try GoldenFiles.familyTokenizer("llama2")
        func byte(_ byte: Int) throws -> TokenID {
            let name = "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
            return try #require((0..<TokenID(llama.tokenCount)).first { llama.tokenText($0) == name })
        }
        let letter = try #require(llama.encode("the", addSpecialTokens: false).first)
        var decoder = IncrementalDecoder(llama)
        #expect(try decoder.push(byte(0xC3)) == "" && decoder.push(byte(0xA9)) == "" && decoder.push(letter) == "é the")
        #expect(try decoder.push(byte(0xC3)) == "" && decoder.push(byte(0x41)) == "")
        #expect(decoder.finish() == "\u{FFFD}\u{FFFD}" && decoder.finish() == "")
        #expect(decoder.push(letter) == "the", "the space before the first token alone is taken away")
    }
}
