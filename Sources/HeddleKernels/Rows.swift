/// Owns f32 memory for activations, aligned to a cache line and zeroed when made.
public final class FloatMemory {
    public let floats: UnsafeMutableBufferPointer<Float>

    /// Zeroed memory of so many floats.
    public init(count: Int) {
        precondition(count >= 0, "a count is not negative")
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(64, count * MemoryLayout<Float>.stride), alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        floats = UnsafeMutableBufferPointer(rebasing: bytes.bindMemory(to: Float.self)[..<count])
    }

    deinit { floats.baseAddress.map { UnsafeMutableRawPointer($0).deallocate() } }

    /// The whole memory as rows of `width`, as many as fit but at most `count`.
    public func rows(_ count: Int, width: Int, at offset: Int = 0) -> Rows {
        precondition(count >= 0 && width >= 0 && offset >= 0, "counts are not negative")
        precondition(
            offset + count * width <= floats.count,
            "\(count) rows of \(width) floats at \(offset) do not fit \(floats.count)")
        return Rows(floats: UnsafeMutableBufferPointer(rebasing: floats[offset...]), count: count, width: width, stride: width)
    }
}

/// A rectangle of f32: `count` rows of `width`, `stride` apart. It borrows its memory: whoever made it keeps that alive.
public struct Rows {
    let floats: UnsafeMutableBufferPointer<Float>
    public let count: Int
    public let width: Int
    public let stride: Int

    /// Rows inside a buffer that outlives every use of them.
    public init(floats: UnsafeMutableBufferPointer<Float>, count: Int, width: Int, stride: Int) {
        precondition(count >= 0 && width >= 0 && stride >= width, "\(count) rows of \(width), \(stride) apart, are none")
        precondition(
            count == 0 || (count - 1) * stride + width <= floats.count,
            "\(count) rows of \(width), \(stride) apart, do not fit \(floats.count) floats")
        self.floats = floats
        self.count = count
        self.width = width
        self.stride = stride
    }

    /// Some of the rows.
    public subscript(rows: Range<Int>) -> Rows {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) are not within \(count)")
        let first = rows.isEmpty ? 0 : rows.lowerBound * stride
        return Rows(
            floats: UnsafeMutableBufferPointer(rebasing: floats[first...]), count: rows.count, width: width, stride: stride)
    }

    /// One row's elements.
    public func row(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<count).contains(index), "row \(index) is not within \(count)")
        return UnsafeMutableBufferPointer(rebasing: floats[(index * stride)..<(index * stride + width)])
    }

    /// All elements, where rows follow each other without gaps.
    public var dense: UnsafeMutableBufferPointer<Float> {
        precondition(stride == width, "rows of \(width) that are \(stride) apart have gaps")
        return floats.extracting(0..<(count * width))
    }

    var base: UnsafeMutablePointer<Float>? { floats.baseAddress }
}
