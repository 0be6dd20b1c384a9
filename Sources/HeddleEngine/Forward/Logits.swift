import HeddleKernels

/// The rows of logits of one step: rows × vocabulary, f32. They stay as they are until the forward pass runs again.
public struct Logits {
    /// Rows that the plan asked for; none on ranks other than 0.
    public let rowCount: Int
    /// Columns.
    public let vocabularyCount: Int
    private let memory: FloatMemory

    /// Rows of a memory, dense. A scripted forward pass fills one itself.
    public init(memory: FloatMemory, rowCount: Int, vocabularyCount: Int) {
        precondition(
            rowCount >= 0 && rowCount * vocabularyCount <= memory.floats.count,
            "\(rowCount) rows of \(vocabularyCount) logits do not fit \(memory.floats.count) floats")
        self.memory = memory
        self.rowCount = rowCount
        self.vocabularyCount = vocabularyCount
    }

    /// Lends one row's logits.
    public func withRow<Result, Failure: Error>(
        _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition((0..<rowCount).contains(row), "row \(row) of \(rowCount) rows of logits")
        let floats = memory.floats[(row * vocabularyCount)..<((row + 1) * vocabularyCount)]
        return try body(UnsafeBufferPointer(rebasing: floats))
    }

    /// A copy of one row.
    public func row(_ row: Int) -> [Float] { withRow(row) { Array($0) } }
}
