import ArgumentParser
import Foundation
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleFiles
import HeddleGrammar

/// `heddle generate`: the same engine without a mesh, for one prompt.
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Continue one prompt with a model folder, without a mesh.",
        discussion: """
            Loads a Hugging Face folder and perhaps a PEFT adapter, and runs the engine that workers run in this process. The \
            tokens are those that a mesh would give. Without --json the text streams as it is generated; with it one JSON \
            object is printed at the end: prompt_tokens and tokens as ids, text, finish_reason (stop or length), and with \
            --logprobs K for each generated token its own log-probability (token_logprobs) and the K likeliest as \
            {"id", "logprob"} (logprobs); with --prompt-logprobs K the same for the prompt, null for its first token \
            (prompt_token_logprobs, prompt_logprobs). With --n above 1, choices holds what differs between the answers.

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

    @Option(help: ArgumentHelp("Ranks to split the model over, 1 to 8.", valueName: "ranks"))
    var tensorParallel = 1

    @Option(help: ArgumentHelp("Threads of each rank (default: the cores, shared among the ranks).", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("How weights are held: auto, f32, bf16, int8 or int4.", valueName: "format"))
    var weights = WeightFormat.auto

    @Option(
        help: ArgumentHelp(
            "Folder of packed weights, which are used where `heddle model pack` made them (default: "
                + "$XDG_CACHE_HOME/heddle or ~/.cache/heddle).", valueName: "dir"))
    var packedIn: String?

    @OptionGroup var sampling: SamplingOptions

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
        if let error = sampling.requested(defaultSeed: 0).firstError(limits: RequestLimits()) {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        try checkPromptBytes()
        let model = try ModelFolder(path: modelDir)
        let tokenizer = try openTokenizer()
        let promptTokens = try promptTokens(tokenizer, vocabularyCount: model.configuration.vocabularyCount)
        let folder = try adapter.map { try AdapterFolder(path: $0, model: model) }
        let parameters = try parameters(promptTokens, model)
        let engine = try LocalEngine(
            model: model, options: options(promptTokens, parameters, model.configuration))
        let matcher = try matcher(tokenizer, parameters, model)
        let adapter = folder.map { engine.add($0, named: AdapterName("adapter")) }
        var choices = (0..<parameters.runCount).map { GeneratedChoice(number: $0, tokenizer, parameters) }
        let streams = !json && choices.count == 1
        let results = try engine.generate(
            choices.map {
                LocalRequest(
                    promptTokens: promptTokens, adapter: adapter, parameters: parameters, choice: $0.number,
                    matcher: matcher)
            }
        ) { number, token in
            let piece = choices[number].push(token)
            if streams { write(piece) }
            return choices[number].isStopped ? .stop : .goOn
        }
        for (number, result) in results.enumerated() {
            if let error = result.error { throw CommandFailure(error.description) }
            let rest = choices[number].finish(result)
            if streams { write(rest + "\n") }
        }
        if streams { return }
        let answer = GeneratedAnswer(
            promptTokens: promptTokens, promptLogprobs: results[0].promptLogprobs,
            choices: GeneratedChoice.best(sampling.choiceCount, of: choices), showsLogprobs: sampling.logprobs != nil)
        if json {
            Terminal.print(answer.json.lines)
        } else {
            for (number, choice) in answer.choices.enumerated() { write("[\(number)] \(choice.text)\n") }
        }
    }

    /// What enforces the constraint, where there is one.
    private func matcher(
        _ tokenizer: Tokenizer?, _ parameters: SamplingParameters, _ model: ModelFolder
    ) throws -> ConstraintMatcher? {
        guard let constraint = parameters.constraint, let tokenizer else { return nil }
        let vocabulary = TokenVocabulary(
            tokenizer, vocabularyCount: model.configuration.vocabularyCount,
            endTokens: model.samplingDefaults.endTokens)
        do throws(SchemaError) {
            return ConstraintMatcher(try Automaton(constraint, bytes: vocabulary.spelled), vocabulary: vocabulary)
        } catch { throw CommandFailure(RequestError.schemaInvalid(reason: error.description).description) }
    }

    /// What a router would admit, complete with what the model says.
    private func parameters(
        _ promptTokens: [TokenID], _ model: ModelFolder
    ) throws -> SamplingParameters {
        let configuration = model.configuration
        let parameters = sampling.requested(defaultSeed: 0).completed(
            by: model.samplingDefaults, roomTokenCount: configuration.positionCountMax - promptTokens.count)
        let error =
            parameters.firstError(limits: RequestLimits())
            ?? parameters.firstError(
                promptTokenCount: promptTokens.count, vocabularyCount: configuration.vocabularyCount,
                limits: RequestLimits())
        if let error { throw CommandFailure(error.description) }
        let complete = parameters.ending(at: model.samplingDefaults.endTokens)
        if complete.constraint != nil, complete.stopTokens.isEmpty {
            throw CommandFailure("the model has no end token for a constrained answer; give --stop-token-id")
        }
        return complete
    }

    /// KV storage for exactly these sequences.
    private func options(
        _ promptTokens: [TokenID], _ parameters: SamplingParameters, _ configuration: ModelConfiguration
    ) -> LocalEngine.Options {
        var options = LocalEngine.Options()
        options.rankCount = tensorParallel
        options.weightFormat = weights
        options.store = WeightCacheOptions.store(at: packedIn)
        let positions = min(configuration.positionCountMax, promptTokens.count + min(parameters.tokenCountMax, 1 << 24))
        let choiceCount = max(sampling.choiceCount, sampling.bestOf ?? 1)
        options.forward.blockCount = max(1, choiceCount * ((positions + kvBlockTokens - 1) / kvBlockTokens))
        let cores = SharedMemoryCollective.onlineCoreCount
        options.forward.threadCount = threads ?? max(1, min(256, cores / tensorParallel))
        if tensorParallel * options.forward.threadCount > cores { options.forward.spinMicroseconds = 0 }
        options.runningCountMax = choiceCount
        return options
    }

    /// The tokenizer; nil where the folder has none and nothing needs it.
    private func openTokenizer() throws -> Tokenizer? {
        do throws(TokenizerError) {
            return try Tokenizer(path: modelDir)
        } catch {
            guard case .file(.missing) = error, prompt == nil, sampling.stop.isEmpty,
                sampling.requested(defaultSeed: 0).constraint == nil
            else { throw error }
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
