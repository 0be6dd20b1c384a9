import CHeddleKernels

/// Products that run in one call, their outputs shared among a team: q, k and v, or every adapter's part of a layer.
///
/// `y[row][output] = Σ x[row][input] · w[output][input]`, inputs ascending in one chain. No product of a list may read
/// what another writes.
public struct ProductList {
    private var products: [heddle_product] = []
    private var leaves: [heddle_matrix] = []
    private var leafStarts: [Int] = []
    /// The memory of what must live until the products have run: each once where the same comes again and again.
    private var held: [AnyObject] = []
    private var lastRows: AnyObject?
    private var lastOperand: AnyObject?
    private var lastMatrix: AnyObject?

    /// An empty list.
    public init() {}

    /// Whether there is nothing to compute.
    public var isEmpty: Bool { products.isEmpty }

    /// Empties the list and keeps its memory.
    public mutating func removeAll() {
        products.removeAll(keepingCapacity: true)
        leaves.removeAll(keepingCapacity: true)
        leafStarts.removeAll(keepingCapacity: true)
        held.removeAll(keepingCapacity: true)
        lastRows = nil
        lastOperand = nil
        lastMatrix = nil
    }

    /// y = x · wᵀ.
    public mutating func add(_ matrix: PackedMatrix, _ x: Operand, into y: Rows) {
        append(CollectionOfOne(matrix), leafFirst: 0, x, y, nodeStride: 0, accumulates: false, scale: 1)
    }

    /// y += scale · (x · wᵀ).
    public mutating func add(_ matrix: PackedMatrix, _ x: Operand, scaledBy scale: Float, onto y: Rows) {
        append(CollectionOfOne(matrix), leafFirst: 0, x, y, nodeStride: 0, accumulates: true, scale: scale)
    }

    /// Partial sums along the fixed tree of eight leaves: `matrices` are the leaves from `leafFirst` on, each over its own
    /// part of x. Every maximal node that they cover is written, node i to `y` moved by i · nodeStride floats.
    ///
    /// - Parameter y: the rows of the first node; its buffer reaches over all nodes.
    public mutating func add(
        leaves matrices: [PackedMatrix], leafFirst: Int, _ x: Operand, intoNodes y: Rows, nodeStride: Int
    ) {
        precondition(
            leafFirst >= 0 && !matrices.isEmpty && leafFirst + matrices.count <= Int(HEDDLE_TREE_LEAVES),
            "leaves \(leafFirst)..<\(leafFirst + matrices.count) are not within the tree's \(HEDDLE_TREE_LEAVES)")
        let nodes = Self.nodeCount(leafFirst: leafFirst, leafCount: matrices.count)
        precondition(nodeStride >= 0, "a stride is not negative")
        precondition(
            y.count == 0 || (nodes - 1) * nodeStride + (y.count - 1) * y.stride + y.width <= y.floats.count,
            "\(nodes) nodes, \(nodeStride) floats apart, do not fit \(y.floats.count)")
        append(matrices, leafFirst: leafFirst, x, y, nodeStride: nodeStride, accumulates: false, scale: 1)
    }

    /// Maximal nodes of the tree over eight leaves that so many leaves cover.
    public static func nodeCount(leafFirst: Int, leafCount: Int) -> Int {
        var firsts = [Int32](repeating: 0, count: Int(HEDDLE_TREE_LEAVES))
        var counts = firsts
        return Int(heddle_tree_nodes(Int32(leafFirst), Int32(leafCount), &firsts, &counts))
    }

    private mutating func append(
        _ matrices: some RandomAccessCollection<PackedMatrix>, leafFirst: Int, _ x: Operand, _ y: Rows, nodeStride: Int,
        accumulates: Bool,
        scale: Float
    ) {
        precondition(x.count == y.count, "\(x.count) rows do not become \(y.count)")
        precondition(x.parts.count == matrices.count, "\(x.parts.count) parts are not for \(matrices.count) leaves")
        for (matrix, part) in zip(matrices, x.parts) {
            precondition(matrix.inputs == part.inputs, "a part of \(part.inputs) is not for \(matrix.inputs) inputs")
            precondition(matrix.outputs == y.width, "\(matrix.outputs) outputs do not fill rows of \(y.width)")
            precondition(matrix.format == x.format, "rows for \(x.format) are not for \(matrix.format)")
        }
        if x.count == 0 || y.width == 0 { return }
        leafStarts.append(leaves.count)
        for (matrix, part) in zip(matrices, x.parts) { leaves.append(matrix.handle(part)) }
        if lastOperand !== x.memory {
            lastOperand = x.memory
            held.append(x.memory)
        }
        if lastRows !== y.memory {
            lastRows = y.memory
            held.append(y.memory)
        }
        for matrix in matrices where lastMatrix !== matrix.memory {
            lastMatrix = matrix.memory
            held.append(matrix.memory)
        }
        products.append(
            heddle_product(
                leaves: nil, leaf_first: Int32(leafFirst), leaf_count: Int32(matrices.count), x: x.handle,
                rows: Int64(x.count), y: y.base, y_stride: Int64(y.stride), node_stride: Int64(nodeStride),
                accumulates: accumulates, scale: scale))
    }

    /// Computes every product.
    public mutating func run(_ team: ThreadTeam) {
        if products.isEmpty { return }
        // Safety: the leaves stay where they are during the call; weights and rows are held by this list.
        withExtendedLifetime(held) {
            leaves.withUnsafeBufferPointer { leaves in
                for index in products.indices {
                    products[index].leaves = leaves.baseAddress.map { $0 + leafStarts[index] }
                }
                products.withUnsafeBufferPointer { products in
                    heddle_products(team.handle, products.baseAddress, Int64(products.count))
                }
            }
        }
    }
}
