import HeddleCore
import HeddleEngine
import HeddleKernels
import Testing

@Suite struct KVStorageTests {
    private func segment(_ sequence: UInt64, first: Int, count: Int, blocks: [Int32]) -> StepPlan.Segment {
        StepPlan.Segment(
            sequence: SequenceID(sequence), adapter: nil, tokens: Array(repeating: 1, count: count),
            firstPosition: first,
            blocks: blocks.map(BlockID.init), logits: .none)
    }

    @Test func aBlockThatChangesHandsIsZeroed() throws {
        let heads = AttentionHeads(headDimension: 4, kvHeadCount: 2, kvHeadOfHead: [0, 1])
        let storage = try KVStorage(heads: heads, layerCount: 3, blockCount: 4)
        func sums() -> [Float] { (0..<3).map { storage.layer($0).reduce(0, +) } }
        let block = heads.blockFloatCount

        try storage.check([segment(1, first: 0, count: 20, blocks: [2, 0])])
        storage.take([segment(1, first: 0, count: 20, blocks: [2, 0])])
        for layer in 0..<3 { storage.layer(layer).update(repeating: 1) }
        // The same sequence goes on, or begins again: what it wrote stays.
        storage.take([segment(1, first: 20, count: 1, blocks: [2, 0])])
        storage.take([segment(1, first: 0, count: 20, blocks: [2, 0])])
        #expect(sums() == Array(repeating: Float(4 * block), count: 3))
        // Another takes block 0 in every layer, and block 3, which nobody held, as it is.
        storage.take([segment(2, first: 0, count: 17, blocks: [0, 3])])
        #expect(sums() == Array(repeating: Float(3 * block), count: 3))
        #expect(storage.layer(1)[..<block].allSatisfy { $0 == 0 })
    }

    @Test func aCheckChangesNothing() throws {
        let heads = AttentionHeads(headDimension: 4, kvHeadCount: 1, kvHeadOfHead: [0])
        let storage = try KVStorage(heads: heads, layerCount: 1, blockCount: 4)
        let plan = [segment(1, first: 0, count: 3, blocks: [1])]
        try storage.check(plan)
        try storage.check(plan)
        #expect(throws: PlanError.blockNotOwned(SequenceID(1), block: BlockID(1))) {
            try storage.check([segment(1, first: 3, count: 1, blocks: [1])])
        }
        storage.take(plan)
        try storage.check([segment(1, first: 3, count: 1, blocks: [1])])
    }

    @Test func impossibleSizesAreRefused() {
        let heads = AttentionHeads(headDimension: 256, kvHeadCount: 64, kvHeadOfHead: [0])
        #expect(throws: EngineError.self) { try KVStorage(heads: heads, layerCount: 1 << 20, blockCount: 1 << 30) }
    }
}
