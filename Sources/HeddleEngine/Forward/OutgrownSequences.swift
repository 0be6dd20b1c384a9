import HeddleCore

/// Decides how a step is run in which sequences outgrow the short frequencies of a model that then computes its cache anew
/// (Phi-3's LongRoPE).
///
/// A sequence whose prompt fits the short set has its rows computed with it up to the length at which it ends. The row behind
/// needs keys and values of all earlier positions with the long set, which differ in every layer, so these positions are run
/// once more, from the tokens that the KV storage remembers, over the same blocks. Rows that a step holds before that point are
/// run first, as they would have been alone: what a row gives does not depend on how the sequence is cut.
struct OutgrownSequences {
    /// What is run before, for its logits; segments of the plan that have no such rows are not among them.
    private(set) var before: [StepPlan.Segment] = []
    /// What is run once more; no logits.
    private(set) var again: [StepPlan.Segment] = []
    /// The plan's segments, without the rows that `before` has.
    private(set) var rest: [StepPlan.Segment] = []

    /// nil where no sequence of the plan outgrows anything.
    init?(_ plan: StepPlan, lengthMax: Int, rememberedTokens: (StepPlan.Segment, Int) -> [TokenID]) {
        for segment in plan.segments {
            let end = segment.firstPosition + segment.tokens.count
            guard segment.promptTokenCount <= lengthMax, segment.firstPosition <= lengthMax, lengthMax < end else {
                rest.append(segment)
                continue
            }
            let earlierCount = lengthMax - segment.firstPosition
            if earlierCount > 0 {
                var earlier = segment
                earlier.tokens = Array(segment.tokens[..<earlierCount])
                earlier.logits = segment.logits == .all ? .all : .none
                before.append(earlier)
            }
            var whole = segment
            whole.tokens = rememberedTokens(segment, lengthMax)
            whole.firstPosition = 0
            whole.logits = .none
            // A prompt of this length is beyond the short set, and so are all its rows.
            whole.promptTokenCount = lengthMax + 1
            again.append(whole)
            var later = segment
            later.tokens = Array(segment.tokens[earlierCount...])
            later.firstPosition = lengthMax
            rest.append(later)
        }
        if again.isEmpty { return nil }
    }
}
