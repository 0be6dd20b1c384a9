import Foundation
import HeddleCore
import HeddleFiles
import Testing

/// Files and texts that somebody made to hurt.
@Suite struct HostileTokenizerTests {
    /// A megabyte of one thing: work that grows with the square of it would not end in days.
    @Test(arguments: FamilyGoldenTests.families)
    func aMegabyteOfOneThingTakesNoLongerThanText(family: String) throws {
        let tokenizer = try GoldenFiles.familyTokenizer(family)
        let count = 1 << 20
        let parts = [
            "a", " ", "\u{301}", "▁", "the", "9", "\n ", "日", "\u{1F469}\u{200D}", "'", "\u{1100}", "<0x41>", "ab",
        ]
        let texts = parts.map { String(repeating: $0, count: count / $0.utf8.count) }
        for text in texts + [" " + String(repeating: "e\u{316}\u{301}", count: count / 5) + "x"] {
            let tokens = tokenizer.encode(text)
            #expect(tokens.count <= text.utf8.count * 3 + 8)
            _ = tokenizer.decode(tokens)
        }
    }

    /// A mutated file gives an error or a tokenizer that works. It is mutated as JSON, so that what breaks is not the JSON.
    @Test(arguments: FamilyGoldenTests.families) func mutatedFilesNeverTrap(family: String) throws {
        let seed = try Self.shortened(GoldenFiles.family("\(family).json"))
        let donors = try FamilyGoldenTests.families.map { try Self.shortened(GoldenFiles.family("\($0).json")) }
        var generator = SeededGenerator(state: 91)
        var accepted = 0
        for _ in 0..<300 {
            var value = seed
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let donor = donors[Int.random(in: 0..<donors.count, using: &generator)]
                value = Self.mutated(value, &generator, donor)
            }
            guard let tokenizer = try? Tokenizer(json: Array(GoldenFiles.text(value).utf8)) else { continue }
            accepted += 1
            let tokens = tokenizer.encode("ab <s> ab\n'll 12 é▁▁ \u{301}日本 <|im_start|>\u{0}x")
            let whole = tokenizer.decode(tokens)
            var decoder = IncrementalDecoder(tokenizer)
            var text = ""
            for token in tokens { text += decoder.push(token) }
            text += decoder.finish()
            #expect(text.utf8.elementsEqual(whole.utf8))
            for token in tokens { _ = tokenizer.tokenBytes(token) }
        }
        #expect(accepted > 0)
    }

    /// Character maps whose numbers point anywhere.
    @Test func mutatedCharacterMapsNeverTrap() throws {
        let file = try GoldenFiles.text(GoldenFiles.family("xlmr.json"))
        let start = try #require(file.range(of: "\"precompiled_charsmap\": \"")?.upperBound)
        let end = try #require(file[start...].firstIndex(of: "\""))
        let map = try #require(Data(base64Encoded: String(file[start..<end])))
        let (head, tail) = (file[..<start], file[end...])
        var generator = SeededGenerator(state: 17)
        var accepted = 0
        for _ in 0..<100 {
            var bytes = [UInt8](map)
            for _ in 0..<Int.random(in: 1...40, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            let text = head + Data(bytes).base64EncodedString() + tail
            guard let tokenizer = try? Tokenizer(json: Array(text.utf8)) else { continue }
            accepted += 1
            for scalar in (UInt32(0)..<0x3000).compactMap(Unicode.Scalar.init) {
                _ = tokenizer.encode("a\(scalar)\u{301}")
            }
        }
        #expect(accepted > 0)
    }

    /// The file without a large character map, which has a test of its own.
    private static func shortened(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            if case .string(let map) = object["precompiled_charsmap"], map.bytes.count > 100_000 {
                let type = JSONObject.Member(key: JSONString("type"), value: .string(JSONString("Nmt")))
                return .object(JSONObject(members: [type]))
            }
            return .object(
                JSONObject(
                    members: object.members.map { JSONObject.Member(key: $0.key, value: shortened($0.value)) }))
        case .array(let elements): return .array(elements.map { shortened($0) })
        default: return value
        }
    }

    /// The value with one part of it changed, taken away, or exchanged for one of another file.
    private static func mutated(
        _ value: JSONValue, _ generator: inout SeededGenerator, _ donor: JSONValue
    ) -> JSONValue {
        switch value {
        case .object(let object) where !object.members.isEmpty && Int.random(in: 0..<12, using: &generator) > 0:
            var members = object.members
            let index = Int.random(in: 0..<members.count, using: &generator)
            let key = members[index].key
            if Int.random(in: 0..<30, using: &generator) == 0 {
                members.remove(at: index)
            } else {
                let inner = donor.object?[key.description] ?? .null
                let changed =
                    inner != .null && Int.random(in: 0..<4, using: &generator) == 0
                    ? inner : mutated(members[index].value, &generator, inner)
                members[index] = JSONObject.Member(key: key, value: changed)
            }
            return .object(JSONObject(members: members))
        case .array(let elements) where !elements.isEmpty && Int.random(in: 0..<8, using: &generator) > 0:
            var elements = elements
            let index = Int.random(in: 0..<elements.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: elements.remove(at: index)
            case 1: elements.append(elements[index])
            default: elements[index] = mutated(elements[index], &generator, .null)
            }
            return .array(elements)
        default:
            let others: [JSONValue] = [
                .null, .bool(true), .bool(false), .integer(0), .integer(-1), .integer(1 << 40), .real(-1e300),
                .string(JSONString("")), .string(JSONString("a")), .string(JSONString("▁")),
                .string(JSONString("é\u{301}")), .array([]), .object(JSONObject(members: [])), .array([value, value]),
            ]
            return others[Int.random(in: 0..<others.count, using: &generator)]
        }
    }
}
