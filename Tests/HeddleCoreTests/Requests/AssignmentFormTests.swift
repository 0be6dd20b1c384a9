import HeddleCore
import Testing

@Suite struct AssignmentFormTests {
    private func assignment(
        _ parameters: SamplingParameters = SamplingParameters(), prompt: [TokenID] = [1, 2], choices: [Int] = [0]
    ) -> Assignment {
        Assignment(
            request: request(1), attempt: Attempt(1), tenant: TenantName("a"), model: ModelName("base"), adapter: nil,
            promptTokens: prompt, parameters: parameters,
            choices: choices.map { Assignment.Choice(number: $0, tokens: [3]) }, router: router,
            timeLeft: .seconds(1))
    }

    @Test func whatARouterMayHaveAllowedIsTaken() {
        #expect(assignment().formError(vocabularyCount: 10) == nil)
        let wide = SamplingParameters(
            temperature: 1000, topK: 1_000_000, topP: 0.1, choiceCount: 500, tokenCountMax: 1 << 40,
            stopTokens: Array(0..<500), logprobCount: 5000)
        #expect(assignment(wide, choices: [0, 499]).formError(vocabularyCount: 500) == nil)
    }

    /// A negative `top_k` trapped in the sampler, and took the process with it.
    @Test(arguments: [
        SamplingParameters(topK: -1), SamplingParameters(topK: .min), SamplingParameters(temperature: -1),
        SamplingParameters(temperature: .nan), SamplingParameters(temperature: .infinity), SamplingParameters(topP: 0),
        SamplingParameters(topP: .nan), SamplingParameters(choiceCount: 0), SamplingParameters(tokenCountMax: -5),
        SamplingParameters(logprobCount: -1), SamplingParameters(logprobCount: .max),
        SamplingParameters(promptLogprobCount: .max), SamplingParameters(tokenCountMin: 1, stopTokens: [10]),
        SamplingParameters(logitBias: [.init(token: 10, bias: 1)]),
    ])
    func whatNoEngineCanRunIsRefused(parameters: SamplingParameters) {
        guard case .invalidParameter? = assignment(parameters).formError(vocabularyCount: 10) else {
            Issue.record("\(parameters) is taken")
            return
        }
    }

    @Test func tokensAndChoicesAreWithinTheirRanges() {
        let outside = RequestError.promptTokenOutOfRange(token: 10, vocabularyCount: 10)
        #expect(assignment(prompt: [1, 10]).formError(vocabularyCount: 10) == outside)
        let two = SamplingParameters(choiceCount: 2)
        for numbers in [[2], [-1], [.max], [1, 1]] {
            #expect(assignment(two, choices: numbers).formError(vocabularyCount: 10)?.code == "invalid_parameter")
        }
        #expect(assignment(two, choices: [1, 0]).formError(vocabularyCount: 10) == nil)
    }
}
