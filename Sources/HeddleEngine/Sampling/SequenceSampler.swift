import HeddleCore

/// Owns what is known of one sequence at sampling: its sampler, its tokens so far, and how far its prompt is scored.
///
/// Rank 0 makes one when a sequence is admitted and gives it each of the sequence's segments with its rows of logits. What it
/// answers is a function of the request and of the tokens, whatever else ran (law 1).
public struct SequenceSampler: Sendable {
    /// What a segment's logits came to.
    public struct Outcome: Hashable, Sendable {
        /// Set where the segment ended with the last token that there is.
        public var token: TokenID?
        /// Of `token`, where they are delivered.
        public var logprobs: TokenLogprobs?
        /// Index of the first prompt token that was scored.
        public var scoredFrom = 0
        /// Of consecutive prompt tokens from there.
        public var scores: [TokenLogprobs] = []
    }

    private let sampler: Sampler
    private let choice: Int
    private var history: TokenHistory
    private var constrained: ConstrainedAnswer?
    /// Empty where nothing of it is scored.
    private let promptTokens: [TokenID]
    /// Index of the next prompt token to score.
    private var nextScored: Int

    /// - Parameters:
    ///   - generated: tokens of earlier attempts.
    ///   - scoredFrom: index of the first prompt token whose log-probability is wanted; nil when none is.
    ///   - constrained: where the answer stands behind `generated`; nil where nothing constrains it.
    public init(
        _ parameters: SamplingParameters, choice: Int, prompt: [TokenID], generated: [TokenID] = [],
        scoredFrom: Int? = nil, constrained: ConstrainedAnswer? = nil
    ) {
        self.constrained = constrained
        sampler = Sampler(parameters)
        self.choice = choice
        history = sampler.history(prompt: prompt, generated: generated)
        promptTokens = scoredFrom == nil ? [] : prompt
        nextScored = max(1, scoredFrom ?? 1)
    }

    /// Reads the rows that a segment asked for, which begin with `firstRow` of the step's logits.
    public mutating func read(
        _ segment: StepPlan.Segment, _ logits: Logits, firstRow: Int, memory: SamplingMemory
    ) -> Outcome {
        var outcome = Outcome()
        let rowCount = segment.logitsRowCount
        let end = segment.firstPosition + segment.tokens.count
        if segment.logits == .all { score(segment, logits, firstRow: firstRow, memory, &outcome) }
        guard rowCount > 0, end == history.count else { return outcome }
        outcome.token = logits.withRow(firstRow + rowCount - 1) { row in
            let token = sampler.token(
                row, after: history, choice: choice, mask: constrained?.mask, memory: memory)
            outcome.logprobs = sampler.parameters.deliveredLogprobCount.map {
                TokenLogprobs(token, in: row, count: $0, memory: memory)
            }
            return token
        }
        if let token = outcome.token {
            history.append(token)
            constrained?.append(token)
        }
        return outcome
    }

    /// The logits at a position are those of the token behind it.
    private mutating func score(
        _ segment: StepPlan.Segment, _ logits: Logits, firstRow: Int, _ memory: SamplingMemory, _ outcome: inout Outcome
    ) {
        let count = sampler.parameters.promptLogprobCount ?? 0
        outcome.scoredFrom = nextScored
        for offset in segment.tokens.indices {
            let index = segment.firstPosition + offset + 1
            guard index == nextScored, index < promptTokens.count else { continue }
            outcome.scores.append(
                logits.withRow(firstRow + offset) {
                    TokenLogprobs(promptTokens[index], in: $0, count: count, memory: memory)
                })
            nextScored += 1
        }
    }
}
