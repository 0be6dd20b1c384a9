import Glibc
import HeddleCore

/// One call of `LocalEngine.generate`: who is who, what was sampled, and how each request ended.
struct LocalRun {
    let requests: [LocalRequest]
    private(set) var results: [LocalResult]
    private let firstSequence: UInt64
    private var samplers: [SequenceSampler]
    /// Log-probabilities of tokens that were sampled and are not delivered yet, by request.
    private var pending: [TokenLogprobs?]

    init(_ requests: [LocalRequest], firstSequence: UInt64) {
        self.requests = requests
        self.firstSequence = firstSequence
        results = Array(repeating: LocalResult(), count: requests.count)
        samplers = requests.map { request in
            SequenceSampler(
                request.parameters, choice: request.choice, prompt: request.promptTokens,
                scoredFrom: request.scoredFrom, constrained: request.matcher.flatMap { ConstrainedAnswer($0) })
        }
        pending = Array(repeating: nil, count: requests.count)
    }

    /// This process's monotonic clock.
    var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// The requests as the scheduler wants them, each a request of its own.
    var admissions: [SequenceRequest] {
        requests.enumerated().map { index, request in
            let number = firstSequence + UInt64(index)
            return SequenceRequest(
                sequence: SequenceID(number), request: RequestID(high: 0, low: number), attempt: Attempt(1),
                choice: request.choice, tenant: TenantName("local"), adapter: request.adapter,
                promptTokens: request.promptTokens, tokenCountMax: request.parameters.tokenCountMax,
                stopTokens: request.parameters.stopTokens, scoredFrom: request.scoredFrom)
        }
    }

    /// Samples the token behind each segment that ends its sequence's tokens, and scores prompts.
    mutating func sample(_ plan: StepPlan, _ logits: Logits, _ memory: SamplingMemory) -> [SampledToken] {
        var row = 0
        var sampled: [SampledToken] = []
        for segment in plan.segments {
            defer { row += segment.logitsRowCount }
            let index = Int(segment.sequence.number - firstSequence)
            let outcome = samplers[index].read(segment, logits, firstRow: row, memory: memory)
            results[index].promptLogprobs += outcome.scores
            guard let token = outcome.token else { continue }
            pending[index] = outcome.logprobs
            sampled.append(SampledToken(segment.sequence, token))
        }
        return sampled
    }

    mutating func deliver(
        _ delivery: SequenceDelivery, _ onToken: (Int, TokenID) -> LocalDecision
    ) -> LocalDecision {
        let index = Int(delivery.sequence.number - firstSequence)
        results[index].finish = delivery.finish
        results[index].cachedTokenCount = delivery.cachedTokenCount
        for token in delivery.tokens {
            results[index].tokens.append(token)
            if let logprobs = pending[index] { results[index].logprobs.append(logprobs) }
            pending[index] = nil
            if onToken(index, token) == .stop {
                results[index].finish = .stop
                return .stop
            }
        }
        return .goOn
    }

    mutating func fail(_ request: RequestID, _ error: RequestError) {
        results[Int(request.low - firstSequence)].error = error
    }
}
