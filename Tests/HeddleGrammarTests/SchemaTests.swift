import Foundation
import HeddleCore
import HeddleFiles
import HeddleGrammar
import Testing

/// What schemas let through, against the jsonschema package's word.
@Suite struct SchemaTests {
    @Test(arguments: Vocabularies.paths.keys.sorted())
    func everyValidTextIsLetThroughTokenByToken(family: String) throws {
        let tokenizer = try Vocabularies.tokenizer(family)
        let vocabulary = Vocabularies.vocabulary(tokenizer)
        let goldens = SchemaGolden.all
        #expect(goldens.count == 500)
        var count = 0
        // Every family has its own fifth, and the demo's all.
        let share = family == "demo" ? 1 : 5
        for (index, golden) in goldens.enumerated() where index % share == 0 {
            let matcher = ConstraintMatcher(
                try Automaton(.jsonSchema(golden.schema), bytes: vocabulary.spelled), vocabulary: vocabulary)
            for text in golden.valid {
                let tokens = tokenizer.encode(text, addSpecialTokens: false)
                let state = matcher.state(afterTokens: tokens)
                #expect(state?.isComplete == true, "\(text) under \(golden.schema)")
                count += 1
            }
        }
        #expect(count > 250)
    }

    @Test func noInvalidTextIsLetThrough() throws {
        let vocabulary = TokenVocabulary(tokenCount: 256) { [UInt8($0)] }
        var count = 0
        for golden in SchemaGolden.all {
            let matcher = ConstraintMatcher(try Automaton(.jsonSchema(golden.schema)), vocabulary: vocabulary)
            for text in golden.invalid {
                let state = matcher.state(afterTokens: text.utf8.map { TokenID($0) })
                #expect(state?.isComplete != true, "\(text) under \(golden.schema)")
                count += 1
            }
        }
        #expect(count > 1500)
    }

    @Test func whatIsNotJSONIsNotLetThrough() throws {
        let vocabulary = TokenVocabulary(tokenCount: 256) { [UInt8($0)] }
        let object = ConstraintMatcher(try Automaton(.jsonObject), vocabulary: vocabulary)
        let any = ConstraintMatcher(try Automaton(.jsonSchema("true")), vocabulary: vocabulary)
        let bad: [[UInt8]] =
            [
                "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":01}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":+1}",
                "{\"a\":NaN}",
                "{\"a\":\"\\x\"}", "{\"a\":\"\n\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\\ud800\"}", "{} ", "{}{}",
                "{\"a\":[1,]}", "{\"a\":tru}", "{\"a\":'b'}",
            ].map { Array($0.utf8) } + [
                [0x7B, 0x22, 0xC3, 0x22], [0x7B, 0x22, 0xED, 0xA0, 0x80, 0x22], [0xEF, 0xBB, 0xBF, 0x7B],
            ]
        for text in bad {
            #expect(object.state(afterTokens: text.map { TokenID($0) })?.isComplete != true)
            #expect(any.state(afterTokens: text.map { TokenID($0) })?.isComplete != true)
        }
        for text in ["[]", "1", "\"a\"", "null"] {
            #expect(object.state(afterTokens: text.utf8.map { TokenID($0) }) == nil, "only an object is")
            #expect(any.state(afterTokens: text.utf8.map { TokenID($0) })?.isComplete == true)
        }
        for text in [
            "{}", " {\"a\" : [ 1 , -0.5e+3 ] , \"\\u00e9\" : {\"\\n\":null}}", "{\"x\":\"\\ud83d\\uDE00😀\\/\"}",
        ] {
            let isKeyFree = !text.contains("u00e9")
            // A key is written plainly: otherwise one that is declared could be written so that it is not known.
            #expect((object.state(afterTokens: text.utf8.map { TokenID($0) })?.isComplete == true) == isKeyFree)
        }
    }

    @Test func nestingAndWhiteSpaceAreBounded() throws {
        let vocabulary = TokenVocabulary(tokenCount: 256) { [UInt8($0)] }
        let any = ConstraintMatcher(try Automaton(.jsonSchema("true")), vocabulary: vocabulary)
        let limits = GrammarLimits()
        func state(_ text: String) -> ConstraintState? { any.state(afterTokens: text.utf8.map { TokenID($0) }) }
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "\"x\"" + String(repeating: "]", count: depth)
        }
        #expect(state(nested(limits.depthMax - 1))?.isComplete == true)
        #expect(state(String(repeating: "[", count: limits.depthMax + 2)) == nil)
        // However deep it went, it can be closed.
        var deep = try #require(state("["))
        while let next = any.state(after: 0x5B, from: deep) { deep = next }
        #expect(any.mask(of: deep).contains(0x5D))
        let space = String(repeating: " ", count: limits.spaceByteCountMax)
        #expect(state("[" + space + "1" + space + "]")?.isComplete == true)
        #expect(state("[" + space + " ") == nil)
    }

    @Test func aRequiredRecursionIsEnteredOnlyAsFarAsItCanEnd() throws {
        let schema =
            ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","required":["b"],"additionalProperties":false,"##
            + ##""properties":{"b":{"anyOf":[{"type":"null"},{"type":"array","minItems":1,"items":{"$ref":"#/$defs/a"}}]}}}}}"##
        let vocabulary = TokenVocabulary(tokenCount: 256) { [UInt8($0)] }
        let matcher = ConstraintMatcher(try Automaton(.jsonSchema(schema)), vocabulary: vocabulary)
        var state = matcher.start
        // Always as deep as it goes, and never into a corner.
        var count = 0
        while !matcher.mask(of: state).isEmpty {
            let mask = matcher.mask(of: state)
            let wanted: [TokenID] = [0x5B, 0x7B, 0x22, 0x62, 0x3A, 0x5D, 0x7D, 0x6E, 0x75, 0x6C]
            let token = try #require(wanted.first { mask.contains($0) })
            state = try #require(matcher.state(after: token, from: state))
            count += 1
        }
        #expect(state.isComplete && count > 200)
    }
}

/// What is refused, and how it is said.
@Suite struct RefusalTests {
    @Test(arguments: [
        (#"{"properties":{"a":{"foo":1}}}"#, "/properties/a/foo: keyword “foo” is not supported"),
        (#"{"not":{}}"#, "/not: keyword “not” is not supported"),
        (#"{"if":{}}"#, "“if”"), (#"{"patternProperties":{}}"#, "“patternProperties”"),
        (#"{"uniqueItems":true}"#, "“uniqueItems”"), (#"{"multipleOf":2}"#, "“multipleOf”"),
        (#"{"minProperties":2}"#, "“minProperties”"), (#"{"contains":{}}"#, "“contains”"),
        (#"{"nullable":true}"#, "“nullable”"), (#"{"unevaluatedProperties":false}"#, "“unevaluatedProperties”"),
        (#"{"items":{"anyOf":[{"x/y~z":1}]}}"#, "/items/anyOf/0/x/y~z: keyword “x/y~z”"),
        (#"{"format":"uri"}"#, "/format: keyword “format” is not supported: format “uri”"),
        (#"{"pattern":"(?=a)b"}"#, "/pattern: keyword “pattern” is not supported: in “(?=a)b” at character 2"),
        (#"{"pattern":"(a)\\1"}"#, "“\\1”"), (#"{"pattern":"\\bx"}"#, "“\\b”"), (#"{"pattern":"a{2000}"}"#, "1000"),
        (#"{"oneOf":[{"type":"string"},{"minLength":2}]}"#, "/oneOf: keyword “oneOf” is not supported: two of its"),
        (#"{"oneOf":[{"type":"integer"},{"type":"number"}]}"#, "use anyOf"),
        (##"{"$ref":"other.json"}"##, "“other.json” is nowhere"),
        (##"{"$ref":"#/$defs/x"}"##, "“#/$defs/x” is nowhere"),
        (##"{"$ref":"#"}"##, "refers to itself without an end"),
        (##"{"anyOf":[{"$ref":"#"},{"type":"null"}]}"##, "refers to itself without an end"),
        (#"{"type":"text"}"#, "/type: \"text\" is none of"), (#"{"type":7}"#, "/type"), ("7", "7 is no schema"),
        (#"{"properties":{"a":[]}}"#, "/properties/a: []"), ("{", "not JSON: line 1"), ("", "not JSON"),
        (#"{"minLength":-1}"#, "/minLength: -1"), (#"{"minItems":1.5}"#, "/minItems: 1.5"),
        (#"{"required":"a"}"#, "/required"), (#"{"items":[{}]}"#, "prefixItems"), (#"{"anyOf":[]}"#, "/anyOf"),
        (#"{"type":"number","minimum":0.1234567890123456}"#, "15 digits"), ("false", "no value satisfies"),
        (#"{"enum":[]}"#, "no value satisfies"), (#"{"type":"string","enum":[1]}"#, "no value satisfies"),
        (#"{"type":"object","required":["a"],"additionalProperties":false}"#, "no value satisfies"),
        (#"{"type":"string","minLength":3,"maxLength":2}"#, "no value satisfies"),
        (#"{"type":"integer","minimum":0.2,"maximum":0.8}"#, "no value satisfies"),
        (##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##, "no value satisfies"),
        (##"{"type":"array","minItems":1,"items":{"$ref":"#"}}"##, "no value satisfies"),
        (#"{"type":"string","pattern":"^[a-z]{1000}$","minLength":3}"#, ""),
        (#"{"type":"object","enum":[{}],"required":["a"]}"#, "/enum: keyword “enum” is not supported"),
    ])
    func isRefusedByNameAndPlace(schema: String, words: String) {
        do throws(SchemaError) {
            _ = try Automaton(.jsonSchema(schema))
            #expect(words.isEmpty, "\(schema) must be refused")
        } catch { #expect("\(error)".contains(words), "\(error)") }
    }

    @Test func everyLimitIsATypedRefusal() throws {
        let long = "{\"description\":\"" + String(repeating: "x", count: 256 << 10) + "\"}"
        #expect(throws: SchemaError.tooLong(byteCount: long.utf8.count, byteCountMax: 256 << 10)) {
            try Automaton(.jsonSchema(long))
        }
        let deep = String(repeating: "{\"items\":", count: 70) + "{}" + String(repeating: "}", count: 70)
        #expect(throws: SchemaError.self) { try Automaton(.jsonSchema(deep)) }
        func refusal(_ schema: String) -> SchemaError? {
            do throws(SchemaError) {
                _ = try Automaton(.jsonSchema(schema))
                return nil
            } catch { return error }
        }
        // Each of twelve lists of three doubles nothing and triples the rest.
        let branches = (0..<12).map { index in
            #"{"anyOf":[{"minLength":\#(index)},{"minItems":\#(index)},{"maxLength":\#(index + 50)}]}"#
        }
        guard
            case .tooLarge("alternatives in one place", _) = refusal("{\"allOf\":[\(branches.joined(separator: ","))]}")
        else { return #expect(Bool(false), "alternatives are bounded") }
        guard case .tooLarge = refusal(#"{"pattern":"(a|b)*a(a|b){60}$"}"#) else {
            return #expect(Bool(false), "states are bounded")
        }
        guard
            case .tooLarge = refusal(
                #"{"enum":[\#((0..<12000).map { "\"value \($0 * 7919)\"" }.joined(separator: ","))]}"#)
        else { return #expect(Bool(false), "enumerations are bounded") }
    }

    @Test func aVocabularyThatCannotSpellJSONIsRefused() {
        let vocabulary = TokenVocabulary(tokenCount: 256) { $0 == 0x7B ? nil : [UInt8($0)] }
        #expect(throws: SchemaError.vocabularyLacks(byte: 0x7B)) {
            try Automaton(.jsonObject, bytes: vocabulary.spelled)
        }
    }

    /// The page's table is what the code does.
    @Test func theDocumentedKeywordsAreTheEnforcedOnes() throws {
        let page = try String(
            contentsOf: Vocabularies.root.appendingPathComponent("Docs/STRUCTURED.md"), encoding: .utf8)
        func listed(under title: String) -> Set<String> {
            var names: Set<String> = []
            var isInside = false
            for line in page.split(separator: "\n") {
                if line.hasPrefix("#") { isInside = line == "### \(title)" }
                guard isInside, line.hasPrefix("| `") else { continue }
                let cell = line.dropFirst(2).prefix { $0 != "|" }
                for (index, part) in cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                where index % 2 == 1 { names.insert(String(part)) }
            }
            return names
        }
        #expect(listed(under: "Enforced") == SchemaKeyword.enforced)
        #expect(listed(under: "Without effect") == SchemaKeyword.annotations)
        for format in SchemaKeyword.formats { #expect(page.contains("`\(format)`")) }
        let limits = GrammarLimits()
        for number in [
            limits.schemaByteCountMax >> 10, limits.depthMax, limits.spaceByteCountMax, limits.ruleCountMax,
            limits.alternativeCountMax, limits.machineStateCountMax, limits.nodeCountMax, limits.readingCountMax,
        ] {
            #expect(page.contains(" \(number) "), "the page states \(number)")
        }
    }
}
