import Glibc
import HeddleCore
import HeddleKernels

/// Owns this rank's paged keys and values of every layer, and which sequence each block belongs to.
///
/// A block that changes hands is zeroed first. A sequence reads only blocks that it wrote itself.
package final class KVStorage {
    let blockCount: Int
    let layerCount: Int
    private let blockFloats: Int
    private let memory: UnsafeMutableBufferPointer<Float>
    private var owners: [SequenceID?]
    /// For each position of each block the token whose keys and values it holds; empty where none are remembered.
    private var tokens: [TokenID]
    /// The last check that met a block, so that one met twice is noticed without a set.
    private var marks: [UInt64]
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
            let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
        else { throw .outOfMemory(purpose: "\(blockCount) KV blocks", byteCount: bytes) }
        memory = UnsafeMutableBufferPointer(start: base.bindMemory(to: Float.self, capacity: floats), count: floats)
        owners = Array(repeating: nil, count: blockCount)
        marks = Array(repeating: 0, count: blockCount)
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
    package func check(_ segments: [StepPlan.Segment]) throws(PlanError) {
        mark += 1
        for segment in segments {
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
                if index * kvBlockTokens < segment.firstPosition, owners[at] != segment.sequence {
                    throw .blockNotOwned(segment.sequence, block: block)
                }
            }
        }
    }

    /// Gives the blocks that a checked plan begins to their sequences, zeroed where they held another's.
    package func take(_ segments: [StepPlan.Segment]) {
        for segment in segments {
            let firstBegun = (segment.firstPosition + kvBlockTokens - 1) / kvBlockTokens
            for block in segment.blocks[firstBegun...] {
                let at = Int(block.index)
                if owners[at] == segment.sequence { continue }
                if owners[at] != nil { zero(at) }
                owners[at] = segment.sequence
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

    private func zero(_ block: Int) {
        for index in 0..<layerCount {
            let part = layer(index)[(block * blockFloats)..<((block + 1) * blockFloats)]
            UnsafeMutableBufferPointer(rebasing: part).update(repeating: 0)
        }
    }
}
