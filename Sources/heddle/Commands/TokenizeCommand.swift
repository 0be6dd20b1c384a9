import ArgumentParser
import Foundation
import HeddleCore
import HeddleFiles

/// `heddle tokenize`: what a model's tokenizer makes of a text, and of token ids.
struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Show what a model folder's tokenizer makes of a text, or of token ids.",
        discussion: """
            One line a token: its id, the piece as tokenizer.json spells it, and the text that it adds. The text is the
            argument, or standard input where the argument is - or absent.

            EXAMPLES
              heddle tokenize --model-dir DIR "Hello, world"
              heddle tokenize --model-dir DIR --ids 1,15043,29892
              heddle tokenize --model-dir DIR --special "<|begin_of_text|>Hi" --json
            """)

    @Option(help: ArgumentHelp("The model's folder, or its tokenizer.json.", valueName: "dir"))
    var modelDir: String

    @Option(help: ArgumentHelp("Decode these token ids instead.", valueName: "1,2,3"))
    var ids: String?

    @Flag(help: "Take special tokens that are spelled out in the text for what they are.")
    var special = false

    @Flag(help: "Print one JSON object: tokens, pieces, text.")
    var json = false

    @Argument(help: "The text; - for standard input.")
    var text: String?

    func validate() throws {
        if ids != nil, text != nil { throw ValidationError("give a text or --ids, not both") }
    }

    func run() throws {
        let tokenizer = try Tokenizer(path: modelDir.hasSuffix(".json") ? modelDir : modelDir + "/tokenizer.json")
        let tokens = try ids.map { try Self.tokens($0, below: tokenizer.tokenCount) } ?? encoded(by: tokenizer)
        let pieces = tokens.map { tokenizer.tokenText($0) ?? "" }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let text = tokenizer.decode(tokens, skipSpecialTokens: false)
            let answer = Answer(tokens: tokens, pieces: pieces, text: text)
            print(String(decoding: try encoder.encode(answer), as: UTF8.self))
            return
        }
        var table = Table(["TOKEN", "PIECE", "TEXT"])
        var stream = IncrementalDecoder(tokenizer, skipSpecialTokens: false)
        table.rows = zip(tokens, pieces).map { token, piece in
            [String(token), Self.visible(piece), Self.visible(stream.push(token))]
        }
        let rest = stream.finish()
        if !rest.isEmpty { table.rows.append(["", "", Self.visible(rest)]) }
        for line in table.lines { print(line) }
    }

    private struct Answer: Encodable {
        var tokens: [TokenID]
        var pieces: [String]
        var text: String
    }

    private func encoded(by tokenizer: Tokenizer) throws -> [TokenID] {
        let input = try text.flatMap { $0 == "-" ? nil : $0 } ?? standardInput()
        return tokenizer.encode(input, parseSpecialTokens: special)
    }

    private func standardInput() throws -> String {
        let bytes = FileHandle.standardInput.readDataToEndOfFile()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure("standard input is not UTF-8")
        }
        return text
    }

    private static func tokens(_ text: String, below count: Int) throws -> [TokenID] {
        try text.split(separator: ",").map { word in
            guard let token = TokenID(word.trimmingCharacters(in: .whitespaces)), (0..<count).contains(Int(token)) else {
                throw CommandFailure("--ids: “\(word)” is no token of the vocabulary 0..<\(count)")
            }
            return token
        }
    }

    /// Line breaks and what else a table cannot show, as Swift writes it.
    private static func visible(_ text: String) -> String { "“\(text.debugDescription.dropFirst().dropLast())”" }
}
