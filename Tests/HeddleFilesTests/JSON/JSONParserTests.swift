import HeddleFiles
import Testing

@Suite struct JSONParserTests {
    private func parse(_ text: String, _ limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try JSONParser.parse(Array(text.utf8), limits: limits)
    }

    @Test func valuesOfEveryKindAreRead() throws {
        let value = try parse(
            #" {"a": [1, -2, 3.5, 1e3, 0, -0.0, true, false, null], "b": "x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00", "": {}} "#
        )
        let object = try #require(value.object)
        #expect(object.members.map(\.key.description) == ["a", "b", ""])
        #expect(
            object["a"]
                == .array([
                    .integer(1), .integer(-2), .real(3.5), .real(1000), .integer(0), .real(-0.0), .bool(true),
                    .bool(false), .null,
                ]))
        #expect(object["b"]?.text == "x\"\\/\u{8}\u{C}\n\r\té😀")
        #expect(object[""] == .object(try #require(try parse("{}").object)))
    }

    @Test func numbersOutside64BitsAreReal() throws {
        #expect(try parse("9223372036854775807").integer == Int.max)
        #expect(try parse("9223372036854775808") == .real(9_223_372_036_854_775_808))
        #expect(try parse("18446744073709551615").integer == nil)
    }

    @Test func canonicallyEquivalentKeysStayApart() throws {
        let object = try #require(try parse("{\"\u{E9}\": 1, \"e\u{301}\": 2, \"\u{212B}\": 3, \"\u{C5}\": 4}").object)
        #expect(object.members.map(\.value) == [.integer(1), .integer(2), .integer(3), .integer(4)])
        #expect(object["\u{E9}"] == .integer(1) && object["e\u{301}"] == .integer(2))
    }

    @Test(arguments: [
        ("", "line 1, column 1: the text ends inside a value"),
        ("{\"a\": 1,\n \"a\": 2}", "line 2, column 2: the key “a” stands twice in one object"),
        ("{\"a\": 1} x", "line 1, column 10: text follows the value"),
        ("[1 2]", "line 1, column 4: found “2” instead of “,” or “]”"),
        ("{\"a\" 1}", "line 1, column 6: found “1” instead of “:”"),
        ("{1: 2}", "line 1, column 2: found “1” instead of a key"),
        ("[1,]", "line 1, column 4: found “]” instead of a value"),
        ("{\"a\":1,}", "line 1, column 8: found “}” instead of a key"),
        ("[01]", "line 1, column 2: the number is malformed"),
        ("[-]", "line 1, column 2: the number is malformed"),
        ("[1.]", "line 1, column 2: the number is malformed"),
        ("[1e]", "line 1, column 2: the number is malformed"),
        ("[1e999]", "line 1, column 2: the number is malformed"),
        ("[NaN]", "line 1, column 2: found “N” instead of a value"),
        ("[Infinity]", "line 1, column 2: found “I” instead of a value"),
        ("[+1]", "line 1, column 2: found “+” instead of a value"),
        ("tru", "line 1, column 4: the text ends inside a value"),
        ("nul!", "line 1, column 4: found “!” instead of “null”"),
        ("\"a", "line 1, column 3: the text ends inside a value"),
        ("\"a\n\"", "line 1, column 3: control character 10 stands in a string"),
        (#""\x""#, "line 1, column 2: the escape in this string is malformed"),
        (#""\u12g4""#, "line 1, column 2: the escape in this string is malformed"),
        (#""\ud800""#, "line 1, column 2: the string holds half of a surrogate pair"),
        (#""\udc00""#, "line 1, column 2: the string holds half of a surrogate pair"),
        (#""\ud800\u0041""#, "line 1, column 2: the string holds half of a surrogate pair"),
    ])
    func whatIsNoJSONIsRefusedWithItsPlace(text: String, message: String) {
        #expect(errorText { _ = try parse(text) } == message)
    }

    @Test func stringsMustBeUTF8() {
        for bad: [UInt8] in [
            [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xFF],
        ] {
            let text = Array("[\"a".utf8) + bad + Array("\"]".utf8)
            #expect(errorText { _ = try JSONParser.parse(text) } == "line 1, column 4: the string is not UTF-8")
        }
    }

    @Test func limitsAreHeld() {
        var limits = JSONLimits()
        limits.depthMax = 8
        limits.valueCountMax = 20
        limits.byteCountMax = 100
        #expect(errorText { _ = try parse("[[[[[[[1]]]]]]]", limits) } == nil)
        #expect(
            errorText { _ = try parse("[[[[[[[[1]]]]]]]]", limits) }
                == "line 1, column 9: values are nested deeper than 8")
        let many = "[" + String(repeating: "1,", count: 20) + "1]"
        #expect(errorText { _ = try parse(many, limits) }?.hasSuffix("there are more than 20 values") == true)
        #expect(
            errorText { _ = try parse(String(repeating: " ", count: 101), limits) }
                == "line 1, column 1: the text is longer than 100 bytes")
        // A hostile nesting ends at the limit, not at the end of the stack.
        let deep = String(repeating: "[", count: 1 << 20)
        #expect(errorText { _ = try parse(deep) }?.contains("deeper than 64") == true)
    }

    @Test func duplicatesAreFoundAmongManyKeys() {
        let members = (0..<5000).map { "\"k\($0)\":\($0)" }
        #expect(errorText { _ = try parse("{" + members.joined(separator: ",") + "}") } == nil)
        let twice = (members + ["\"k17\":0"]).joined(separator: ",")
        #expect(errorText { _ = try parse("{" + twice + "}") }?.contains("the key “k17” stands twice") == true)
    }

    /// Any bytes give a value or an error: 30,000 mutations of a text that holds every construct.
    @Test func mutatedTextsNeverTrap() {
        let seed = Array(
            #"{"a":[1,-2.5e+3,true,false,null,"\u00e9\ud83d\ude00é日"],"b":{"c":{"d":[[],{}]}},"e":"\n"}"#.utf8)
        var generator = SeededGenerator(state: 1)
        var accepted = 0
        for _ in 0..<30_000 {
            var text = seed
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: text.remove(at: place)
                case 2: text.insert(seed[Int.random(in: 0..<seed.count, using: &generator)], at: place)
                default: text.removeSubrange(place...)
                }
                if text.isEmpty { text = [0x7B] }
            }
            if (try? JSONParser.parse(text)) != nil { accepted += 1 }
        }
        #expect(accepted > 0 && accepted < 30_000)
    }
}
