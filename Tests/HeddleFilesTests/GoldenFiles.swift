import Foundation
import HeddleCore
import HeddleFiles
import Testing

/// Reads the files that `Goldens/make_goldens.py` wrote.
enum GoldenFiles {
    static let tokenizers = ["gpt2", "llama3", "qwen2", "corners", "removed"]

    static func path(_ name: String) throws -> String {
        let folder = try #require(Bundle.module.resourceURL)
        return folder.appendingPathComponent("Goldens").appendingPathComponent(name).path
    }

    static func tokenizer(_ name: String) throws -> Tokenizer { try Tokenizer(path: path(name + ".tokenizer.json")) }

    static func lines(_ name: String) throws -> [[UInt8]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path(name)))
        var lines = [UInt8](data).split(separator: 0x0A, omittingEmptySubsequences: false).map { [UInt8]($0) }
        if lines.last == [] { lines.removeLast() }
        return lines
    }

    /// A line that holds one JSON string, as UTF-8.
    static func string(_ line: some Collection<UInt8>) throws -> [UInt8] {
        guard case .string(let string) = try JSONParser.parse(Array(line)) else { throw Malformed() }
        return string.bytes
    }

    static func corpus() throws -> [[UInt8]] { try lines("corpus.jsonl").map { try string($0) } }

    static func tokens(_ text: some Collection<UInt8>) -> [TokenID] {
        text.split(separator: 0x20).compactMap { TokenID(String(decoding: $0, as: UTF8.self)) }
    }

    /// A file of the folder Families.
    static func family(_ name: String) throws -> JSONValue {
        try JSONParser.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: path("Families/" + name)))))
    }

    static func familyTokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(path: path("Families/\(name).json"))
    }

    /// Checksums: of lines, of ids, of scalars.
    static func digests(_ family: String) throws -> [[String]] {
        let rows = try lines("Families/\(family).txt").map { line in
            String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
        }
        try #require(rows.count == 3)
        return rows
    }

    /// A tokenizer.json with other parts in the place of its own.
    static func json(_ base: JSONValue, replacing parts: JSONObject) throws -> [UInt8] {
        var members: [String] = []
        for member in try #require(base.object).members {
            let value = parts[member.key.description] ?? member.value
            members.append(text(.string(member.key)) + ": " + text(value))
        }
        return Array("{\(members.joined(separator: ", "))}".utf8)
    }

    /// A value as JSON.
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let truth): return truth ? "true" : "false"
        case .integer(let number): return String(number)
        case .real(let number): return String(number)
        case .array(let elements): return "[" + elements.map { text($0) }.joined(separator: ", ") + "]"
        case .object(let object):
            let members = object.members.map { text(.string($0.key)) + ": " + text($0.value) }
            return "{" + members.joined(separator: ", ") + "}"
        case .string(let string):
            var result = "\""
            for scalar in string.description.unicodeScalars {
                switch scalar {
                case "\"", "\\": result += "\\\(scalar)"
                case "\0"..<" ":
                    result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result + "\""
        }
    }

    struct Malformed: Error {}
}

/// A small repeatable generator (SplitMix64) for tests that try many inputs.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
