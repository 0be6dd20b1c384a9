import HeddleFiles
import HeddleKernels

/// A table of numbers that is read row by row, inside memory that it keeps alive: the embedding's A, whose column of a token
/// is found as that token's row.
struct PackedTable: Sendable {
    let rowCount: Int
    let columnCount: Int
    private let format: PackedFormat
    private let memory: PackedMemory
    private let byteOffset: Int

    /// The table whose first row begins `byteOffset` bytes into `memory`.
    init(in memory: PackedMemory, byteOffset: Int, format: PackedFormat, rows: Int, columns: Int) {
        precondition(
            byteOffset >= 0 && byteOffset % 4 == 0
                && Self.byteCount(format: format, rows: rows, columns: columns) <= memory.bytes.count - byteOffset,
            "a table of \(rows) × \(columns) numbers at \(byteOffset) does not fit \(memory.bytes.count) bytes")
        rowCount = rows
        columnCount = columns
        self.format = format
        self.memory = memory
        self.byteOffset = byteOffset
    }

    /// Bytes of all rows, without gaps.
    static func byteCount(format: PackedFormat, rows: Int, columns: Int) -> Int {
        precondition(
            rows >= 0 && columns >= 0 && rows <= PackedMatrix.dimensionMax && columns <= 1 << 16,
            "a table of \(rows) × \(columns) numbers is none that can be packed")
        return rows * columns * elementByteCount(format)
    }

    /// Adapters are packed as f32 or bf16 (see `WeightFormat.adapters(of:)`).
    private static func elementByteCount(_ format: PackedFormat) -> Int {
        switch format {
        case .f32: 4
        case .bf16: 2
        case .int8, .int4: preconditionFailure("a table is packed as f32 or bf16, not \(format)")
        }
    }

    /// Writes columns of a tensor as rows.
    ///
    /// - Parameter bytes: exactly `byteCount` of them.
    static func packTransposed(
        _ tensor: TensorView, format: PackedFormat, into bytes: UnsafeMutableRawBufferPointer
    ) throws {
        let width = tensor.rowCount
        let elementByteCount = elementByteCount(format)
        // A few columns of every row at a time: a tensor of a large vocabulary is read once, and never held whole.
        let chunkCount = 256
        var chunk = [Float](repeating: 0, count: width * chunkCount)
        for first in stride(from: 0, to: tensor.columnCount, by: chunkCount) {
            let columns = first..<min(tensor.columnCount, first + chunkCount)
            try chunk.withUnsafeMutableBufferPointer {
                try tensor.readFloats(rows: 0..<width, columns: columns, into: $0)
            }
            for column in columns {
                for row in 0..<width {
                    let value = chunk[row * columns.count + column - first]
                    let at = (column * width + row) * elementByteCount
                    if format == .f32 {
                        bytes.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: at, as: UInt32.self)
                    } else {
                        bytes.storeBytes(of: value.bf16.littleEndian, toByteOffset: at, as: UInt16.self)
                    }
                }
            }
        }
    }

    /// Writes one row.
    func read(_ row: Int, into target: UnsafeMutableBufferPointer<Float>) {
        precondition((0..<rowCount).contains(row), "row \(row) of \(rowCount)")
        precondition(target.count == columnCount, "a row has \(columnCount) numbers, not \(target.count)")
        let elementByteCount = Self.elementByteCount(format)
        let begin = byteOffset + row * columnCount * elementByteCount
        for column in target.indices {
            let at = begin + column * elementByteCount
            if format == .f32 {
                target[column] = Float(
                    bitPattern: UInt32(littleEndian: memory.bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            } else {
                let high = UInt16(littleEndian: memory.bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self))
                target[column] = Float(bitPattern: UInt32(high) << 16)
            }
        }
    }
}

extension Float {
    /// The nearest bf16 number's bits, ties to even; a NaN stays one.
    fileprivate var bf16: UInt16 {
        let bits = bitPattern
        if isNaN { return UInt16(truncatingIfNeeded: bits >> 16 | 0x40) }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }
}
