import Glibc

/// A tensor of a mapped file: its type, its shape, and its bytes, which stay mapped as long as a view of them lives.
public struct TensorView: Sendable {
    /// The name in the file.
    public let name: String
    /// What one element is.
    public let elementType: ElementType
    /// Sizes from the slowest to the fastest dimension; empty for a single number.
    public let shape: [Int]
    /// The tensor's bytes.
    public let byteCount: Int
    private let file: MappedFile
    private let byteOffset: Int

    init(name: String, elementType: ElementType, shape: [Int], file: MappedFile, byteOffset: Int, byteCount: Int) {
        precondition(
            byteOffset >= 0 && byteCount >= 0 && byteOffset <= file.byteCount - byteCount,
            "a view lies inside its file")
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.file = file
        self.byteOffset = byteOffset
        self.byteCount = byteCount
    }

    /// The path of the file that holds the tensor.
    public var path: String { file.path }
    /// Product of the shape.
    public var elementCount: Int { byteCount / elementType.byteCount }
    /// Rows as `readFloats` counts them: the first of two dimensions, 1 for a vector or a single number.
    public var rowCount: Int { shape.count == 2 ? shape[0] : 1 }
    /// Elements of one row.
    public var columnCount: Int { shape.count == 2 ? shape[1] : elementCount }

    /// Lends the raw little-endian bytes, row after row, for the length of the call.
    ///
    /// The address is a multiple of the element's size, so that the bytes may be bound to elements in place.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try file.withUnsafeBytes { (bytes) throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[byteOffset..<(byteOffset + byteCount)]))
        }
    }

    /// Lets go of the pages that this process has mapped of it, as one does who has read it for the last time in a while.
    package func forget() { file.forget(byteOffset..<(byteOffset + byteCount)) }

    /// Writes a rectangle of the tensor as floats, row after row without gaps, converted exactly.
    ///
    /// - Parameters:
    ///   - rows: of `0..<rowCount`; a vector is one row. A tensor of more than two dimensions is refused.
    ///   - columns: of `0..<columnCount`; nil takes whole rows.
    ///   - target: at least `rows.count * columns.count` elements.
    /// - Throws: `SafetensorsError.notReadAsFloat` where the elements are neither f32, f16 nor bf16, and
    ///   `.notReadAsRows` where there are more than two dimensions.
    public func readFloats(
        rows: Range<Int>, columns: Range<Int>? = nil, into target: UnsafeMutableBufferPointer<Float>
    ) throws(SafetensorsError) {
        guard elementType.isReadAsFloat else {
            throw .notReadAsFloat(file: path, tensor: name, elementType: elementType)
        }
        guard shape.count <= 2 else { throw .notReadAsRows(file: path, tensor: name, shape: shape) }
        let columns = columns ?? 0..<columnCount
        precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount) in \(name)")
        precondition(
            columns.lowerBound >= 0 && columns.upperBound <= columnCount,
            "columns \(columns) of \(columnCount) in \(name)")
        guard !rows.isEmpty, !columns.isEmpty else { return }
        precondition(
            target.count / rows.count >= columns.count,
            "\(name): the target holds \(target.count) floats, not \(rows.count) × \(columns.count)")
        withUnsafeBytes { bytes in
            for (index, row) in rows.enumerated() {
                let start = (row * columnCount + columns.lowerBound) * elementType.byteCount
                let source = bytes[start..<(start + columns.count * elementType.byteCount)]
                let written = UnsafeMutableBufferPointer(
                    rebasing: target[(index * columns.count)..<((index + 1) * columns.count)])
                convert(UnsafeRawBufferPointer(rebasing: source), into: written)
            }
        }
    }

    /// The whole tensor as floats, row after row; throws as `readFloats(rows:columns:into:)`.
    public func floats() throws(SafetensorsError) -> [Float] {
        var values = [Float](repeating: 0, count: elementCount)
        var failure: SafetensorsError?
        values.withUnsafeMutableBufferPointer { buffer in
            do throws(SafetensorsError) { try readFloats(rows: 0..<rowCount, into: buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        return values
    }

    /// The index of the first infinity or NaN of an f32, f16 or bf16 tensor; nil where all numbers are finite.
    package func firstNotFinite() -> Int? {
        precondition(elementType.isReadAsFloat, "\(elementType) has no infinities that are known here")
        return withUnsafeBytes { bytes in
            // Safety: the file checked the alignment. A value is finite where its exponent is not all ones.
            guard elementType == .f32 else {
                let exponent: UInt16 = elementType == .f16 ? 0x7C00 : 0x7F80
                return bytes.assumingMemoryBound(to: UInt16.self).firstIndex {
                    UInt16(littleEndian: $0) & exponent == exponent
                }
            }
            return bytes.assumingMemoryBound(to: UInt32.self).firstIndex {
                UInt32(littleEndian: $0) & 0x7F80_0000 == 0x7F80_0000
            }
        }
    }

    /// Whether two tensors have one type, one shape and the same bytes.
    func isSame(as other: TensorView) -> Bool {
        guard shape == other.shape, elementType == other.elementType else { return false }
        return withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                guard let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return true }
                // Safety: both buffers have `byteCount` bytes: type and shape are equal.
                return memcmp(leftBase, rightBase, byteCount) == 0
            }
        }
    }

    private func convert(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
        // Safety: the caller cut `source` to `target.count` elements, and the file checked their alignment.
        switch elementType {
        case .f32:
            let elements = source.assumingMemoryBound(to: UInt32.self)
            for index in target.indices { target[index] = Float(bitPattern: UInt32(littleEndian: elements[index])) }
        case .f16:
            let elements = source.assumingMemoryBound(to: UInt16.self)
            for index in target.indices {
                target[index] = FloatConversion.float(half: UInt16(littleEndian: elements[index]))
            }
        case .bf16:
            let elements = source.assumingMemoryBound(to: UInt16.self)
            for index in target.indices {
                target[index] = FloatConversion.float(brain: UInt16(littleEndian: elements[index]))
            }
        default: preconditionFailure("\(elementType) is not read as float")
        }
    }
}
