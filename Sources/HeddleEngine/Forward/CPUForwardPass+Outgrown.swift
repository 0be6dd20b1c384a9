import HeddleCore
import HeddleKernels

extension CPUForwardPass {
    /// Runs a step in which sequences outgrow the short frequencies; its logits are in the order of the plan.
    func run(_ outgrown: OutgrownSequences, of plan: StepPlan) throws -> Logits {
        let before = try logits(of: StepPlan(step: plan.step, segments: outgrown.before))
        let earlier = (0..<before.rowCount).map { before.row($0) }
        for whole in outgrown.again {
            for first in stride(from: 0, to: whole.tokens.count, by: limits.stepRowCountMax) {
                var part = whole
                part.tokens = Array(whole.tokens[first...].prefix(limits.stepRowCountMax))
                part.firstPosition = first
                part.blocks = Array(whole.blocks.prefix((first + part.tokens.count - 1) / kvBlockTokens + 1))
                _ = try logits(of: StepPlan(step: plan.step, segments: [part]))
            }
        }
        let rest = try logits(of: StepPlan(step: plan.step, segments: outgrown.rest))
        if earlier.isEmpty { return rest }
        return merged(earlier, rest, outgrown, plan)
    }

    /// Puts the rows of what was run before in front of those of the same segments.
    private func merged(
        _ earlier: [[Float]], _ rest: Logits, _ outgrown: OutgrownSequences, _ plan: StepPlan
    ) -> Logits {
        let count = rest.vocabularyCount
        let memory = FloatMemory(count: (earlier.count + rest.rowCount) * count)
        var (row, earlierRow, restRow) = (0, 0, 0)
        func append(_ values: [Float]) {
            memory.rows(1, width: count, at: row * count).withRow(0) { _ = $0.update(from: values) }
            row += 1
        }
        for segment in outgrown.rest {
            let first = outgrown.before.first { $0.sequence == segment.sequence }
            for _ in 0..<(first?.logits == .all ? first?.tokens.count ?? 0 : 0) {
                append(earlier[earlierRow])
                earlierRow += 1
            }
            let wanted = StepPlan(step: plan.step, segments: [segment]).logitsRowCount
            for _ in 0..<wanted {
                append(rest.row(restRow))
                restRow += 1
            }
        }
        return Logits(memory: memory, rowCount: row, vocabularyCount: count)
    }
}
