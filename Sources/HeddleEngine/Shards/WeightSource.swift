import HeddleFiles
import HeddleKernels

/// Reads tensors of a checkpoint and packs parts of them, counting the bytes.
struct WeightSource {
    let model: ModelFolder
    let format: WeightFormat
    private(set) var packedByteCount = 0

    init(model: ModelFolder, format: WeightFormat) {
        self.model = model
        self.format = format
    }

    /// What a norm multiplies by.
    func norm(_ tensor: ModelTensor) throws(EngineError) -> [Float] {
        let weight = try vector(model.tensor(tensor))
        switch model.configuration.block.normWeight {
        case .plain: return weight
        case .onePlus: return weight.map { 1 + $0 }
        }
    }

    /// Some outputs of a projection, counted within it, wherever it lies in a fused matrix; and their bias.
    mutating func columns(
        _ layer: Int, _ projection: Projection, _ outputs: Range<Int>
    ) throws(EngineError) -> PackedShard.Columns {
        let first = model.configuration.rows(of: projection).lowerBound
        let tensor = model.tensor(.projection(layer: layer, projection))
        let weights = try pack(
            tensor, format.packed(tensor.elementType, of: .projection(layer: layer, projection)),
            outputs: outputs.moved(by: first), inputs: 0..<tensor.columnCount)
        return PackedShard.Columns(weights: weights, bias: try bias(layer, projection).map { Array($0[outputs]) })
    }

    /// All outputs of a projection over each of some neighbouring ranges of inputs; and the bias.
    mutating func leaves(
        _ layer: Int, _ projection: Projection, _ leaves: [Range<Int>]
    ) throws(EngineError) -> PackedShard.Leaves {
        let tensor = model.tensor(.projection(layer: layer, projection))
        let format = format.packed(tensor.elementType, of: .projection(layer: layer, projection))
        let tiles = LeafTiles(format: format, outputs: tensor.rowCount, inputs: leaves.map(\.count))
        let memory = try memory(byteCount: tiles.byteCount, of: tensor) { bytes in
            for (leaf, offset) in zip(leaves, tiles.byteOffsets) {
                let area = UnsafeMutableRawBufferPointer(rebasing: bytes[min(offset, bytes.count)...])
                try PackedMatrix.pack(
                    format: format, outputs: tensor.rowCount, inputs: leaf.count, into: area,
                    tileStride: tiles.tileStride
                ) { try Self.read(tensor, rows: $0, columns: leaf, into: $1) }
            }
        }
        let packed = zip(leaves, tiles.byteOffsets).map { leaf, offset in
            PackedMatrix(
                in: memory, byteOffset: offset, tileStride: tiles.tileStride, format: format, outputs: tensor.rowCount,
                inputs: leaf.count)
        }
        return PackedShard.Leaves(weights: packed, bias: try bias(layer, projection))
    }

    /// Some outputs of the output projection.
    mutating func output(_ outputs: Range<Int>) throws(EngineError) -> PackedMatrix {
        let tensor = model.tensor(.output)
        return try pack(
            tensor, format.packed(tensor.elementType, of: .output), outputs: outputs, inputs: 0..<tensor.columnCount)
    }

    private func bias(_ layer: Int, _ projection: Projection) throws(EngineError) -> [Float]? {
        guard model.configuration.block.hasBias(projection) else { return nil }
        return try vector(model.tensor(.bias(layer: layer, projection)))
    }

    private func vector(_ tensor: TensorView) throws(EngineError) -> [Float] {
        let values: [Float]
        do { values = try tensor.floats() } catch { throw .tensorUnreadable(name: tensor.name, reason: "\(error)") }
        try values.withUnsafeBufferPointer { (values) throws(EngineError) in
            try Self.check(values, of: tensor, rows: 0..<tensor.rowCount, columns: 0..<tensor.columnCount)
        }
        return values
    }

    /// A tensor that stays in the mapped checkpoint, after a look at every number of it.
    func mapped(_ tensor: TensorView) throws(EngineError) -> TensorView {
        let columns = 0..<tensor.columnCount
        var row = [Float](repeating: 0, count: columns.count)
        for index in 0..<tensor.rowCount {
            do throws(SafetensorsError) {
                try row.withUnsafeMutableBufferPointer { (row) throws(SafetensorsError) in
                    try tensor.readFloats(rows: index..<(index + 1), columns: columns, into: row)
                }
            } catch { throw .tensorUnreadable(name: tensor.name, reason: "\(error)") }
            try row.withUnsafeBufferPointer { (row) throws(EngineError) in
                try Self.check(row, of: tensor, rows: index..<(index + 1), columns: columns)
            }
        }
        return tensor
    }

    /// One infinity or NaN in a weight would be every request's answer.
    private static func check(
        _ values: UnsafeBufferPointer<Float>, of tensor: TensorView, rows: Range<Int>, columns: Range<Int>
    ) throws(EngineError) {
        // Without an early end, so that the look runs over lanes.
        let isFinite = values.reduce(0) { $0 | (($1.bitPattern & 0x7F80_0000) == 0x7F80_0000 ? 1 : 0) } == 0
        if isFinite { return }
        guard let index = values.firstIndex(where: { !$0.isFinite }), !columns.isEmpty else { return }
        throw .tensorNotFinite(
            name: tensor.name, row: rows.lowerBound + index / columns.count,
            column: columns.lowerBound + index % columns.count, value: "\(values[index])")
    }

    private mutating func pack(
        _ tensor: TensorView, _ format: PackedFormat, outputs: Range<Int>, inputs: Range<Int>
    ) throws(EngineError) -> PackedMatrix {
        let count = PackedMatrix.byteCount(format: format, outputs: outputs.count, inputs: inputs.count)
        let memory = try memory(byteCount: count, of: tensor) { bytes in
            try PackedMatrix.pack(format: format, outputs: outputs.count, inputs: inputs.count, into: bytes) {
                try Self.read(tensor, rows: $0.moved(by: outputs.lowerBound), columns: inputs, into: $1)
            }
        }
        return PackedMatrix(
            in: memory, byteOffset: 0, format: format, outputs: outputs.count, inputs: inputs.count)
    }

    /// Memory for packed weights of a tensor, filled.
    private mutating func memory(
        byteCount: Int, of tensor: TensorView, fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws(EngineError) -> PackedMemory {
        let memory: PackedMemory?
        do { memory = try PackedMemory(byteCount: byteCount, fill: fill) } catch let error as EngineError {
            throw error
        } catch { throw .tensorUnreadable(name: tensor.name, reason: "\(error)") }
        guard let memory else { throw .outOfMemory(purpose: "packed weights", byteCount: byteCount) }
        packedByteCount += byteCount
        return memory
    }

    private static func read(
        _ tensor: TensorView, rows: Range<Int>, columns: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>
    ) throws {
        try tensor.readFloats(rows: rows, columns: columns, into: buffer)
        let read = UnsafeBufferPointer(rebasing: buffer[..<(rows.count * columns.count)])
        try check(read, of: tensor, rows: rows, columns: columns)
    }
}

extension Range<Int> {
    /// The same range, `distance` further on.
    func moved(by distance: Int) -> Range<Int> { (lowerBound + distance)..<(upperBound + distance) }
}
