import Glibc

/// Owns f32 memory for activations, aligned to a cache line and zeroed when made.
public final class FloatMemory {
    /// All of it.
    public let floats: UnsafeMutableBufferPointer<Float>

    /// Zeroed memory of so many floats.
    public init(count: Int) {
        precondition(count >= 0, "a count is not negative")
        let byteCount = max(64, count * MemoryLayout<Float>.stride)
        let isLarge = byteCount >= 4 << 20
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: isLarge ? 2 << 20 : 64)
        // What is read from end to end thanks for huge pages.
        if isLarge { madvise(bytes.baseAddress, byteCount, MADV_HUGEPAGE) }
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        floats = UnsafeMutableBufferPointer(rebasing: bytes.bindMemory(to: Float.self)[..<count])
    }

    deinit { floats.baseAddress.map { UnsafeMutableRawPointer($0).deallocate() } }

    /// Rows of `width` from an offset on; `stride` floats from one to the next, without gaps where it is nil.
    public func rows(_ count: Int, width: Int, stride: Int? = nil, at offset: Int = 0) -> Rows {
        precondition(offset >= 0 && offset <= floats.count, "offset \(offset) is not within \(floats.count) floats")
        return Rows(memory: self, offset: offset, count: count, width: width, stride: stride ?? width)
    }
}

/// A rectangle of f32: `count` rows of `width`, `stride` apart. It keeps its memory alive.
public struct Rows {
    /// From the first row to the end of the memory.
    let floats: UnsafeMutableBufferPointer<Float>
    let memory: FloatMemory
    /// Rows.
    public let count: Int
    /// Elements of a row.
    public let width: Int
    /// Elements from one row's begin to the next one's.
    public let stride: Int

    init(memory: FloatMemory, offset: Int, count: Int, width: Int, stride: Int) {
        precondition(
            count >= 0 && width >= 0 && stride >= width, "\(count) rows of \(width), \(stride) apart, are none")
        precondition(
            count == 0 || offset + (count - 1) * stride + width <= memory.floats.count,
            "\(count) rows of \(width), \(stride) apart, at \(offset) do not fit \(memory.floats.count) floats")
        self.memory = memory
        floats = UnsafeMutableBufferPointer(rebasing: memory.floats[offset...])
        self.count = count
        self.width = width
        self.stride = stride
    }

    /// These rows and the next ones as one rectangle; nil unless those lie right behind these, alike.
    public func joined(with next: Rows) -> Rows? {
        guard
            memory === next.memory, width == next.width, stride == next.stride, let base = floats.baseAddress,
            let nextBase = next.floats.baseAddress, nextBase == base + count * stride
        else { return nil }
        return Rows(
            memory: memory, offset: memory.floats.count - floats.count, count: count + next.count, width: width,
            stride: stride)
    }

    /// Some of the rows.
    public subscript(rows: Range<Int>) -> Rows {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) are not within \(count)")
        let offset = memory.floats.count - floats.count + (rows.isEmpty ? 0 : rows.lowerBound * stride)
        return Rows(memory: memory, offset: offset, count: rows.count, width: width, stride: stride)
    }

    /// The same dense elements as more rows of a smaller width: each head of a row as a row of its own.
    public func cut(width part: Int) -> Rows {
        precondition(stride == width && part > 0 && width % part == 0, "rows of \(width) are no rows of \(part)")
        let offset = memory.floats.count - floats.count
        return Rows(memory: memory, offset: offset, count: count * (width / part), width: part, stride: part)
    }

    /// Lends one row's elements.
    public func withRow<Result, Failure: Error>(
        _ index: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition((0..<count).contains(index), "row \(index) is not within \(count)")
        defer { withExtendedLifetime(memory) {} }
        return try body(floats.extracting((index * stride)..<(index * stride + width)))
    }

    /// Lends all elements, where rows follow each other without gaps.
    public func withDense<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(stride == width, "rows of \(width) that are \(stride) apart have gaps")
        defer { withExtendedLifetime(memory) {} }
        return try body(floats.extracting(0..<(count * width)))
    }

    /// A copy of one row.
    public func values(_ index: Int) -> [Float] { withRow(index) { Array($0) } }

    /// The first row's address, for a caller that holds these rows until it is used.
    var base: UnsafeMutablePointer<Float>? { floats.baseAddress }
}
