/// Carries out the additions of a `ReductionTree` over vectors, block by block so that scratch stays in the first
/// cache.
///
/// Owns its scratch memory: a step allocates nothing.
struct TreeSum: ~Copyable {
    let tree: ReductionTree
    /// Floats of a block: with three scratch vectors 12 KiB, well inside a first cache of 32 KiB.
    private static let blockCount = 1024
    private let scratch: UnsafeMutablePointer<Float>

    init(_ tree: ReductionTree) {
        self.tree = tree
        scratch = .allocate(capacity: max(1, tree.scratchCount) * Self.blockCount)
    }

    deinit { scratch.deallocate() }

    /// Overwrites `sum` with the root.
    ///
    /// Safety: `nodes` holds `tree.nodes.count` vectors of `count` floats, which stay as they are during the call and
    /// do not overlap `sum`, `count` floats.
    func add(
        nodes: UnsafePointer<UnsafePointer<Float>>, count: Int, into sum: UnsafeMutablePointer<Float>
    ) {
        if tree.additions.isEmpty {
            sum.update(from: nodes[0], count: count)
            return
        }
        var first = 0
        while first < count {
            let block = min(Self.blockCount, count - first)
            for addition in tree.additions {
                Self.add(
                    source(addition.left, nodes, sum, first), source(addition.right, nodes, sum, first), block,
                    into: target(addition.target, sum, first))
            }
            first += block
        }
    }

    private func source(
        _ operand: ReductionTree.Operand, _ nodes: UnsafePointer<UnsafePointer<Float>>,
        _ sum: UnsafeMutablePointer<Float>, _ first: Int
    ) -> UnsafePointer<Float> {
        if case .node(let index) = operand { return nodes[index] + first }
        return UnsafePointer(target(operand, sum, first))
    }

    private func target(
        _ operand: ReductionTree.Operand, _ sum: UnsafeMutablePointer<Float>, _ first: Int
    ) -> UnsafeMutablePointer<Float> {
        switch operand {
        case .scratch(let index): scratch + index * Self.blockCount
        case .sum: sum + first
        case .node: preconditionFailure("a node is never written")
        }
    }

    @inline(__always)
    private static func add(
        _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ count: Int, into sum: UnsafeMutablePointer<Float>
    ) {
        // Explicit vectors: the compiler's own would be given up at run time where `sum` is `left`.
        typealias Vector = SIMD16<Float>
        let (leftBytes, rightBytes) = (UnsafeRawPointer(left), UnsafeRawPointer(right))
        let sumBytes = UnsafeMutableRawPointer(sum)
        var index = 0
        while index + Vector.scalarCount <= count {
            let offset = index * MemoryLayout<Float>.stride
            let value =
                leftBytes.loadUnaligned(fromByteOffset: offset, as: Vector.self)
                + rightBytes.loadUnaligned(fromByteOffset: offset, as: Vector.self)
            sumBytes.storeBytes(of: value, toByteOffset: offset, as: Vector.self)
            index += Vector.scalarCount
        }
        while index < count {
            sum[index] = left[index] + right[index]
            index += 1
        }
    }
}
