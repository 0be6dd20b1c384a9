import CHeddleKernels

/// The heads that one rank computes, how they score keys, and the layout of its KV blocks that follows from them.
public struct AttentionHeads: Sendable {
    /// Elements of a head.
    public let headDimension: Int
    /// Query heads of this rank.
    public let headCount: Int
    /// KV heads of this rank.
    public let kvHeadCount: Int
    /// What the product of a query and a key is multiplied by.
    public let scoreScale: Float
    /// Scores are then cap · tanh(score / cap); nil leaves them.
    public let scoreCap: Float?
    /// How many positions a row sees, its own the last of them; nil is all.
    public var window: Int?
    private let kvHeadOfHead: [Int32]

    /// Positions of a block.
    public static let blockTokenCount = Int(HEDDLE_KV_BLOCK_TOKENS)
    /// The widest head.
    public static let headDimensionMax = Int(HEDDLE_HEAD_DIMENSION_MAX)

    /// - Parameters:
    ///   - kvHeadOfHead: for each query head the KV head that it reads, ascending.
    ///   - scoreScale: 1 / √headDimension where it is nil.
    public init(
        headDimension: Int, kvHeadCount: Int, kvHeadOfHead: [Int], scoreScale: Float? = nil, scoreCap: Float? = nil,
        window: Int? = nil
    ) {
        precondition(
            scoreCap.map { $0 > 0 } ?? true && window.map { $0 > 0 } ?? true, "caps and windows are above zero")
        precondition(
            (2...Self.headDimensionMax).contains(headDimension), "a head has 2 to \(Self.headDimensionMax) dimensions")
        precondition(
            kvHeadOfHead.allSatisfy { (0..<kvHeadCount).contains($0) }
                && zip(kvHeadOfHead, kvHeadOfHead.dropFirst()).allSatisfy { $0 <= $1 },
            "query heads read their KV heads in order")
        self.headDimension = headDimension
        self.kvHeadCount = kvHeadCount
        headCount = kvHeadOfHead.count
        self.scoreScale = scoreScale ?? 1 / Float(headDimension).squareRoot()
        self.scoreCap = scoreCap
        self.window = window
        self.kvHeadOfHead = kvHeadOfHead.map(Int32.init)
    }

    /// Floats of a block of 16 positions of one layer.
    public var blockFloatCount: Int { Int(heddle_kv_block_floats(Int64(kvHeadCount), Int64(headDimension))) }

    func withHandle<Result>(_ body: (UnsafePointer<heddle_heads>) -> Result) -> Result {
        kvHeadOfHead.withUnsafeBufferPointer { map in
            var heads = heddle_heads(
                head_dimension: Int64(headDimension), kv_head_count: Int64(kvHeadCount), head_count: Int64(headCount),
                kv_head_of_head: map.baseAddress, scale: scoreScale, cap: scoreCap ?? 0, window: Int64(window ?? 0))
            return withUnsafePointer(to: &heads) { body($0) }
        }
    }
}

/// Which rows belong to which sequence, and where their keys and values lie; made once a step, used by every layer.
public struct SequenceRows {
    private var sequences: [heddle_rows_of_sequence] = []
    private var blockStarts: [Int] = []
    private var blocks: [Int32] = []
    private var rowCount = 0
    private var blockCountNeeded = 0

    /// No sequences.
    public init() {}

    /// Appends a sequence's next rows, at positions from `firstPosition`. `blocks` reach over all positions to the last row's.
    public mutating func append(rowCount: Int, firstPosition: Int, blocks: some Collection<Int32>) {
        precondition(rowCount > 0 && firstPosition >= 0, "a sequence has rows and positions")
        precondition(
            blocks.count * Int(HEDDLE_KV_BLOCK_TOKENS) >= firstPosition + rowCount && blocks.allSatisfy { $0 >= 0 },
            "blocks reach over every position")
        blockStarts.append(self.blocks.count)
        self.blocks += blocks
        blockCountNeeded = max(blockCountNeeded, Int(blocks.max() ?? 0) + 1)
        sequences.append(
            heddle_rows_of_sequence(
                blocks: nil, row_first: Int64(self.rowCount), row_count: Int64(rowCount),
                position_first: Int64(firstPosition)))
        self.rowCount += rowCount
    }

    /// Writes the rows' keys and values into `kv`, one layer's blocks.
    public func store(
        keys: Rows, values: Rows, heads: AttentionHeads, kv: UnsafeMutableBufferPointer<Float>, team: ThreadTeam
    ) {
        defer { withExtendedLifetime((keys, values)) {} }
        let width = heads.kvHeadCount * heads.headDimension
        precondition(
            keys.count == rowCount && values.count == rowCount && keys.width == width && values.width == width,
            "each row has \(width) keys and values")
        check(kv.count, heads)
        withHandles { handles in
            heads.withHandle { heads in
                heddle_store_kv(
                    team.handle, heads, handles.baseAddress, Int64(handles.count), keys.base, Int64(keys.stride),
                    values.base, Int64(values.stride), kv.baseAddress)
            }
        }
    }

    /// Causal attention of every row over its sequence's positions up to its own, as far back as the window reaches.
    public func attend(
        queries: Rows, heads: AttentionHeads, kv: UnsafeMutableBufferPointer<Float>, into out: Rows, team: ThreadTeam
    ) {
        defer { withExtendedLifetime((queries, out)) {} }
        let width = heads.headCount * heads.headDimension
        precondition(
            queries.count == rowCount && out.count == rowCount && queries.width == width && out.width == width,
            "each row has \(width) queries and outputs")
        check(kv.count, heads)
        withHandles { handles in
            heads.withHandle { heads in
                heddle_attention(
                    team.handle, heads, handles.baseAddress, Int64(handles.count), queries.base, Int64(queries.stride),
                    kv.baseAddress, out.base, Int64(out.stride))
            }
        }
    }

    private func check(_ floatCount: Int, _ heads: AttentionHeads) {
        precondition(
            blockCountNeeded * heads.blockFloatCount <= floatCount,
            "\(blockCountNeeded) blocks do not fit \(floatCount) floats")
    }

    private func withHandles(_ body: (UnsafeBufferPointer<heddle_rows_of_sequence>) -> Void) {
        if sequences.isEmpty { return }
        // Safety: block tables stay where they are during the call.
        blocks.withUnsafeBufferPointer { blocks in
            var handles = sequences
            for index in handles.indices { handles[index].blocks = blocks.baseAddress.map { $0 + blockStarts[index] } }
            handles.withUnsafeBufferPointer(body)
        }
    }
}
