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

    private let realm = KVRealm(tenant: TenantName("a"), adapter: nil)

    /// Takes blocks for whole blocks of tokens, holding what is found, and keeps what is new.
    private func run(_ tokens: [TokenID], in realm: KVRealm, _ blocks: inout KVBlocks) -> (
        held: [BlockID], realm: UInt64, found: Int
    )? {
        let count = tokens.count / kvBlockTokens
        let prefix = blocks.prefix(of: tokens, in: realm, blockCountMax: count)
        blocks.hold(prefix.blocks)
        guard let fresh = blocks.allocate(count - prefix.blocks.count) else {
            blocks.release(prefix.blocks)
            return nil
        }
        let number = blocks.open(realm)
        var held = prefix.blocks + fresh
        var chain = prefix.blocks.last.map { blocks.number(of: $0) } ?? number
        for index in prefix.blocks.count..<count {
            let kept = blocks.keep(held[index], tokens: tokens, index: index, behind: chain)
            held[index] = kept.block
            chain = kept.number
        }
        return (held, number, prefix.blocks.count)
    }

    @Test func equalBlocksAreOneBlock() {
        var blocks = KVBlocks(blockCount: 8)
        let tokens = (0..<32).map { TokenID($0) }
        let number = blocks.open(realm)
        let (a, b) = (blocks.allocate(2) ?? [], blocks.allocate(2) ?? [])
        let first = blocks.keep(a[0], tokens: tokens, index: 0, behind: number)
        #expect(first.block == a[0])
        // Computed apart: its holder gets the one that is kept.
        #expect(blocks.keep(b[0], tokens: tokens, index: 0, behind: number) == first)
        #expect(blocks.heldCount == 3)
        blocks.release([a[0], a[1]])
        #expect(blocks.isHeld(a[0]))
        blocks.release([a[0], b[1]])
        #expect(blocks.heldCount == 0 && blocks.keptCount == 1 && blocks.freeCount == 8)
        #expect(blocks.prefix(of: tokens, in: realm, blockCountMax: 2).blocks == [a[0]])
        let other = KVRealm(tenant: TenantName("b"), adapter: nil)
        #expect(blocks.prefix(of: tokens, in: other, blockCountMax: 2).blocks == [])
    }

    @Test func memoryGoesBackFromWhatHoldsNothingAndThenFromWhatIsIdle() throws {
        var blocks = KVBlocks(blockCount: 6)
        let taken = run((0..<48).map { TokenID($0) }, in: realm, &blocks)
        let first = try #require(taken)
        let rest = blocks.allocate(2) ?? []
        blocks.release(first.held)
        blocks.release(rest)
        #expect(blocks.residentCount == 5 && blocks.keptCount == 3)
        #expect(blocks.resize(residentCountMax: 2) == [rest[0], rest[1], first.held[2]])
        #expect(blocks.freeCount == 2 && blocks.residentCount == 2)
        #expect(blocks.allocate(3) == nil)
        #expect(blocks.resize(residentCountMax: 9) == [])
        #expect(blocks.allocate(6)?.count == 6)
    }

    /// Against a model that keeps the tokens of every block: what is found is what was kept, realm and all.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func anyScheduleFindsWhatWasKeptAndNothingElse(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var blocks = KVBlocks(blockCount: random.number(3...20))
        let realms = [
            realm, KVRealm(tenant: TenantName("b"), adapter: nil), KVRealm(tenant: TenantName("a"), adapter: digest(1)),
        ]
        var contents: [BlockID: (realm: Int, tokens: [TokenID])] = [:]
        var held: [(blocks: [BlockID], realm: UInt64)] = []
        var foundCount = 0
        for _ in 0..<2000 {
            if random.chance(50) {
                let which = random.number(0...2)
                // Few different chains, so that they meet.
                let tokens = (0..<random.number(1...4)).flatMap { _ in
                    Array(repeating: TokenID(random.number(0...1)), count: kvBlockTokens)
                }
                guard let taken = run(tokens, in: realms[which], &blocks) else { continue }
                for (index, block) in taken.held.enumerated() {
                    let whole = Array(tokens[..<((index + 1) * kvBlockTokens)])
                    if index < taken.found {
                        foundCount += 1
                        #expect(
                            contents[block].map { $0.realm == which && $0.tokens == whole } ?? false, "seed \(seed)")
                    }
                    contents[block] = (which, whole)
                }
                held.append((taken.held, taken.realm))
            } else if random.chance(80), !held.isEmpty {
                let gone = held.remove(at: random.number(0...held.count - 1))
                blocks.release(gone.blocks)
                blocks.close(gone.realm)
            } else {
                _ = blocks.resize(residentCountMax: random.number(blocks.heldCount...blocks.blockCount))
            }
            let all = Set(held.flatMap(\.blocks))
            guard blocks.heldCount == all.count, all.allSatisfy(blocks.isHeld),
                blocks.residentCount <= blocks.residentCountMax, blocks.keptCount <= blocks.freeCount
            else {
                Issue.record("seed \(seed): \(all.count) blocks held, \(blocks.heldCount) counted")
                return
            }
        }
        #expect(foundCount > 0)
    }
}
