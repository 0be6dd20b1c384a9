import HeddleKernels

/// A small seeded generator (SplitMix64), so that a failure repeats.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

/// Rows that own their memory.
struct OwnedRows {
    let memory: FloatMemory
    let rows: Rows

    /// - Parameter stride: floats from one row to the next; the gaps hold a value that no kernel may touch.
    init(_ count: Int, width: Int, stride: Int? = nil, values: [Float]? = nil) {
        let stride = stride ?? width
        memory = FloatMemory(count: count * stride)
        memory.floats.update(repeating: Self.untouched)
        rows = memory.rows(count, width: width, stride: stride)
        for row in 0..<count {
            rows.withRow(row) { for column in 0..<width { $0[column] = values.map { $0[row * width + column] } ?? 0 } }
        }
    }

    static let untouched: Float = 12345

    /// The elements without the gaps.
    var values: [Float] { (0..<rows.count).flatMap { rows.values($0) } }
    var bits: [UInt32] { values.map(\.bitPattern) }

    var gapsAreUntouched: Bool {
        (0..<rows.count).allSatisfy { row in
            (rows.width..<rows.stride).allSatisfy { column in
                row * rows.stride + column >= memory.floats.count
                    || memory.floats[row * rows.stride + column] == Self.untouched
            }
        }
    }
}

/// A bf16 number nearest to a float, ties to even, as a float.
func roundedToBF16(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) & 0xFFFF_0000)
}

extension ProductList {
    /// y = x · wᵀ, the rows prepared for the matrix.
    mutating func add(_ matrix: PackedMatrix, _ x: Rows, into y: Rows) {
        add(matrix, operand(x, for: matrix.format), into: y)
    }
}

/// Rows as what a format multiplies with; `widths` are those of the leaves.
func operand(_ x: Rows, for format: PackedFormat, widths: [Int]? = nil) -> Operand {
    OperandMemory().operands(of: x, widths: widths, team: .alone())(for: format)
}

/// What a row is rounded to before it is multiplied with weights of a format.
func rounded(_ row: [Float], for format: PackedFormat) -> [Float] {
    guard let group = format.groupInputs else { return format == .bf16 ? row.map(roundedToBF16) : row }
    return stride(from: 0, to: row.count, by: group).flatMap { first in
        let part = row[first..<min(row.count, first + group)]
        let largest = part.reduce(0) { max($0, abs($1)) }
        if largest == 0 { return [Float](repeating: 0, count: part.count) }
        let (scale, inverse) = (largest / 127, 127 / largest)
        return part.map { scale * Float((Double($0) * Double(inverse)).rounded(.toNearestOrEven)) }
    }
}

/// Runs `body` under every instruction set of this processor, the scalar one first; the last one stays as it was.
func underEveryInstructionSet(_ body: (InstructionSet) throws -> Void) rethrows {
    let before = InstructionSet.current
    defer { before.use() }
    for instructions in InstructionSet.available {
        instructions.use()
        try body(instructions)
    }
}
