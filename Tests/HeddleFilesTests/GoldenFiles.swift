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
