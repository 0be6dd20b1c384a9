import HeddleCollective
import Testing

@Suite struct ReductionTreeTests {
    @Test(arguments: ReductionTree.rankCounts)
    func theNodesOfAllRanksCoverEveryLeafOnce(rankCount: Int) {
        let tree = ReductionTree(rankCount: rankCount)
        #expect(tree.nodes.flatMap(\.leaves) == Array(0..<8))
        for rank in 0..<rankCount {
            #expect(tree.nodes(of: rank).flatMap(\.leaves) == Array(tree.leaves(of: rank)))
            #expect(!tree.leaves(of: rank).isEmpty)
        }
    }

    @Test func aRankSendsTheLargestNodesThatItOwns() {
        func levels(_ rankCount: Int) -> [[Int]] {
            let tree = ReductionTree(rankCount: rankCount)
            return (0..<rankCount).map { tree.nodes(of: $0).map(\.level) }
        }
        #expect(levels(1) == [[3]])
        #expect(levels(2) == [[2], [2]])
        #expect(levels(3) == [[1], [1, 0], [0, 1]])
        #expect(levels(4) == [[1], [1], [1], [1]])
        #expect(levels(5) == [[0], [0, 0], [0], [1], [1]])
        #expect(levels(8) == Array(repeating: [0], count: 8))
    }

    @Test(arguments: ReductionTree.rankCounts)
    func everyRankCountGivesTheBitsOfTheOneTree(rankCount: Int) throws {
        // Longer than one block of additions and than one slot, and no multiple of a vector.
        let count = 5003
        var generator = SeededGenerator(seed: 7)
        // Magnitudes from 1e-6 to 1e6: another order gives other bits.
        let leaves = (0..<8).map { _ in
            (0..<count).map { _ in
                Float.random(in: -1...1, using: &generator) * [1e-6, 1, 1e6].randomElement(using: &generator)!
            }
        }
        let expected = sum(of: leaves, 0..<8)
        var limits = CollectiveLimits()
        limits.slotByteCount = 8192
        let sums = try onEveryRank(rankCount, limits: limits) { collective in
            let nodes = collective.tree.nodes(of: collective.rank).flatMap { sum(of: leaves, $0.leaves) }
            var result = [Float](repeating: .nan, count: count)
            var span = result.mutableSpan
            try collective.reduceTree(nodes: nodes.span, into: &span)
            return result
        }
        for result in sums { #expect(result.map(\.bitPattern) == expected.map(\.bitPattern)) }
        // The test can tell orders apart.
        let inARow = (0..<count).map { index in leaves.reduce(Float(0)) { $0 + $1[index] } }
        #expect(inARow.map(\.bitPattern) != expected.map(\.bitPattern))
    }

    /// The slow reference: halves, recursively.
    private func sum(of leaves: [[Float]], _ range: Range<Int>) -> [Float] {
        if range.count == 1 { return leaves[range.lowerBound] }
        let middle = (range.lowerBound + range.upperBound) / 2
        return zip(sum(of: leaves, range.lowerBound..<middle), sum(of: leaves, middle..<range.upperBound)).map {
            $0 + $1
        }
    }
}
