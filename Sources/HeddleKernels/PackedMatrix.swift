import CHeddleKernels

/// A weight matrix, outputs × inputs, in the kernels' tiles of 16 outputs, inside memory that it keeps alive.
public struct PackedMatrix: Sendable {
    /// Outputs of a tile.
    public static let tileOutputs = Int(HEDDLE_LANES)
    /// The most outputs, and the most inputs.
    public static let dimensionMax = 1 << 30

    /// How its weights are stored.
    public let format: PackedFormat
    /// Rows of the matrix.
    public let outputs: Int
    /// Columns of the matrix.
    public let inputs: Int
    let memory: PackedMemory
    private let byteOffset: Int
    private let tileStride: Int

    /// The matrix whose tiles begin `byteOffset` bytes into `memory`.
    ///
    /// - Parameter tileStride: bytes from one tile's begin to the next one's; nil where they lie one after another.
    public init(
        in memory: PackedMemory, byteOffset: Int, tileStride: Int? = nil, format: PackedFormat, outputs: Int,
        inputs: Int
    ) {
        let tileByteCount = Self.tileByteCount(format: format, inputs: inputs)
        let stride = tileStride ?? tileByteCount
        let lastTile = max(0, (outputs - 1) / Self.tileOutputs)
        let rest = Self.byteCount(format: format, outputs: outputs - lastTile * Self.tileOutputs, inputs: inputs)
        precondition(byteOffset >= 0 && byteOffset % 4 == 0 && stride % 4 == 0, "tiles are aligned to four bytes")
        precondition(stride >= tileByteCount, "tiles of \(tileByteCount) bytes overlap \(stride) apart")
        precondition(
            lastTile * stride + rest + PackedMemory.slackByteCount <= memory.bytes.count - byteOffset,
            "a packed matrix of \(lastTile * stride + rest) bytes at \(byteOffset) does not fit \(memory.bytes.count)")
        self.tileStride = stride
        self.format = format
        self.outputs = outputs
        self.inputs = inputs
        self.memory = memory
        self.byteOffset = byteOffset
    }

    /// Bytes of the tiles, without the slack that must follow the last matrix of a memory.
    public static func byteCount(format: PackedFormat, outputs: Int, inputs: Int) -> Int {
        precondition(
            (0...dimensionMax).contains(outputs) && (0...dimensionMax).contains(inputs),
            "a matrix of \(outputs) × \(inputs) weights is none that can be packed")
        return Int(heddle_packed_bytes(format.code, Int64(outputs), Int64(inputs)))
    }

    /// Bytes of a whole tile.
    public static func tileByteCount(format: PackedFormat, inputs: Int) -> Int {
        Int(heddle_tile_bytes(format.code, Int64(tileOutputs), Int64(inputs)))
    }

    /// Packs a matrix into `bytes`, one tile of up to 16 outputs after another.
    ///
    /// - Parameters:
    ///   - inputs: columns of the matrix.
    ///   - bytes: the first tile's first byte and what follows, aligned to four: `byteCount(format:outputs:inputs:)`, or more
    ///     where tiles do not lie one after another.
    ///   - tileStride: bytes from one tile's begin to the next one's; nil where they lie one after another.
    ///   - read: puts the given outputs' weights, row-major, into the buffer.
    public static func pack(
        format: PackedFormat, outputs: Int, inputs: Int, into bytes: UnsafeMutableRawBufferPointer,
        tileStride: Int? = nil,
        read: (_ outputs: Range<Int>, _ rows: UnsafeMutableBufferPointer<Float>) throws -> Void
    ) rethrows {
        let byteCount = byteCount(format: format, outputs: outputs, inputs: inputs)
        precondition(
            tileStride == nil ? bytes.count == byteCount : bytes.count >= byteCount,
            "\(outputs) × \(inputs) weights do not fill \(bytes.count) bytes")
        guard let base = bytes.baseAddress, outputs > 0, inputs > 0 else { return }
        let rows = UnsafeMutableBufferPointer<Float>.allocate(capacity: tileOutputs * inputs)
        defer { rows.deallocate() }
        let tileStride = tileStride ?? tileByteCount(format: format, inputs: inputs)
        for first in stride(from: 0, to: outputs, by: tileOutputs) {
            let count = min(tileOutputs, outputs - first)
            precondition(
                first / tileOutputs * tileStride + self.byteCount(format: format, outputs: count, inputs: inputs)
                    <= bytes.count, "tiles \(tileStride) bytes apart do not fit \(bytes.count)")
            let part = UnsafeMutableBufferPointer(rebasing: rows[..<(count * inputs)])
            try read(first..<(first + count), part)
            heddle_pack_tile(
                format.code, part.baseAddress, Int64(inputs), Int64(count), Int64(inputs),
                base + first / tileOutputs * tileStride)
        }
    }

    /// Packs a row-major array; for tests and small matrices. Nil when the system has no memory left.
    public init?(format: PackedFormat, outputs: Int, inputs: Int, rows: [Float]) {
        precondition(rows.count == outputs * inputs, "\(outputs) × \(inputs) weights are not \(rows.count)")
        let count = Self.byteCount(format: format, outputs: outputs, inputs: inputs)
        let memory = PackedMemory(byteCount: count) { bytes in
            Self.pack(format: format, outputs: outputs, inputs: inputs, into: bytes) { range, part in
                for (index, value) in rows[(range.lowerBound * inputs)..<(range.upperBound * inputs)].enumerated() {
                    part[index] = value
                }
            }
        }
        guard let memory else { return nil }
        self.init(in: memory, byteOffset: 0, format: format, outputs: outputs, inputs: inputs)
    }

    /// What one output's packed weights stand for, `inputs` numbers.
    public func weights(of output: Int) -> [Float] {
        precondition((0..<outputs).contains(output), "output \(output) is not within \(outputs)")
        let tile = output / Self.tileOutputs
        let width = min(Self.tileOutputs, outputs - tile * Self.tileOutputs)
        var numbers = [Float](repeating: 0, count: inputs)
        heddle_unpack_output(
            format.code, memory.bytes.baseAddress.map { $0 + byteOffset + tile * tileStride }, Int64(width),
            Int64(output % Self.tileOutputs), Int64(inputs), &numbers)
        return numbers
    }

    /// The matrix whose inputs are a part of an operand's rows.
    func handle(_ part: Operand.Part) -> heddle_matrix {
        // Safety: whoever runs the product holds this matrix, and so its memory, until the call returns.
        heddle_matrix(
            weights: memory.bytes.baseAddress.map { $0 + byteOffset }, format: format.code, outputs: Int64(outputs),
            inputs: Int64(inputs), tile_stride: Int64(tileStride), value_offset: Int64(part.valueOffset),
            group_offset: Int64(part.groupOffset))
    }
}
