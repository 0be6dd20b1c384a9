/// Decides which KV block holds which positions: a fixed count of blocks of `kvBlockTokens` positions, each free or held.
///
/// Blocks come back in a fixed order (last released first), so the same events give the same plans. A block has one
/// holder today; `held` becomes a count when prefixes are shared.
public struct KVBlocks: Sendable {
    /// Blocks of the worker's storage, free and held.
    public let blockCount: Int
    private var free: [BlockID]
    private var held: [Bool]

    public init(blockCount: Int) {
        precondition(blockCount > 0 && blockCount <= Int(Int32.max), "a worker has 1 to 2^31 - 1 KV blocks")
        self.blockCount = blockCount
        free = (0..<blockCount).reversed().map { BlockID(Int32($0)) }
        held = Array(repeating: false, count: blockCount)
    }

    public var freeCount: Int { free.count }
    public var heldCount: Int { blockCount - free.count }

    /// Blocks that `tokenCount` positions fill, the last one perhaps in part.
    public static func blockCount(forTokens tokenCount: Int) -> Int {
        precondition(tokenCount >= 0, "a sequence has no negative length")
        return tokenCount / kvBlockTokens + (tokenCount % kvBlockTokens == 0 ? 0 : 1)
    }

    /// Takes `count` free blocks, or none at all and nil when there are fewer.
    public mutating func allocate(_ count: Int) -> [BlockID]? {
        precondition(count >= 0, "a sequence needs no negative number of blocks")
        guard count <= free.count else { return nil }
        let taken = Array(free.suffix(count).reversed())
        free.removeLast(count)
        for block in taken { held[Int(block.index)] = true }
        return taken
    }

    /// Gives blocks back, in the order in which their sequence held them.
    public mutating func release(_ blocks: [BlockID]) {
        for block in blocks.reversed() {
            precondition(
                block.index >= 0 && Int(block.index) < blockCount && held[Int(block.index)],
                "a KV block is released once by the sequence that holds it")
            held[Int(block.index)] = false
            free.append(block)
        }
    }

    /// Whether a sequence holds this block.
    public func isHeld(_ block: BlockID) -> Bool {
        block.index >= 0 && Int(block.index) < blockCount && held[Int(block.index)]
    }
}
