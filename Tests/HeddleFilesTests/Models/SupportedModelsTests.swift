import Foundation
import HeddleFiles
import Testing

/// The page that says what is read is held to the code that reads it.
@Suite struct SupportedModelsTests {
    private static func rows(under title: String) throws -> [[String]] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("Docs/MODELS.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix(title) })
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.dropFirst().map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
        }
    }

    @Test func everyArchitectureStandsOnThePage() throws {
        let found = try Self.rows(under: "Architectures").map { Array($0.prefix(2)) }
        #expect(found == Architecture.allCases.map { [$0.rawValue, $0.modelType] })
    }

    @Test(arguments: ["default", "linear", "dynamic", "llama3", "yarn", "longrope", "ntk", "su", "mrope"])
    func aRotaryEmbeddingIsReadIfThePageSaysSo(type: String) throws {
        let listed = try Self.rows(under: "Rotary embeddings").compactMap(\.first)
        let scaling: [String: Any] = [
            "rope_type": type, "factor": 2.0, "original_max_position_embeddings": 64, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "short_factor": [1.0, 1.0, 1.0, 1.0], "long_factor": [2.0, 2.0, 2.0, 2.0],
        ]
        let wanted: Set<String> =
            switch type {
            case "llama3":
                ["rope_type", "factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"]
            case "longrope":
                ["rope_type", "factor", "original_max_position_embeddings", "short_factor", "long_factor"]
            case "default": ["rope_type"]
            case "yarn": ["rope_type", "factor", "original_max_position_embeddings"]
            default: ["rope_type", "factor"]
            }
        let config: [String: Any] = [
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 16, "num_attention_heads": 2,
            "num_key_value_heads": 1, "vocab_size": 32, "num_hidden_layers": 1, "intermediate_size": 24,
            "max_position_embeddings": 128, "rope_theta": 10_000.0,
            "rope_scaling": scaling.filter { wanted.contains($0.key) },
        ]
        let folder = try TemporaryFolder()
        try JSONSerialization.data(withJSONObject: config).write(
            to: URL(fileURLWithPath: folder.path + "/config.json"))
        let refusals = ModelFolder.refusals(path: folder.path).map(\.description).filter { $0.contains("rope") }
        #expect(refusals.isEmpty == listed.contains(type), "\(type): \(refusals)")
    }

    /// The names between commas of one row of the tokenisers' table, without what stands in brackets.
    private static func names(of row: String) throws -> Set<String> {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("Docs/MODELS.md"), encoding: .utf8)
        let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("| \(row) |") })
        let list = line.split(separator: "|")[1].replacing(#/\([^)]*\)/#, with: "")
        return Set(list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
    }

    /// Parts of a tokenizer.json by their type; `null` stands for no further field.
    private static let parts: [String: [String: String]] = [
        "normalizers": [
            "NFC": "", "NFD": "", "NFKC": "", "NFKD": "", "Lowercase": "", "StripAccents": "", "Nmt": "",
            "Strip": #","strip_left":true,"strip_right":true"#, "Prepend": #","prepend":"_""#,
            "Replace": #","pattern":{"String":"a"},"content":"b""#, "Sequence": #","normalizers":[]"#,
            "Precompiled": #","precompiled_charsmap":"""#,
            "BertNormalizer": #","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true"#,
        ],
        "pre-tokenizers": [
            "ByteLevel": #","add_prefix_space":false,"trim_offsets":true,"use_regex":true"#,
            "Split": #","pattern":{"String":"a"},"behavior":"Isolated","invert":false"#,
            "Metaspace": #","replacement":"▁","prepend_scheme":"always","split":true"#, "Whitespace": "",
            "WhitespaceSplit": "", "Digits": #","individual_digits":true"#, "Punctuation": #","behavior":"Isolated""#,
            "CharDelimiterSplit": #","delimiter":"a""#, "Sequence": #","pretokenizers":[]"#, "BertPreTokenizer": "",
            "UnicodeScripts": "", "FixedLength": #","length":5"#,
        ],
        "decoders": [
            "ByteLevel": #","add_prefix_space":false,"trim_offsets":true,"use_regex":true"#, "ByteFallback": "",
            "Fuse": "", "Metaspace": #","replacement":"▁","prepend_scheme":"always","split":true"#,
            "Replace": #","pattern":{"String":"a"},"content":"b""#, "Strip": #","content":" ","start":1,"stop":0"#,
            "Sequence": #","decoders":[]"#, "WordPiece": #","prefix":"aa","cleanup":true"#,
            "BPEDecoder": #","suffix":"a""#,
            "CTC": #","pad_token":"a","word_delimiter_token":"b","cleanup":true"#,
        ],
    ]

    @Test(arguments: [
        ("normalizers", "normalizer"), ("pre-tokenizers", "pre_tokenizer"), ("decoders", "decoder"),
    ])
    func aPartOfATokenizerIsReadIfThePageSaysSo(row: String, field: String) throws {
        let listed = try Self.names(of: row)
        let parts = try #require(Self.parts[row])
        #expect(listed.isSubset(of: parts.keys), "\(listed.subtracting(parts.keys)) cannot be tried")
        for (type, fields) in parts.sorted(by: { $0.key < $1.key }) {
            let json =
                #"{"version":"1.0","added_tokens":[],"\#(field)":{"type":"\#(type)"\#(fields)},"#
                + #""model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}"#
            let error = errorText { _ = try Tokenizer(json: Array(json.utf8)) }
            let isRefused = error?.contains("not supported") == true
            #expect(isRefused != listed.contains(type), "\(type): \(error ?? "read")")
        }
    }

    @Test func whatIsUsedOfTheGenerationConfigurationStandsOnThePage() throws {
        #expect(try Set(Self.rows(under: "Sampling").map { $0[0] }) == Set(GenerationFields.used))
    }
}
