/// Decides which KV block holds which positions: a fixed count of blocks of `kvBlockTokens` positions, each held by
/// sequences, kept because its tokens may come again, or free.
///
/// A whole block that is computed is found again by what it holds: its realm, all tokens before it, and its own. This is a
/// chain of keys, each block's naming the one before it, and keys are compared and not only hashed: no two prompts are ever
/// taken for one. Equal blocks are one block, so whoever holds a block holds its chain, and a chain is given up from its end.
///
/// Blocks come back in a fixed order (last released first, kept ones least recently used first), so the same events give
/// the same plans.
public struct KVBlocks: Sendable {
    /// Blocks that may have memory at the same time; never less than are held.
    public private(set) var residentCountMax: Int
    /// Blocks of the worker's storage.
    public let blockCount: Int
    /// Without memory: never used, or given up.
    private var spare: [BlockID]
    /// With memory that holds nothing.
    private var free: [BlockID] = []
    private var entries: [Entry]
    private var found: [PrefixKey: BlockID] = [:]
    private var realms: [KVRealm: UInt64] = [:]
    /// Sequences and first blocks of chains that are in a realm; it is forgotten with the last.
    private var realmUses: [UInt64: (realm: KVRealm?, count: Int)] = [:]
    /// Numbers realms and kept blocks, so that a key names what comes before it.
    private var lastNumber: UInt64 = 0
    /// Kept and held by nobody, least recently used first: a list through `entries`.
    private var oldest: Int?
    private var newest: Int?
    /// Blocks that are kept and held by nobody.
    public private(set) var keptCount = 0
    /// Blocks that sequences hold, each counted once.
    public private(set) var heldCount = 0

    /// What a kept block holds: the tokens, and by number what comes before them, a kept block or the realm.
    private struct PrefixKey: Hashable, Sendable {
        let parent: UInt64
        let tokens: [TokenID]
    }

    private struct Entry: Sendable {
        var holderCount = 0
        var key: PrefixKey?
        var number: UInt64 = 0
        /// When it was released last, as the caller counts time.
        var lastUse: UInt64 = 0
        var older: Int?
        var newer: Int?
    }

    public init(blockCount: Int) {
        precondition(blockCount > 0 && blockCount <= Int(Int32.max), "a worker has 1 to 2^31 - 1 KV blocks")
        self.blockCount = blockCount
        residentCountMax = blockCount
        spare = (0..<blockCount).reversed().map { BlockID(Int32($0)) }
        entries = Array(repeating: Entry(), count: blockCount)
    }

    /// Blocks that no sequence holds and that may have memory: kept ones among them.
    public var freeCount: Int { residentCountMax - heldCount }
    /// Blocks that have memory.
    public var residentCount: Int { blockCount - spare.count }
    /// When the kept block was used that has been idle longest; nil when none is kept.
    public var oldestUse: UInt64? { oldest.map { entries[$0].lastUse } }

    /// Blocks that `tokenCount` positions fill, the last one perhaps in part.
    public static func blockCount(forTokens tokenCount: Int) -> Int {
        precondition(tokenCount >= 0, "a sequence has no negative length")
        return tokenCount / kvBlockTokens + (tokenCount % kvBlockTokens == 0 ? 0 : 1)
    }

    /// Takes `count` free blocks, or none at all and nil when there are fewer. Kept ones go last.
    public mutating func allocate(_ count: Int) -> [BlockID]? {
        precondition(count >= 0, "a sequence needs no negative number of blocks")
        guard count <= freeCount else { return nil }
        return (0..<count).map { _ in
            let block = takeOne()
            entries[Int(block.index)].holderCount = 1
            heldCount += 1
            return block
        }
    }

    /// Gives blocks back, in the order in which their sequence held them.
    public mutating func release(_ blocks: [BlockID], at time: UInt64 = 0) {
        for block in blocks.reversed() {
            precondition(isHeld(block), "a KV block is released once by each sequence that holds it")
            let at = Int(block.index)
            entries[at].holderCount -= 1
            if entries[at].holderCount > 0 { continue }
            heldCount -= 1
            entries[at].lastUse = time
            if entries[at].key == nil { free.append(block) } else { append(at) }
        }
    }

    /// Whether a sequence holds this block.
    public func isHeld(_ block: BlockID) -> Bool {
        block.index >= 0 && Int(block.index) < blockCount && entries[Int(block.index)].holderCount > 0
    }

    /// Blocks that as many may have memory from now on, at least those that are held.
    ///
    /// - Returns: those whose memory is to be given up.
    public mutating func resize(residentCountMax: Int) -> [BlockID] {
        precondition(residentCountMax >= heldCount, "memory of a block that is held is not given up")
        self.residentCountMax = min(residentCountMax, blockCount)
        var givenUp: [BlockID] = []
        while residentCount > self.residentCountMax {
            let block = free.popLast() ?? evictOldest()
            spare.append(block)
            givenUp.append(block)
        }
        return givenUp
    }

    /// Forgets what the kept block holds that has been idle longest; nothing where none is kept.
    public mutating func forgetOldest() {
        if oldest != nil { free.append(evictOldest()) }
    }

    private mutating func takeOne() -> BlockID {
        if let block = free.popLast() { return block }
        if residentCount < residentCountMax, let block = spare.popLast() { return block }
        return evictOldest()
    }
}

/// Prefixes that are kept.
extension KVBlocks {
    /// A sequence begins: blocks that it reads are of the realm with this number. One of nil is its own.
    public mutating func open(_ realm: KVRealm?) -> UInt64 {
        if let realm, let number = realms[realm] {
            realmUses[number]?.count += 1
            return number
        }
        lastNumber += 1
        if let realm { realms[realm] = lastNumber }
        realmUses[lastNumber] = (realm, 1)
        return lastNumber
    }

    /// A sequence of the realm has given its blocks back.
    public mutating func close(_ number: UInt64) {
        guard let use = realmUses[number] else {
            preconditionFailure("a realm is closed once for each time it was opened")
        }
        realmUses[number]?.count -= 1
        guard use.count == 1 else { return }
        realmUses[number] = nil
        if let realm = use.realm { realms[realm] = nil }
    }

    /// The longest chain of kept blocks that these tokens begin with, at most `blockCountMax`, and how many of them are held by
    /// nobody. Nothing changes until they are held.
    public func prefix(
        of tokens: [TokenID], in realm: KVRealm, blockCountMax: Int
    ) -> (blocks: [BlockID], idleCount: Int) {
        guard var parent = realms[realm] else { return ([], 0) }
        var blocks: [BlockID] = []
        var idleCount = 0
        while blocks.count < min(blockCountMax, tokens.count / kvBlockTokens) {
            guard let block = found[Self.key(tokens, blocks.count, parent)] else { break }
            let entry = entries[Int(block.index)]
            parent = entry.number
            if entry.holderCount == 0 { idleCount += 1 }
            blocks.append(block)
        }
        return (blocks, idleCount)
    }

    /// One more sequence holds these blocks, which are kept.
    public mutating func hold(_ blocks: [BlockID]) {
        for block in blocks {
            let at = Int(block.index)
            precondition(entries[at].key != nil, "only a block that is kept is shared")
            if entries[at].holderCount == 0 {
                unlink(at)
                heldCount += 1
            }
            entries[at].holderCount += 1
        }
    }

    /// Keeps a block that its only holder has computed whole: block `index` of `tokens`, behind the block or realm with the
    /// number `parent`. Where an equal one is kept already the holder gets that one and gives its own up.
    ///
    /// - Returns: the block that the sequence holds now, and its number.
    public mutating func keep(
        _ block: BlockID, tokens: [TokenID], index: Int, behind parent: UInt64
    ) -> (block: BlockID, number: UInt64) {
        let key = Self.key(tokens, index, parent)
        if let equal = found[key] {
            hold([equal])
            release([block])
            return (equal, entries[Int(equal.index)].number)
        }
        lastNumber += 1
        entries[Int(block.index)].key = key
        entries[Int(block.index)].number = lastNumber
        found[key] = block
        realmUses[parent]?.count += 1
        return (block, lastNumber)
    }

    /// The number under which this block is kept.
    public func number(of block: BlockID) -> UInt64 { entries[Int(block.index)].number }

    private static func key(_ tokens: [TokenID], _ index: Int, _ parent: UInt64) -> PrefixKey {
        PrefixKey(parent: parent, tokens: Array(tokens[(index * kvBlockTokens)..<((index + 1) * kvBlockTokens)]))
    }

    /// Forgets what the kept block holds that has been idle longest. Its chain goes on in no block that is kept: a block goes
    /// to the list behind those that follow it.
    private mutating func evictOldest() -> BlockID {
        guard let at = oldest, let key = entries[at].key else {
            preconditionFailure("a block that is counted as free is free or kept")
        }
        unlink(at)
        entries[at].key = nil
        found[key] = nil
        if realmUses[key.parent] != nil { close(key.parent) }
        return BlockID(Int32(at))
    }

    private mutating func append(_ at: Int) {
        entries[at].older = newest
        entries[at].newer = nil
        if let newest { entries[newest].newer = at } else { oldest = at }
        newest = at
        keptCount += 1
    }

    private mutating func unlink(_ at: Int) {
        let (older, newer) = (entries[at].older, entries[at].newer)
        if let older { entries[older].newer = newer } else { oldest = newer }
        if let newer { entries[newer].older = older } else { newest = older }
        entries[at].older = nil
        entries[at].newer = nil
        keptCount -= 1
    }
}
