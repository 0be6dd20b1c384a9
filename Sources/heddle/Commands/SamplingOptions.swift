import ArgumentParser
import HeddleCore

/// How tokens are drawn, as flags; their bounds are the request's own and are checked with it.
struct SamplingOptions: ParsableArguments {
    @Option(help: "New tokens at most.")
    var maxTokens: Int = 64

    @Option(help: "0 is greedy: the likeliest token each time.")
    var temperature: Float = 0

    @Option(help: "Draw from this many likeliest tokens; 0 for all.")
    var topK: Int = 0

    @Option(help: "Draw from the fewest likeliest tokens that together reach this probability.")
    var topP: Float = 1

    @Option(help: "The same seed draws the same tokens. Without it: another for each request.")
    var seed: UInt64?

    @Option(help: "A text that ends the answer; may be given several times.")
    var stop: [String] = []

    @Option(name: .customLong("n"), help: "Independent answers.")
    var choiceCount: Int = 1

    @Option(help: ArgumentHelp("Report this many likeliest tokens beside each; shown with --json.", valueName: "k"))
    var logprobs: Int?

    func parameters(defaultSeed: UInt64) -> SamplingParameters {
        SamplingParameters(
            temperature: temperature, topK: topK, topP: topP, seed: seed ?? defaultSeed, choiceCount: choiceCount,
            tokenCountMax: maxTokens, stopStrings: stop, logprobCount: logprobs)
    }
}
