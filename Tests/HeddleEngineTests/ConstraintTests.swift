import HeddleCore
import HeddleEngine
import HeddleGrammar
import Testing

/// Answers that are held to a constraint, drawn by the whole engine.
@Suite struct ConstraintTests {
    /// The models of the goldens have few tokens: id i is the byte i, and the last ones end an answer.
    private static func matcher(_ golden: Golden, _ schema: String) throws -> ConstraintMatcher {
        let vocabulary = TokenVocabulary(tokenCount: golden.model.configuration.vocabularyCount) { token in
            token < 0x7F ? [UInt8(token)] : nil
        }
        let automaton = try Automaton(.jsonSchema(schema), bytes: vocabulary.spelled)
        return ConstraintMatcher(automaton, vocabulary: vocabulary)
    }

    private static let schema =
        #"{"type":"object","properties":{"a":{"type":"integer","maximum":999999},"#
        + #""b":{"type":"array","items":{"enum":["x","yy",null]},"maxItems":4},"c":{"type":"string","maxLength":9}},"#
        + #""required":["a","b","c"],"additionalProperties":false}"#

    /// However it runs: alone or together, on one rank or several, with room for all or preempted, in any chunks.
    @Test(arguments: ["heads4", "heads8kv2"])
    func aConstrainedAnswerIsTheSameHoweverItRuns(_ name: String) throws {
        let golden = try Golden(name)
        let end = TokenID(golden.model.configuration.vocabularyCount - 1)
        guard end > 0x7F else { return #expect(Bool(false), "the golden's vocabulary holds ASCII") }
        let matcher = try Self.matcher(golden, Self.schema)
        let requests = golden.sequences.enumerated().map { index, sequence in
            var parameters = SamplingParameters(
                temperature: index == 0 ? 0 : 1.5, repetitionPenalty: 1.1,
                // Neither white space nor escapes, so that every answer ends in time.
                logitBias: [0x09, 0x0A, 0x0D, 0x20, 0x5C].map { .init(token: $0, bias: -100) },
                seed: UInt64(index), tokenCountMax: 90,
                tokenCountMin: 90, stopTokens: [end], logprobCount: 1)
            parameters.constraint = .jsonSchema(Self.schema)
            return LocalRequest(promptTokens: sequence.prompt, parameters: parameters, matcher: matcher)
        }
        func answers(_ rankCount: Int, blockCount: Int, chunk: Int, together: Bool) throws -> [LocalResult] {
            var options = LocalEngine.Options()
            options.rankCount = rankCount
            options.forward.blockCount = blockCount
            options.chunkTokenCountMax = chunk
            let engine = try LocalEngine(model: golden.model, options: options)
            return together ? try engine.generate(requests) : try requests.flatMap { try engine.generate([$0]) }
        }
        let expected = try answers(1, blockCount: 64, chunk: 256, together: false)
        for result in expected {
            // The value was complete and nothing could follow: it ended before `min_tokens`.
            #expect(result.finish == .stop && result.error == nil)
            let state = result.tokens.reduce(Optional(matcher.start)) { state, token in
                state.flatMap { matcher.state(after: token, from: $0) }
            }
            #expect(state?.isComplete == true)
        }
        let few = golden.sequences.map { KVBlocks.blockCount(forTokens: $0.prompt.count + 90) }.max() ?? 0
        #expect(try answers(1, blockCount: few, chunk: 7, together: true) == expected)
        #expect(try answers(2, blockCount: few + 1, chunk: 16, together: true) == expected)
        #expect(try answers(2, blockCount: 64, chunk: 256, together: true) == expected)
    }

    @Test func anAnswerThatIsCutIsABeginning() throws {
        let golden = try Golden("heads4")
        let matcher = try Self.matcher(golden, Self.schema)
        let end = TokenID(golden.model.configuration.vocabularyCount - 1)
        var parameters = SamplingParameters(tokenCountMax: 5, stopTokens: [end])
        parameters.constraint = .jsonSchema(Self.schema)
        let engine = try LocalEngine(model: golden.model)
        let result = try engine.generate([
            LocalRequest(promptTokens: golden.sequences[0].prompt, parameters: parameters, matcher: matcher)
        ])[0]
        #expect(result.finish == .length && result.tokens.count == 5)
        #expect(ConstrainedAnswer(matcher, generated: result.tokens) != nil)
        #expect(ConstrainedAnswer(matcher, generated: [0x5B]) == nil, "tokens that break the constraint are noticed")
    }

    /// What a mask forbids is never drawn, whatever else is asked for, and whatever the model says.
    @Test func nothingOverrulesAMask() throws {
        let vocabulary = TokenVocabulary(tokenCount: 256) { [UInt8($0)] }
        let matcher = ConstraintMatcher(try Automaton(.jsonSchema(#"{"enum":["a","b"]}"#)), vocabulary: vocabulary)
        let mask = matcher.mask(of: matcher.start)
        let memory = SamplingMemory()
        let kinds: [(Int) -> Float] = [
            { Float($0) }, { _ in .nan }, { _ in -.infinity }, { $0 == 0x22 ? -.infinity : 9 },
        ]
        for logit in kinds {
            let logits = (0..<300).map(logit)
            for temperature in [Float(0), 1] {
                let parameters = SamplingParameters(
                    temperature: temperature, logitBias: [.init(token: 5, bias: 100), .init(token: 0x22, bias: -100)],
                    stopTokens: [299])
                let sampler = Sampler(parameters)
                let token = logits.withUnsafeBufferPointer {
                    sampler.token($0, after: sampler.history(prompt: [1]), choice: 0, mask: mask, memory: memory)
                }
                #expect(mask.contains(token), "token \(token)")
            }
        }
    }
}
