import CHeddleKernels

/// How packed weights are stored, and with it how they are multiplied. Sums are f32 whatever it is.
public enum PackedFormat: UInt32, CaseIterable, Hashable, Sendable {
    /// Rows stay f32.
    case f32 = 0
    /// Rows are rounded to bf16.
    case bf16 = 1
    /// One byte a weight, one f32 scale for each output and 128 inputs. Rows are rounded to bytes likewise.
    case int8 = 2
    /// Half a byte a weight, one f32 scale for each output and 64 inputs. Rows are rounded to bytes likewise.
    case int4 = 3

    var code: heddle_format {
        switch self {
        case .f32: HEDDLE_FORMAT_F32
        case .bf16: HEDDLE_FORMAT_BF16
        case .int8: HEDDLE_FORMAT_INT8
        case .int4: HEDDLE_FORMAT_INT4
        }
    }

    /// Inputs that share a scale; nil where there are no scales.
    public var groupInputs: Int? {
        let count = heddle_group_inputs(code)
        return count > 0 ? Int(count) : nil
    }
}
