import ArgumentParser
import Foundation
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleFiles

extension BenchCommand {
    /// `heddle bench accuracy`: what a weight format costs in exactness.
    struct Accuracy: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "accuracy", abstract: "Compare weight formats' answers with those of exact weights.",
            discussion: """
                Runs texts through the model in each format and in the one that it is compared with, and shows for every format: \
                the perplexity of the judged tokens; the share of places at which the likeliest token is the same, which is what \
                greedy decoding takes; the logits' root mean square error relative to their spread, and the largest; the mean \
                divergence of the distributions in nats. A FILE that ends with .jsonl has one {"prompt", "completion"} a line, \
                of which the completion is judged; any other is one text, judged window by window. Without a text random tokens \
                are run: their perplexity says nothing, the logits' errors do.

                EXAMPLES
                  heddle bench accuracy --model-dir Cluster/demo/model --text Cluster/demo/held-out.jsonl
                  heddle bench accuracy --model-dir ~/models/Qwen2.5-0.5B --text wiki.test.txt --weights int8 --windows 20
                """)

        @Option(help: ArgumentHelp("Hugging Face folder of the model.", valueName: "dir"))
        var modelDir: String

        @Option(help: ArgumentHelp("Text, or prompts and completions in JSON lines.", valueName: "file"))
        var text: String?

        @Option(
            help: ArgumentHelp("Only this format: f32, bf16, int8 or int4. Repeat for several.", valueName: "format"))
        var weights: [WeightFormat] = []

        @Option(help: ArgumentHelp("The format that all are compared with.", valueName: "format"))
        var against = WeightFormat.bf16

        @Option(help: "Tokens of a window.")
        var window = 512

        @Option(help: "The most windows or lines that are run.")
        var windows = 200

        @Option(help: ArgumentHelp("Threads (default: the cores).", valueName: "n"))
        var threads: Int?

        @Flag(help: "Print one JSON object.")
        var json = false

        func validate() throws {
            guard (2...65_536).contains(window) else { throw ValidationError("--window must be 2 to 65536") }
            guard (1...1_000_000).contains(windows) else { throw ValidationError("--windows must be 1 to 1000000") }
            if let threads, !(1...256).contains(threads) {
                throw ValidationError("--threads is a number from 1 to 256.")
            }
        }

        /// One format's row.
        private struct Row: Encodable {
            var weights: String
            var tokens: Int
            var perplexity: Double
            var greedyAgreement: Double
            var logitError: Double
            var logitErrorMax: Double
            var divergence: Double
        }

        private struct Answer: Encodable {
            var modelDir: String
            var text: String?
            var texts: Int
            var against: String
            var referencePerplexity: Double
            var formats: [Row]
        }

        /// One line of a file of prompts and completions.
        private struct Line: Decodable {
            var prompt: String
            var completion: String
        }

        func run() throws {
            let model = try ModelFolder(path: modelDir)
            let texts = try texts(model)
            guard !texts.isEmpty else { throw CommandFailure("there is no token to judge in \(text ?? "it")") }
            let formats = weights.isEmpty ? [.f32, .int8, .int4] : weights
            let cores = SharedMemoryCollective.onlineCoreCount
            let bar = ProgressBar(isWanted: !json)
            var answer = Answer(
                modelDir: modelDir, text: text, texts: texts.count, against: against.rawValue, referencePerplexity: 0,
                formats: [])
            for format in formats {
                bar.begin("\(format.rawValue) against \(against.rawValue)", byteCount: nil, pieceCount: texts.count)
                let found = try FormatAccuracy(
                    of: format, against: against, model: model, texts: texts, threadCount: threads ?? min(256, cores)
                ) { _ in bar.add(1) }
                bar.clear()
                answer.referencePerplexity = found.referencePerplexity
                answer.formats.append(
                    Row(
                        weights: format.rawValue, tokens: found.tokenCount, perplexity: found.perplexity,
                        greedyAgreement: found.greedyAgreement, logitError: found.logitError,
                        logitErrorMax: found.logitErrorMax, divergence: found.divergence))
            }
            if json { return Terminal.print(try Terminal.json(answer)) }
            var table = Table([
                "WEIGHTS", "TOKENS", "PERPLEXITY", "GREEDY AGREEMENT", "LOGIT ERROR", "LARGEST", "DIVERGENCE",
            ])
            func shown(_ number: Double, _ format: String) -> String { String(format: format, number) }
            let first = answer.formats.first
            table.rows.append([
                against.rawValue, "\(first?.tokens ?? 0)", shown(answer.referencePerplexity, "%.4f"), "-", "-", "-",
                "-",
            ])
            table.rows += answer.formats.map { row in
                [
                    row.weights, "\(row.tokens)", shown(row.perplexity, "%.4f"),
                    shown(row.greedyAgreement * 100, "%.2f %%"), shown(row.logitError * 100, "%.2f %%"),
                    shown(row.logitErrorMax, "%.3f"), shown(row.divergence, "%.5f"),
                ]
            }
            Terminal.print(table.lines.joined(separator: "\n"))
        }

        private func texts(_ model: ModelFolder) throws -> [ScoredText] {
            let positions = min(window, model.configuration.positionCountMax)
            guard let path = text else {
                var generator = CounterGenerator(seed: 1)
                let count = model.configuration.vocabularyCount
                return (0..<min(windows, 4)).compactMap { _ in
                    ScoredText(tokens: (0..<min(positions, 128)).map { _ in TokenID(generator.below(count)) })
                }
            }
            guard let data = FileManager.default.contents(atPath: path) else {
                throw CommandFailure("\(path) cannot be read", exit: .notFound)
            }
            guard let whole = String(validating: data, as: UTF8.self) else {
                throw CommandFailure("\(path) is not UTF-8")
            }
            let tokenizer = try Tokenizer(path: modelDir)
            guard path.hasSuffix(".jsonl") else {
                return Array(ScoredText.windows(of: tokenizer.encode(whole), tokenCount: positions).prefix(windows))
            }
            return try whole.split(separator: "\n").prefix(windows).enumerated().compactMap { number, text in
                guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else {
                    throw CommandFailure("\(path): line \(number + 1) has no “prompt” and “completion”")
                }
                let prompt = tokenizer.encode(line.prompt)
                let tokens = prompt + tokenizer.encode(line.completion, addSpecialTokens: false)
                return ScoredText(tokens: Array(tokens.prefix(positions)), firstScored: max(1, prompt.count))
            }
        }
    }
}

/// Numbers that are the same on every machine and look random.
private struct CounterGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ count: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((word ^ (word >> 31)) % UInt64(count))
    }
}
