import ArgumentParser
import Foundation
import HeddleCore

/// How tokens are drawn, as flags; their bounds are the request's own and are checked with it. What is not given is the model's
/// default, or else Heddle's.
struct SamplingOptions: ParsableArguments {
    @Option(help: "New tokens at most (default: the model's, or 64; cut to the model's context).")
    var maxTokens: Int?

    @Option(
        help: """
            New tokens before which no end token, no --stop-token-id and no --stop ends the answer (default: \
            the model's, or 0).
            """)
    var minTokens: Int?

    @Option(help: "0 is greedy: the likeliest token each time (default: the model's, or 0).")
    var temperature: Float?

    @Option(help: "Draw from this many likeliest tokens; 0 for all (default: the model's, or 0).")
    var topK: Int?

    @Option(
        help: """
            Draw from the fewest likeliest tokens that together reach this probability (default: the \
            model's, or 1).
            """)
    var topP: Float?

    @Option(
        help: """
            Draw from tokens that are at least so many times as likely as the likeliest (default: the \
            model's, or 0).
            """)
    var minP: Float?

    @Option(
        help: """
            Draw from the tokens whose surprise is nearest to the expected one, until they reach this \
            probability (default: the model's, or 1).
            """)
    var typicalP: Float?

    @Option(
        help: """
            Divides the logits of tokens that the prompt or the answer holds; 1 changes nothing (default: \
            the model's, or 1).
            """)
    var repetitionPenalty: Float?

    @Option(help: "Taken off the logits of tokens that the answer holds.")
    var presencePenalty: Float = 0

    @Option(help: "Taken off the logits of tokens that the answer holds, once for each time.")
    var frequencyPenalty: Float = 0

    @Option(help: ArgumentHelp("Added to one token's logit; may be given several times.", valueName: "id=bias"))
    var logitBias: [LogitBiasArgument] = []

    @Option(help: "The same seed draws the same tokens. Without it: 0 without a mesh, another for each request in one.")
    var seed: UInt64?

    @Option(help: "A text that ends the answer; may be given several times.")
    var stop: [String] = []

    @Option(help: ArgumentHelp("A token that ends the answer; may be given several times.", valueName: "id"))
    var stopTokenId: [TokenID] = []

    @Flag(help: "Go on behind the model's own end tokens.")
    var ignoreEos = false

    @Option(name: .customLong("n"), help: "Independent answers.")
    var choiceCount: Int = 1

    @Option(help: "Answers to run, of which the --n likeliest are given.")
    var bestOf: Int?

    @Option(help: ArgumentHelp("Report this many likeliest tokens beside each; shown with --json.", valueName: "k"))
    var logprobs: Int?

    @Option(help: ArgumentHelp("The same for the tokens of the prompt; shown with --json.", valueName: "k"))
    var promptLogprobs: Int?

    @Option(
        help: ArgumentHelp("Answer with one JSON value that satisfies the JSON Schema in this file.", valueName: "file")
    )
    var jsonSchema: SchemaFile?

    @Flag(help: "Answer with one JSON object.")
    var jsonObject = false

    func validate() throws {
        if jsonObject, jsonSchema != nil { throw ValidationError("give --json-object or --json-schema, not both") }
    }

    func requested(defaultSeed: UInt64) -> RequestedSampling {
        RequestedSampling(
            temperature: temperature, topK: topK, topP: topP, minP: minP, typicalP: typicalP,
            repetitionPenalty: repetitionPenalty, presencePenalty: presencePenalty, frequencyPenalty: frequencyPenalty,
            logitBias: logitBias.map(\.entry).sorted { $0.token < $1.token }, seed: seed ?? defaultSeed,
            choiceCount: choiceCount, bestOf: bestOf, tokenCountMax: maxTokens, tokenCountMin: minTokens,
            stopStrings: stop, stopTokens: stopTokenId, ignoresEndTokens: ignoreEos, logprobCount: logprobs,
            promptLogprobCount: promptLogprobs,
            constraint: jsonSchema.map { .jsonSchema($0.text) } ?? (jsonObject ? .jsonObject : nil))
    }
}

/// `17=-2.5`: a token and what is added to its logit.
struct LogitBiasArgument: ExpressibleByArgument {
    let entry: SamplingParameters.LogitBias

    init?(argument: String) {
        let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let token = TokenID(parts[0]), let bias = Float(parts[1]) else { return nil }
        entry = SamplingParameters.LogitBias(token: token, bias: bias)
    }
}

/// The text of a file that holds a JSON Schema.
struct SchemaFile: ExpressibleByArgument {
    let text: String

    init?(argument: String) {
        guard let data = FileManager.default.contents(atPath: argument),
            let text = String(validating: data, as: UTF8.self)
        else { return nil }
        self.text = text
    }
}
