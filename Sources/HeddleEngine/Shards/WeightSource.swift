import HeddleFiles
import HeddleKernels

/// Reads a checkpoint's tensors by name and shape and packs parts of them, counting the bytes.
struct WeightSource {
    let weights: SafetensorsSet
    let format: WeightFormat
    private(set) var packedByteCount = 0

    init(weights: SafetensorsSet, format: WeightFormat) {
        self.weights = weights
        self.format = format
    }

    func tensor(_ name: String, shape: [Int]) throws(EngineError) -> TensorView {
        guard let tensor = weights.tensor(name) else { throw .missingTensor(name) }
        guard tensor.shape == shape else { throw .tensorShape(name: name, found: tensor.shape, expected: shape) }
        guard tensor.elementType.isReadAsFloat else {
            throw .tensorUnreadable(name: name, reason: "its elements are \(tensor.elementType)")
        }
        return tensor
    }

    func vector(_ name: String, count: Int) throws(EngineError) -> [Float] {
        let tensor = try tensor(name, shape: [count])
        do { return try tensor.floats() } catch { throw .tensorUnreadable(name: name, reason: "\(error)") }
    }

    /// Some of a tensor's outputs over all its inputs.
    mutating func pack(_ tensor: TensorView, outputs: Range<Int>) throws(EngineError) -> PackedMatrix {
        try pack(tensor, outputs: outputs, inputs: 0..<tensor.columnCount, inputOffset: 0)
    }

    /// All outputs over each of some neighbouring ranges of inputs, which count from the first range's begin.
    mutating func pack(_ tensor: TensorView, leaves: [Range<Int>]) throws(EngineError) -> [PackedMatrix] {
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
