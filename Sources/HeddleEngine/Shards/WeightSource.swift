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
        let weights = try pack(
            model.tensor(.projection(layer: layer, projection)), outputs: outputs.moved(by: first))
        return PackedShard.Columns(weights: weights, bias: try bias(layer, projection).map { Array($0[outputs]) })
    }

    /// All outputs of a projection over each of some neighbouring ranges of inputs; and the bias.
    mutating func leaves(
        _ layer: Int, _ projection: Projection, _ leaves: [Range<Int>]
    ) throws(EngineError) -> PackedShard.Leaves {
        PackedShard.Leaves(
            weights: try pack(model.tensor(.projection(layer: layer, projection)), leaves: leaves),
            bias: try bias(layer, projection))
    }

    private func bias(_ layer: Int, _ projection: Projection) throws(EngineError) -> [Float]? {
        guard model.configuration.block.hasBias(projection) else { return nil }
        return try vector(model.tensor(.bias(layer: layer, projection)))
    }

    private func vector(_ tensor: TensorView) throws(EngineError) -> [Float] {
        do { return try tensor.floats() } catch { throw .tensorUnreadable(name: tensor.name, reason: "\(error)") }
    }

    /// Some of a tensor's outputs over all its inputs.
    mutating func pack(_ tensor: TensorView, outputs: Range<Int>) throws(EngineError) -> PackedMatrix {
        try pack(tensor, outputs: outputs, inputs: 0..<tensor.columnCount, inputOffset: 0)
    }

    /// All outputs over each of some neighbouring ranges of inputs, which count from the first range's begin.
    private mutating func pack(_ tensor: TensorView, leaves: [Range<Int>]) throws(EngineError) -> [PackedMatrix] {
        var packed: [PackedMatrix] = []
        for leaf in leaves {
            packed.append(
                try pack(
                    tensor, outputs: 0..<tensor.rowCount, inputs: leaf,
                    inputOffset: leaf.lowerBound - leaves[0].lowerBound))
        }
        return packed
    }

    private mutating func pack(
        _ tensor: TensorView, outputs: Range<Int>, inputs: Range<Int>, inputOffset: Int
    ) throws(EngineError) -> PackedMatrix {
        let format = format.packed(tensor.elementType)
        let count = PackedMatrix.byteCount(format: format, outputs: outputs.count, inputs: inputs.count)
        let memory: PackedMemory?
        do {
            memory = try PackedMemory(byteCount: count) { bytes in
                try PackedMatrix.pack(format: format, outputs: outputs.count, inputs: inputs.count, into: bytes) {
                    try tensor.readFloats(rows: $0.moved(by: outputs.lowerBound), columns: inputs, into: $1)
                }
            }
        } catch { throw .tensorUnreadable(name: tensor.name, reason: "\(error)") }
        guard let memory else { throw .outOfMemory(purpose: "packed weights", byteCount: count) }
        packedByteCount += count
        return PackedMatrix(
            in: memory, byteOffset: 0, format: format, outputs: outputs.count, inputs: inputs.count,
            inputOffset: inputOffset)
    }
}

extension Range<Int> {
    /// The same range, `distance` further on.
    func moved(by distance: Int) -> Range<Int> { (lowerBound + distance)..<(upperBound + distance) }
}
