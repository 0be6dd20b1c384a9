/// Decides in which order partial sums are added: one binary tree over eight leaves, whatever the number of ranks.
///
/// Floating-point addition is not associative, so a sum has one value only when its order is fixed. Row-parallel
/// products are cut into eight segments, the leaves; a rank owns whole neighbouring leaves, adds what the tree lets it
/// add alone, and sends the largest nodes that lie wholly inside its leaves. Everybody adds the rest along the same
/// tree, so the bits are the same for every rank count from 1 to 8.
public struct ReductionTree: Hashable, Sendable {
    /// Leaves of the tree: segments of the summed dimension.
    public static let leafCount = 8
    /// Rank counts that own whole leaves.
    public static let rankCounts = 1...leafCount

    /// An inner node or a leaf: the leaves `index << level ..< (index + 1) << level`.
    public struct Node: Hashable, Sendable {
        /// 0 for a leaf, 3 for the root.
        public let level: Int
        /// Position among the nodes of its level, from the left.
        public let index: Int

        /// The leaves below this node.
        public var leaves: Range<Int> { (index << level)..<((index + 1) << level) }
        static let root = Node(level: leafCount.trailingZeroBitCount, index: 0)
        var left: Node { Node(level: level - 1, index: index * 2) }
        var right: Node { Node(level: level - 1, index: index * 2 + 1) }
    }

    /// Ranks of the group.
    public let rankCount: Int
    /// The nodes of all ranks, in leaf order: together they cover every leaf once.
    public let nodes: [Node]
    /// Where each rank's nodes begin in `nodes`, and the end: `rankCount + 1` offsets.
    let firstNodes: [Int]
    /// The additions that turn `nodes` into the root, in order.
    let additions: [Addition]
    /// Scratch vectors that `additions` needs.
    let scratchCount: Int

    /// An operand of an addition.
    enum Operand: Hashable, Sendable {
        /// An entry of `nodes`.
        case node(Int)
        case scratch(Int)
        /// The result itself: only ever the target of the last addition.
        case sum
    }

    struct Addition: Hashable, Sendable {
        var left: Operand
        var right: Operand
        var target: Operand
    }

    /// The tree of a group of 1 to 8 ranks.
    public init(rankCount: Int) {
        precondition(Self.rankCounts.contains(rankCount), "a group has 1 to \(Self.leafCount) ranks, not \(rankCount)")
        self.rankCount = rankCount
        var nodes: [Node] = []
        var firstNodes = [0]
        for rank in 0..<rankCount {
            nodes += Self.maximalNodes(Self.leaves(of: rank, rankCount: rankCount))
            firstNodes.append(nodes.count)
        }
        self.nodes = nodes
        self.firstNodes = firstNodes
        var additions: [Addition] = []
        var scratchCount = 0
        // Left to right, depth first: a scratch vector is needed for each level that waits for its right half.
        func visit(_ node: Node, depth: Int) -> Operand {
            if let index = nodes.firstIndex(of: node) { return .node(index) }
            let left = visit(node.left, depth: depth)
            let right = visit(node.right, depth: depth + 1)
            let target: Operand = node == .root ? .sum : .scratch(depth)
            if case .scratch(let index) = target { scratchCount = max(scratchCount, index + 1) }
            additions.append(Addition(left: left, right: right, target: target))
            return target
        }
        _ = visit(.root, depth: 0)
        self.additions = additions
        self.scratchCount = scratchCount
    }

    /// The leaves that a rank owns.
    public static func leaves(of rank: Int, rankCount: Int) -> Range<Int> {
        precondition((0..<rankCount).contains(rank), "rank \(rank) is not one of \(rankCount)")
        return (leafCount * rank / rankCount)..<(leafCount * (rank + 1) / rankCount)
    }

    /// The leaves that a rank of this group owns.
    public func leaves(of rank: Int) -> Range<Int> { Self.leaves(of: rank, rankCount: rankCount) }

    /// What a rank sends: the largest nodes that lie wholly inside its leaves, from left to right.
    public func nodes(of rank: Int) -> ArraySlice<Node> { nodes[firstNodes[rank]..<firstNodes[rank + 1]] }

    /// The most nodes that any rank sends.
    public var nodeCountMax: Int { (0..<rankCount).map { nodes(of: $0).count }.max() ?? 1 }

    private static func maximalNodes(_ leaves: Range<Int>) -> [Node] {
        var nodes: [Node] = []
        var next = leaves.lowerBound
        while next < leaves.upperBound {
            var level = 0
            while next % (2 << level) == 0, next + (2 << level) <= leaves.upperBound { level += 1 }
            nodes.append(Node(level: level, index: next >> level))
            next += 1 << level
        }
        return nodes
    }
}
