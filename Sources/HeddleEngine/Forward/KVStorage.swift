import Glibc
import HeddleCore
import HeddleKernels

/// Owns this rank's paged keys and values of every layer, and which realm each block belongs to.
///
/// Pages take memory when they are written first, and give it back with their block. A block that goes to another realm is
/// zeroed first; a sequence reads only positions that were written in its own realm, whatever a plan says.
package final class KVStorage {
    let blockCount: Int
    let layerCount: Int
    private let blockFloats: Int
    private let memory: UnsafeMutableBufferPointer<Float>
    /// The realm of each block that was begun, and how many of its positions are written.
    private var owners: [UInt64?]
    private var writtenCounts: [UInt8]
    /// For each position of each block the token whose keys and values it holds; empty where none are remembered.
    private var tokens: [TokenID]
    /// The last segment that named a block, and the last one that writes it, so that conflicts are noticed without a set.
    private var marks: [UInt64]
    private var writes: [UInt64]
    private var mark: UInt64 = 0

    /// - Parameter remembersTokens: whether `tokens(of:count:)` will be asked.
    package init(
        heads: AttentionHeads, layerCount: Int, blockCount: Int, remembersTokens: Bool = false
    ) throws(EngineError) {
        blockFloats = heads.blockFloatCount
        let (layerFloats, overflow) = blockFloats.multipliedReportingOverflow(by: blockCount)
        let (floats, overflow2) = layerFloats.multipliedReportingOverflow(by: layerCount)
        let (bytes, overflow3) = floats.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        guard !overflow, !overflow2, !overflow3, bytes > 0,
            let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            base != MAP_FAILED
        else { throw .outOfMemory(purpose: "\(blockCount) KV blocks", byteCount: bytes) }
        memory = UnsafeMutableBufferPointer(start: base.bindMemory(to: Float.self, capacity: floats), count: floats)
        owners = Array(repeating: nil, count: blockCount)
        writtenCounts = Array(repeating: 0, count: blockCount)
        marks = Array(repeating: 0, count: blockCount)
        writes = Array(repeating: 0, count: blockCount)
        tokens = Array(repeating: 0, count: remembersTokens ? blockCount * kvBlockTokens : 0)
        self.blockCount = blockCount
        self.layerCount = layerCount
    }

    deinit { munmap(memory.baseAddress, memory.count * MemoryLayout<Float>.stride) }

    /// All blocks of one layer.
    package func layer(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
        let floats = blockCount * blockFloats
        return UnsafeMutableBufferPointer(rebasing: memory[(index * floats)..<((index + 1) * floats)])
    }

    /// Checks every block of a plan and changes nothing.
    package func check(_ segments: [StepPlan.Segment], givenUp: [BlockID] = []) throws(PlanError) {
        let first = mark + 1
        for segment in segments {
            mark += 1
            let needed = (segment.firstPosition + segment.tokens.count + kvBlockTokens - 1) / kvBlockTokens
            guard segment.blocks.count == needed else {
                throw .blockCount(segment.sequence, found: segment.blocks.count, expected: needed)
            }
            for (index, block) in segment.blocks.enumerated() {
                guard (0..<blockCount).contains(Int(block.index)) else {
                    throw .blockOutOfRange(segment.sequence, block: block, blockCount: blockCount)
                }
                let at = Int(block.index)
                if marks[at] == mark { throw .blockTwice(segment.sequence, block: block) }
                marks[at] = mark
                if (index + 1) * kvBlockTokens <= segment.firstPosition { continue }
                if writes[at] >= first { throw .blockTwice(segment.sequence, block: block) }
                writes[at] = mark
            }
        }
        for block in givenUp where !(0..<blockCount).contains(Int(block.index)) {
            throw .givenUpOutOfRange(block: block, blockCount: blockCount)
        }
        try checkReads(segments, givenUp: Set(givenUp), firstMark: first)
    }

    /// What a segment reads was written in its realm, and is written by no other of the same step.
    private func checkReads(
        _ segments: [StepPlan.Segment], givenUp: Set<BlockID>, firstMark: UInt64
    ) throws(PlanError) {
        for (number, segment) in segments.enumerated() {
            for (index, block) in segment.blocks.enumerated() {
                let readCount = min(kvBlockTokens, segment.firstPosition - index * kvBlockTokens)
                if readCount <= 0 { break }
                let at = Int(block.index)
                guard owners[at] == segment.realm, Int(writtenCounts[at]) >= readCount, !givenUp.contains(block) else {
                    throw .blockNotOwned(segment.sequence, block: block)
                }
                if writes[at] >= firstMark, writes[at] != firstMark + UInt64(number) {
                    throw .blockTwice(segment.sequence, block: block)
                }
            }
        }
    }

    /// Gives the memory of blocks back, where they fill whole pages, and forgets what they held.
    package func giveUp(_ blocks: [BlockID]) {
        for block in blocks {
            let at = Int(block.index)
            if owners[at] == nil { continue }
            zero(at, returningPages: true)
            owners[at] = nil
            writtenCounts[at] = 0
        }
    }

    /// Gives the blocks that a checked plan begins to their realms, zeroed where they held another's.
    package func take(_ segments: [StepPlan.Segment]) {
        for segment in segments {
            let end = segment.firstPosition + segment.tokens.count
            let firstBegun = (segment.firstPosition + kvBlockTokens - 1) / kvBlockTokens
            for (index, block) in segment.blocks.enumerated().dropFirst(segment.firstPosition / kvBlockTokens) {
                let at = Int(block.index)
                writtenCounts[at] = UInt8(min(kvBlockTokens, end - index * kvBlockTokens))
                if index < firstBegun || owners[at] == segment.realm { continue }
                if owners[at] != nil { zero(at, returningPages: false) }
                owners[at] = segment.realm
            }
            if tokens.isEmpty { continue }
            for (index, token) in segment.tokens.enumerated() {
                let (block, slot) = (segment.firstPosition + index).quotientAndRemainder(dividingBy: kvBlockTokens)
                tokens[Int(segment.blocks[block].index) * kvBlockTokens + slot] = token
            }
        }
    }

    /// The first tokens of the sequence that these blocks belong to.
    func tokens(of blocks: [BlockID], count: Int) -> [TokenID] {
        (0..<count).map { tokens[Int(blocks[$0 / kvBlockTokens].index) * kvBlockTokens + $0 % kvBlockTokens] }
    }

    private func zero(_ block: Int, returningPages: Bool) {
        for index in 0..<layerCount {
            let part = layer(index)[(block * blockFloats)..<((block + 1) * blockFloats)]
            let bytes = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: part))
            guard returningPages, let base = bytes.baseAddress else {
                bytes.initializeMemory(as: UInt8.self, repeating: 0)
                continue
            }
            // Pages that other blocks share stay.
            let address = Int(bitPattern: base)
            let first = (address + Self.pageBytes - 1) / Self.pageBytes * Self.pageBytes - address
            let end = max(first, (address + bytes.count) / Self.pageBytes * Self.pageBytes - address)
            if end > bytes.count || madvise(base + first, end - first, MADV_DONTNEED) != 0 {
                bytes.initializeMemory(as: UInt8.self, repeating: 0)
            } else {
                memset(base, 0, first)
                memset(base + end, 0, bytes.count - end)
            }
        }
    }

    private static let pageBytes = max(4096, sysconf(Int32(_SC_PAGESIZE)))
}
