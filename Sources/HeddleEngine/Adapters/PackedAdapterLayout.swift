import HeddleCore
import HeddleFiles
import HeddleKernels

/// Decides where everything lies in a packed adapter: a header, a table of modules, then the matrices.
///
/// All numbers are little-endian. Header (128 bytes): magic, layout version, byte count of header and table, adapter digest,
/// shard, number of modules, file's byte count, checksum of the matrices, and last the checksum of header and table before it.
/// Table (112 bytes an entry): layer, target, rank, format of A and B, scale, number of A's parts, their offsets, B's
/// offset. A is whole (one part) for matrices that split outputs, and one part per owned tree leaf for those that split
/// inputs; the parts of a fused module share one A. The embedding's A is a table of as many rows as the vocabulary has
/// entries. The file ends with slack that kernels may read.
enum PackedAdapterLayout {
    static let magic: [UInt8] = Array("HEDDLELA".utf8)
    static let version: UInt32 = 4
    static let headerByteCount = 128
    static let entryByteCount = 112
    static let alignment = 64
    /// More modules than any model of `ModelLimits` has.
    static let moduleCountMax = 1 << 16

    /// Where one module's matrices lie.
    struct Entry: Equatable {
        var target: AdapterTarget
        var rank: Int
        var format: PackedFormat
        var scale: Float
        /// Inputs of each part of A, counted from the shard's first input of the matrix.
        var inputs: [Range<Int>]
        var outputs: Int
        var offsetsA: [Int]
        var offsetB: Int

        func byteCountA(_ part: Int) -> Int {
            if target == .embedding {
                return PackedTable.byteCount(format: format, rows: inputs[part].count, columns: rank)
            }
            return PackedMatrix.byteCount(format: format, outputs: rank, inputs: inputs[part].count)
        }
        var byteCountB: Int { PackedMatrix.byteCount(format: format, outputs: outputs, inputs: rank) }
    }

    /// What one rank's shard holds of a change: the parts of its inputs, and the range of its outputs.
    static func cut(
        _ target: AdapterTarget, _ shape: ShardShape
    ) -> (inputs: [Range<Int>], outputs: Range<Int>) {
        let (configuration, plan) = (shape.configuration, shape.plan)
        let head = configuration.headDimension
        let hidden = 0..<configuration.hiddenSize
        switch target {
        case .projection(_, .q): return ([hidden], plan.heads.scaled(by: head))
        case .projection(_, .k), .projection(_, .v): return ([hidden], plan.kvHeads.scaled(by: head))
        case .projection(_, .gate), .projection(_, .up): return ([hidden], plan.feedForward)
        case .projection(_, .o): return (plan.headSegments[plan.segments].map { $0.scaled(by: head) }, hidden)
        case .projection(_, .down): return (Array(plan.feedForwardSegments[plan.segments]), hidden)
        case .output: return ([hidden], plan.vocabulary)
        case .embedding: return ([0..<configuration.vocabularyCount], hidden)
        }
    }

    /// How the table writes a target: the layer, and a projection's number or one behind the last of them.
    static func code(of target: AdapterTarget) -> (layer: Int, target: Int) {
        switch target {
        case .projection(let layer, let projection): (layer, Int(projection.rawValue))
        case .output: (0, Projection.allCases.count)
        case .embedding: (0, Projection.allCases.count + 1)
        }
    }

    /// The target of a code; nil where it is none of the model's.
    static func target(layer: Int, code: Int, _ configuration: ModelConfiguration) -> AdapterTarget? {
        if let projection = UInt8(exactly: code).flatMap(Projection.init(rawValue:)) {
            return layer < configuration.layerCount ? .projection(layer: layer, projection) : nil
        }
        return [.output, .embedding].first { Self.code(of: $0) == (layer, code) }
    }

    static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }
}
