/// Where the leaves of one row-parallel matrix lie: their tiles take turns, so that whoever sums all leaves of a tile reads one
/// stream of memory. (Eight matrices one after another were read at 60 to 70 % of the bandwidth, one stream at 95 %.)
public struct LeafTiles: Sendable {
    /// Of each leaf the first tile's first byte.
    public let byteOffsets: [Int]
    /// From a leaf's tile to its next one.
    public let tileStride: Int
    /// Of all leaves.
    public let byteCount: Int

    /// - Parameter inputs: of each leaf.
    public init(format: PackedFormat, outputs: Int, inputs: [Int]) {
        var offset = 0
        byteOffsets = inputs.map { count in
            defer { offset += PackedMatrix.tileByteCount(format: format, inputs: count) }
            return offset
        }
        tileStride = offset
        byteCount = (outputs + PackedMatrix.tileOutputs - 1) / PackedMatrix.tileOutputs * offset
    }
}
