import HeddleCore
import HeddleFiles
import HeddleKernels

/// One matrix or vector of a packed shard: which numbers of the checkpoint it holds, how, and where it lies.
struct ShardPart: Hashable, Sendable {
    /// The tensor of the checkpoint that it is a part of.
    var tensor: ModelTensor
    /// Nil is a vector of f32: a norm or a bias.
    var format: PackedFormat?
    /// Rows of the tensor; of a vector 0..<1.
    var outputs: Range<Int>
    /// Neighbouring columns of the tensor: the shard's leaves where inputs are split, whose tiles take turns (`LeafTiles`); one
    /// range of columns for everything else.
    var leaves: [Range<Int>]
    /// Bytes from the beginning of the shard's first part.
    var offset: Int

    /// Columns of all leaves.
    var inputs: Range<Int> { (leaves.first?.lowerBound ?? 0)..<(leaves.last?.upperBound ?? 0) }

    var byteCount: Int {
        guard let format else { return inputs.count * MemoryLayout<Float>.stride }
        return leaves.count == 1
            ? PackedMatrix.byteCount(format: format, outputs: outputs.count, inputs: inputs.count)
            : tiles(format).byteCount
    }

    func tiles(_ format: PackedFormat) -> LeafTiles {
        LeafTiles(format: format, outputs: outputs.count, inputs: leaves.map(\.count))
    }

    var bytes: Range<Int> { offset..<(offset + byteCount) }

    /// Pieces that are packed each by itself.
    var tileCount: Int { format == nil ? 1 : PackedMatrix.tileCount(outputs: outputs.count) }

    /// Where a piece lies, counted as `offset` is.
    func bytes(ofTile tile: Int) -> Range<Int> {
        guard let format else { return bytes }
        if leaves.count > 1 {
            let stride = tiles(format).tileStride
            return (offset + tile * stride)..<(offset + (tile + 1) * stride)
        }
        return PackedMatrix.bytes(ofTile: tile, format: format, outputs: outputs.count, inputs: inputs.count)
            .moved(by: offset)
    }

    /// How the table of a packed file writes the tensor: what it is, and its layer.
    var code: (role: UInt32, layer: UInt32) {
        switch tensor {
        case .embedding: (0, 0)
        case .attentionNorm(let layer): (1, UInt32(layer))
        case .feedForwardNorm(let layer): (2, UInt32(layer))
        case .attentionTrailingNorm(let layer): (3, UInt32(layer))
        case .feedForwardTrailingNorm(let layer): (4, UInt32(layer))
        case .queryNorm(let layer): (5, UInt32(layer))
        case .keyNorm(let layer): (6, UInt32(layer))
        case .finalNorm: (7, 0)
        case .output: (8, 0)
        case .projection(let layer, let projection): (16 + UInt32(projection.rawValue), UInt32(layer))
        case .bias(let layer, let projection): (32 + UInt32(projection.rawValue), UInt32(layer))
        }
    }
}

extension Range<Int> {
    /// The same range, `distance` further on.
    func moved(by distance: Int) -> Range<Int> { (lowerBound + distance)..<(upperBound + distance) }
    /// The range of elements where each of this range's units has `factor` of them.
    func scaled(by factor: Int) -> Range<Int> { (lowerBound * factor)..<(upperBound * factor) }
}
