import HeddleCore
import Testing

@Suite struct KVBlocksTests {
    @Test func aSequenceOfSixteenTokensFillsOneBlockAndOneMoreTokenAnother() {
        #expect([0, 1, 15, 16, 17, 32, 33].map(KVBlocks.blockCount(forTokens:)) == [0, 1, 1, 1, 2, 2, 3])
    }

    @Test func blocksAreHandedOutInOneOrder() {
        var blocks = KVBlocks(blockCount: 4)
        #expect(blocks.allocate(2) == [BlockID(0), BlockID(1)])
        #expect(blocks.allocate(1) == [BlockID(2)])
        blocks.release([BlockID(0), BlockID(1)])
        #expect(blocks.allocate(3) == [BlockID(0), BlockID(1), BlockID(3)])
    }

    @Test func allocatingMoreThanIsFreeTakesNothing() {
        var blocks = KVBlocks(blockCount: 2)
        #expect(blocks.allocate(3) == nil)
        #expect(blocks.freeCount == 2)
        #expect(blocks.allocate(0) == [])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func anyScheduleLosesAndDoublesNoBlock(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let count = random.number(1...40)
        var blocks = KVBlocks(blockCount: count)
        var held: [[BlockID]] = []
        for _ in 0..<2000 {
            if random.chance(55) {
                let wanted = random.number(0...6)
                let free = blocks.freeCount
                let taken = blocks.allocate(wanted)
                #expect((taken != nil) == (wanted <= free), "seed \(seed)")
                held.append(taken ?? [])
            } else if !held.isEmpty {
                blocks.release(held.remove(at: random.number(0...held.count - 1)))
            }
            let all = held.flatMap(\.self)
            guard Set(all).count == all.count, blocks.heldCount == all.count, all.allSatisfy(blocks.isHeld) else {
                Issue.record("seed \(seed): \(all.count) blocks held, \(blocks.heldCount) counted")
                return
            }
        }
    }
}
