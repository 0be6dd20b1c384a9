import CHeddleKernels

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

    /// Rotates the first `table.rotaryDimension` elements of each head of each row, halves paired as Hugging Face does.
    ///
    /// - Parameter entries: for each row the entry of the table that holds its angles.
    public static func rotate(
        _ x: Rows, headDimension: Int, entries: [Int32], table: RotaryTable, team: ThreadTeam
    ) {
        defer { withExtendedLifetime(x) {} }
        precondition(
            entries.count == x.count && x.width % headDimension == 0 && table.rotaryDimension <= headDimension,
            "each row is whole heads and has angles")
        precondition(
            entries.allSatisfy { $0 >= 0 && Int($0) < table.entryCount },
            "entries are within the table's \(table.entryCount)")
        if x.count == 0 { return }
        heddle_rotary(
            team.handle, x.base, Int64(x.stride), Int64(x.count), Int64(x.width / headDimension), Int64(headDimension),
            Int64(table.rotaryDimension), entries, table.cosines, table.sines)
    }

    /// gate = activation(gate) · up.
    public static func gate(_ gate: Rows, by up: Rows, activation: GateActivation = .silu, team: ThreadTeam) {
        defer { withExtendedLifetime((gate, up)) {} }
        precondition(gate.count == up.count && gate.width == up.width, "gate and up have one shape")
        if gate.count == 0 { return }
        heddle_gate(
            team.handle, activation.code, gate.base, Int64(gate.stride), up.base, Int64(up.stride), Int64(gate.width),
            Int64(gate.count))
    }

    /// x += addend · scale; both dense.
    public static func add(_ addend: Rows, scaledBy scale: Float = 1, to x: Rows, team: ThreadTeam) {
        defer { withExtendedLifetime((addend, x)) {} }
        precondition(
            addend.count == x.count && addend.width == x.width && addend.stride == x.width && x.stride == x.width,
            "sums are of dense rows of one shape")
        if x.count == 0 { return }
        heddle_add(team.handle, x.base, addend.base, scale, Int64(x.count * x.width))
    }

    /// Adds one vector to every row.
    public static func add(_ addend: [Float], toEachOf x: Rows, team: ThreadTeam) {
        defer { withExtendedLifetime(x) {} }
        precondition(addend.count == x.width, "\(addend.count) elements are not added to rows of \(x.width)")
        if x.count == 0 { return }
        heddle_add_to_rows(team.handle, x.base, Int64(x.stride), addend, Int64(x.width), Int64(x.count))
    }

    /// x = x / divisor, then cap · tanh(x / cap) where there is a cap; dense rows.
    public static func cap(_ x: Rows, divisor: Float = 1, cap: Float?, team: ThreadTeam) {
        defer { withExtendedLifetime(x) {} }
        precondition(x.stride == x.width, "what is capped is dense")
        precondition(divisor > 0 && cap.map { $0 > 0 } ?? true, "divisors and caps are above zero")
        if x.count == 0 { return }
        heddle_cap(team.handle, x.base, divisor, cap ?? 0, Int64(x.count * x.width))
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

    /// tanh by the kernels' polynomial.
    public static func hyperbolicTangents(_ values: [Float]) -> [Float] {
        [Float](unsafeUninitializedCapacity: values.count) { buffer, count in
            heddle_tanh(values, buffer.baseAddress, Int64(values.count))
            count = values.count
        }
    }
}

/// What gates a feed-forward part.
public enum GateActivation: Hashable, Sendable {
    /// x / (1 + exp(−x))
    case silu
    /// ½x(1 + tanh(√(2/π)(x + 0.044715x³)))
    case geluTanh

    var code: heddle_activation {
        switch self {
        case .silu: HEDDLE_ACTIVATION_SILU
        case .geluTanh: HEDDLE_ACTIVATION_GELU_TANH
        }
    }
}
