import ArgumentParser
import Foundation
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleFiles

/// `heddle generate`: the same engine without a mesh, for one prompt.
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Continue one prompt with a model folder, without a mesh.",
        discussion: """
            Loads a Hugging Face folder and perhaps a PEFT adapter, and runs the engine that workers run in this process. The \
            tokens are those that a mesh would give. Without --json the text streams as it is generated; with it one JSON \
            object is printed at the end: prompt_tokens and tokens as ids, text, finish_reason (stop or length), and with \
            --logprobs K for each generated token the K likeliest as {"id", "logprob"}.

            EXAMPLES
              heddle generate --model-dir ./model --prompt "Once upon a time" --max-tokens 40
              heddle generate --model-dir ./model --adapter ./adapters/sql --prompt "List the customers." --stop ";"
              heddle generate --model-dir ./model --prompt-ids 1,2,3 --max-tokens 8 --logprobs 5 --json
              heddle generate --model-dir ./model --prompt "Hi" --temperature 0.8 --top-p 0.95 --seed 7 --tensor-parallel 2
            """)

    @Option(help: ArgumentHelp("Hugging Face folder of the base model.", valueName: "dir"))
    var modelDir: String

    @Option(help: ArgumentHelp("PEFT folder of a LoRA adapter.", valueName: "dir"))
    var adapter: String?

    @Option(help: ArgumentHelp("Text to continue.", valueName: "text"))
    var prompt: String?

    @Option(help: ArgumentHelp("Token ids to continue, separated by commas.", valueName: "ids"))
    var promptIds: String?

    @Option(help: ArgumentHelp("The most tokens to generate.", valueName: "n"))
    var maxTokens = 64

    @Option(help: ArgumentHelp("Ranks to split the model over, 1 to 8.", valueName: "ranks"))
    var tensorParallel = 1

    @Option(help: ArgumentHelp("Threads of each rank (default: the cores, shared among the ranks).", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("How weights are held: auto, f32 or bf16.", valueName: "format"))
    var weights = WeightFormat.auto

    @Option(help: ArgumentHelp("Log-probabilities of the K likeliest tokens, with --json.", valueName: "k"))
    var logprobs: Int?

    @Option(help: "0 takes the likeliest token.")
    var temperature: Float = 0

    @Option(help: ArgumentHelp("Draw from the K likeliest tokens; 0 from all.", valueName: "k"))
    var topK = 0

    @Option(help: ArgumentHelp("Draw from the likeliest tokens that reach this probability.", valueName: "p"))
    var topP: Float = 1

    @Option(help: "What draws depend on.")
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("Text that ends the answer; may be given several times.", valueName: "text"))
    var stop: [String] = []

    @Flag(help: "Print one JSON object at the end instead of text.")
    var json = false

    func validate() throws {
        if (prompt == nil) == (promptIds == nil) {
            throw ValidationError("Give either --prompt or --prompt-ids.")
        }
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads is a number from 1 to 256.") }
        if !(1...ReductionTree.leafCount).contains(tensorParallel) {
            throw ValidationError("--tensor-parallel is a number from 1 to \(ReductionTree.leafCount).")
        }
        if let error = parameters(stopTokens: []).firstError(limits: RequestLimits()) {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        try checkPromptBytes()
        let model = try ModelFolder(path: modelDir)
        let tokenizer = try openTokenizer()
        let promptTokens = try promptTokens(tokenizer, vocabularyCount: model.configuration.vocabularyCount)
        let folder = try adapter.map { try AdapterFolder(path: $0, model: model) }
        let engine = try LocalEngine(model: model, options: options(promptTokens, model.configuration))
        let request = LocalRequest(
            promptTokens: promptTokens, adapter: folder.map { engine.add($0, named: AdapterName("adapter")) },
            parameters: parameters(stopTokens: model.configuration.endTokens))

        var answer = GeneratedText(tokenizer, stopStrings: stop)
        let results = try engine.generate([request]) { _, token in
            let piece = answer.push(token)
            if !json { write(piece) }
            return answer.isStopped ? .stop : .goOn
        }
        guard let result = results.first else { return }
        if let error = result.error { throw CommandFailure(error.description) }
        let rest = answer.finish()
        if json {
            Terminal.print(try Terminal.json(Answer(promptTokens, result, answer)))
        } else {
            write(rest + "\n")
        }
    }

    private func parameters(stopTokens: [TokenID]) -> SamplingParameters {
        SamplingParameters(
            temperature: temperature, topK: topK, topP: topP, seed: seed, tokenCountMax: maxTokens, stopStrings: stop,
            stopTokens: stopTokens, logprobCount: logprobs)
    }

    /// KV storage for exactly this sequence.
    private func options(_ promptTokens: [TokenID], _ configuration: ModelConfiguration) -> LocalEngine.Options {
        var options = LocalEngine.Options()
        options.rankCount = tensorParallel
        options.weightFormat = weights
        let positions = min(configuration.positionCountMax, promptTokens.count + min(maxTokens, 1 << 24))
        options.forward.blockCount = max(1, (positions + kvBlockTokens - 1) / kvBlockTokens)
        let cores = SharedMemoryCollective.onlineCoreCount
        options.forward.threadCount = threads ?? max(1, min(256, cores / tensorParallel))
        if tensorParallel * options.forward.threadCount > cores { options.forward.spinMicroseconds = 0 }
        options.runningCountMax = 1
        return options
    }

    /// The tokenizer; nil where the folder has none and nothing needs it.
    private func openTokenizer() throws -> Tokenizer? {
        do throws(TokenizerError) {
            return try Tokenizer(path: modelDir)
        } catch {
            guard case .file(.missing) = error, prompt == nil, stop.isEmpty else { throw error }
            return nil
        }
    }

    private func promptTokens(_ tokenizer: Tokenizer?, vocabularyCount: Int) throws -> [TokenID] {
        var tokens: [TokenID] = []
        if let prompt {
            if prompt.isEmpty { throw CommandFailure(RequestError.emptyPrompt.description) }
            let limit = RequestLimits().promptByteCountMax
            if prompt.utf8.count > limit {
                throw CommandFailure(
                    RequestError.promptTextTooLong(byteCount: prompt.utf8.count, byteCountMax: limit).description)
            }
            tokens = tokenizer?.encode(prompt) ?? []
        } else if let promptIds {
            if promptIds.allSatisfy(\.isWhitespace) { throw CommandFailure(RequestError.emptyPrompt.description) }
            tokens = try promptIds.split(separator: ",", omittingEmptySubsequences: false).map { part in
                let text = part.trimmingCharacters(in: .whitespaces)
                guard let token = TokenID(text) else {
                    throw ValidationError("--prompt-ids: “\(text)” is not a token id.")
                }
                return token
            }
        }
        if tokens.isEmpty { throw CommandFailure(RequestError.emptyPrompt.description) }
        for token in tokens where !(0..<vocabularyCount).contains(Int(token)) {
            throw CommandFailure(
                RequestError.promptTokenOutOfRange(token: token, vocabularyCount: vocabularyCount).description)
        }
        return tokens
    }

    /// Swift repairs arguments that are not UTF-8; a prompt must not change on its way to the model.
    private func checkPromptBytes() throws {
        guard prompt != nil else { return }
        for index in 0..<Int(CommandLine.argc) {
            // Safety: the system gives argc pointers to strings that end with a zero and live as long as the process.
            guard let argument = CommandLine.unsafeArgv[index] else { continue }
            let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
            if let offset = UTF8Check.firstInvalid(Array(bytes)) {
                throw CommandFailure(RequestError.promptNotUTF8(byteOffset: offset).description)
            }
        }
    }

    private func write(_ text: String) {
        if !text.isEmpty { FileHandle.standardOutput.write(Data(text.utf8)) }
    }
}

extension WeightFormat: ExpressibleByArgument {}

/// The answer as it grows: as text where there is a tokenizer, as ids separated by spaces where there is none.
private struct GeneratedText {
    private(set) var text = ""
    private var stream: TextStream?

    init(_ tokenizer: Tokenizer?, stopStrings: [String]) {
        stream = tokenizer.map { TextStream($0, stopStrings: stopStrings) }
    }

    var hasTokenizer: Bool { stream != nil }
    var isStopped: Bool { stream?.stop != nil }
    /// Tokens that the text needs; nil where no stop string cut it.
    var tokenCount: Int? { stream?.stop?.tokenCount }

    /// What the next token adds to print.
    mutating func push(_ token: TokenID) -> String {
        let piece = stream?.push(token).text ?? (text.isEmpty ? "\(token)" : " \(token)")
        text += piece
        return piece
    }

    mutating func finish() -> String {
        let piece = stream?.finish().text ?? ""
        text += piece
        return piece
    }
}

/// What `--json` prints.
private struct Answer: Encodable {
    struct Entry: Encodable {
        var id: TokenID
        var logprob: Float
    }

    let promptTokens: [TokenID]
    let tokens: [TokenID]
    /// Null where the model folder has no tokenizer.
    let text: String?
    let finishReason: String
    let logprobs: [[Entry]]?

    init(_ promptTokens: [TokenID], _ result: LocalResult, _ answer: GeneratedText) {
        let count = answer.tokenCount ?? result.tokens.count
        self.promptTokens = promptTokens
        tokens = Array(result.tokens.prefix(count))
        text = answer.hasTokenizer ? answer.text : nil
        finishReason = (answer.isStopped ? .stop : result.finish ?? .length).description
        logprobs =
            result.logprobs.isEmpty
            ? nil : result.logprobs.prefix(count).map { $0.top.map { Entry(id: $0.token, logprob: $0.logprob) } }
    }

    private enum Key: String, CodingKey {
        case promptTokens = "prompt_tokens"
        case tokens
        case text
        case finishReason = "finish_reason"
        case logprobs
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(promptTokens, forKey: .promptTokens)
        try container.encode(tokens, forKey: .tokens)
        try container.encode(text, forKey: .text)
        try container.encode(finishReason, forKey: .finishReason)
        try container.encodeIfPresent(logprobs, forKey: .logprobs)
    }
}
