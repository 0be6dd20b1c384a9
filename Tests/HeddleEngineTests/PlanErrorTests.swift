import HeddleCore
import HeddleEngine
import Testing

/// A plan that cannot be run is refused whole, by name, and changes nothing.
@Suite struct PlanErrorTests {
    private func plan(_ segments: StepPlan.Segment...) -> StepPlan { StepPlan(step: 1, segments: segments) }

    private func segment(
        _ sequence: UInt64 = 1, adapter: Int32? = nil, tokens: [TokenID] = [3, 4, 5], first: Int = 0,
        blocks: [Int32] = [0]
    ) -> StepPlan.Segment {
        StepPlan.Segment(
            sequence: SequenceID(sequence), adapter: adapter.map(AdapterSlot.init), tokens: tokens,
            firstPosition: first,
            blocks: blocks.map(BlockID.init), logits: .last)
    }

    @Test func everyImpossiblePlanIsNamed() throws {
        let golden = try Golden("heads4")
        var limits = ForwardLimits()
        limits.blockCount = 8
        limits.stepRowCountMax = 64
        let group = try RankGroup(golden, limits: limits)
        func refused(_ plan: StepPlan, _ error: PlanError) {
            #expect(throws: error) { try group.run(plan) }
        }
        let one = SequenceID(1)
        refused(plan(segment(tokens: [])), .emptySegment(one))
        refused(plan(segment(), segment(blocks: [1])), .sequenceTwice(one))
        refused(plan(segment(tokens: [131])), .tokenOutOfRange(one, token: 131, vocabularyCount: 131))
        refused(plan(segment(tokens: [-1])), .tokenOutOfRange(one, token: -1, vocabularyCount: 131))
        refused(plan(segment(first: -1)), .positionOutOfRange(one, position: -1, positionCountMax: 128))
        refused(plan(segment(first: 126)), .positionOutOfRange(one, position: 128, positionCountMax: 128))
        refused(plan(segment(first: .max)), .positionOutOfRange(one, position: .max, positionCountMax: 128))
        refused(plan(segment(blocks: [])), .blockCount(one, found: 0, expected: 1))
        refused(plan(segment(blocks: [0, 1])), .blockCount(one, found: 2, expected: 1))
        refused(plan(segment(blocks: [8])), .blockOutOfRange(one, block: BlockID(8), blockCount: 8))
        refused(plan(segment(blocks: [-1])), .blockOutOfRange(one, block: BlockID(-1), blockCount: 8))
        refused(plan(segment(), segment(2)), .blockTwice(SequenceID(2), block: BlockID(0)))
        refused(plan(segment(first: 3)), .blockNotOwned(one, block: BlockID(0)))
        refused(plan(segment(adapter: 77)), .adapterSlotEmpty(one, slot: AdapterSlot(77)))
        refused(
            plan(segment(tokens: Array(repeating: 2, count: 65), blocks: [0, 1, 2, 3, 4])),
            .tooManyRows(count: 65, countMax: 64))
        #expect(try group.run(plan(segment())).count == 1)
    }

    @Test func aSequenceCannotReadWhatAnotherWrote() throws {
        let group = try RankGroup(Golden("heads4"))
        _ = try group.run(plan(segment(1)))
        #expect(throws: PlanError.blockNotOwned(SequenceID(2), block: BlockID(0))) {
            try group.run(plan(segment(2, tokens: [9], first: 3)))
        }
        // Sequence 2 takes the block over; sequence 1 has lost it.
        _ = try group.run(plan(segment(2)))
        #expect(throws: PlanError.blockNotOwned(SequenceID(1), block: BlockID(0))) {
            try group.run(plan(segment(1, tokens: [9], first: 3)))
        }
    }

    @Test func logitsComeForTheRowsThatWereAskedFor() throws {
        let golden = try Golden("heads4")
        let group = try RankGroup(golden)
        var all = segment(1, tokens: [3, 4, 5])
        all.logits = .all
        var none = segment(2, tokens: [3, 4], blocks: [1])
        none.logits = .none
        let last = segment(3, tokens: [3, 4, 5], blocks: [2])
        let rows = try group.run(plan(none, all, last))
        #expect(rows.count == 4)
        #expect(rows[2] == rows[3])
        #expect(try group.run(plan(none)).isEmpty)
    }
}
