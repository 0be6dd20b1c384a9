import CHeddleKernels
import Glibc

/// What is done to single rows: norm, rotation, gating, sums, and what sampling asks of logits.
public enum RowKernels {
    /// y = x / √(mean(x²) + ε) · weight, row by row.
    public static func rmsNorm(_ x: Rows, weight: [Float], epsilon: Float, into y: Rows, team: ThreadTeam) {
        defer { withExtendedLifetime((x, y)) {} }
        precondition(x.count == y.count && x.width == y.width && weight.count == x.width, "norms keep the shape")
        if x.count == 0 { return }
        heddle_rms_norm(
            team.handle, x.base, Int64(x.stride), weight, Int64(x.width), epsilon, Int64(x.count), y.base,
            Int64(y.stride))
    }

    /// Rotates the heads of each row by its position's angles, halves paired as Hugging Face does.
    public static func rotate(_ x: Rows, positions: [Int32], table: RotaryTable, team: ThreadTeam) {
        defer { withExtendedLifetime(x) {} }
        let dimension = table.headDimension
        precondition(
            positions.count == x.count && x.width % dimension == 0, "each row is whole heads and has a position")
        precondition(
            positions.allSatisfy { $0 >= 0 && Int($0) < table.positionCount },
            "positions are within the table's \(table.positionCount)")
        if x.count == 0 { return }
        heddle_rotary(
            team.handle, x.base, Int64(x.stride), Int64(x.count), Int64(x.width / dimension), Int64(dimension),
            positions,
            table.cosines, table.sines)
    }

    /// gate = silu(gate) · up.
    public static func gate(_ gate: Rows, by up: Rows, team: ThreadTeam) {
        defer { withExtendedLifetime((gate, up)) {} }
        precondition(gate.count == up.count && gate.width == up.width, "gate and up have one shape")
        if gate.count == 0 { return }
        heddle_silu_multiply(
            team.handle, gate.base, Int64(gate.stride), up.base, Int64(up.stride), Int64(gate.width), Int64(gate.count))
    }

    /// x += addend; both dense.
    public static func add(_ addend: Rows, to x: Rows, team: ThreadTeam) {
        defer { withExtendedLifetime((addend, x)) {} }
        precondition(
            addend.count == x.count && addend.width == x.width && addend.stride == x.width && x.stride == x.width,
            "sums are of dense rows of one shape")
        if x.count == 0 { return }
        heddle_add(team.handle, x.base, addend.base, Int64(x.count * x.width))
    }

    /// The smallest index of the largest value; a NaN is never the largest. At least one value.
    public static func argmax(_ values: UnsafeBufferPointer<Float>) -> Int {
        precondition(!values.isEmpty, "the largest of no values")
        return Int(heddle_argmax(values.baseAddress, Int64(values.count)))
    }

    /// log Σ exp of at least one value.
    public static func logSumExp(_ values: UnsafeBufferPointer<Float>) -> Double {
        precondition(!values.isEmpty, "the sum of no values")
        return heddle_log_sum_exp(values.baseAddress, Int64(values.count))
    }

    /// exp by the kernels' polynomial.
    public static func exponentials(_ values: [Float]) -> [Float] {
        [Float](unsafeUninitializedCapacity: values.count) { buffer, count in
            heddle_exp(values, buffer.baseAddress, Int64(values.count))
            count = values.count
        }
    }
}

/// Cosines and sines of every position's angles, computed once in double precision.
public struct RotaryTable: Sendable {
    /// Elements of a head.
    public let headDimension: Int
    /// Positions that have angles, from 0.
    public let positionCount: Int
    let cosines: [Float]
    let sines: [Float]

    /// Angles position · theta^(−2i / headDimension), i in 0 ..< headDimension / 2.
    public init(headDimension: Int, positionCount: Int, theta: Double) {
        precondition(
            headDimension > 0 && headDimension % 2 == 0 && theta > 0, "half a head's \(headDimension) dimensions rotate"
        )
        precondition((0...Int(Int32.max)).contains(positionCount), "a count of positions")
        self.headDimension = headDimension
        self.positionCount = positionCount
        let frequencies = (0..<(headDimension / 2)).map { pow(theta, -2 * Double($0) / Double(headDimension)) }
        var cosines: [Float] = []
        var sines: [Float] = []
        cosines.reserveCapacity(positionCount * headDimension / 2)
        sines.reserveCapacity(positionCount * headDimension / 2)
        for position in 0..<positionCount {
            for frequency in frequencies {
                cosines.append(Float(cos(Double(position) * frequency)))
                sines.append(Float(sin(Double(position) * frequency)))
            }
        }
        self.cosines = cosines
        self.sines = sines
    }
}
