import CHeddleKernels

/// Which of the compiled kernels run. All give the same bits, so this decides speed alone.
public enum InstructionSet: String, CaseIterable, Sendable {
    case scalar
    case avx2
    case avx512
    /// AVX-512 with dot products of bytes.
    case avx512vnni
    /// AVX-512 with dot products of bytes and of bf16.
    case avx512bf16
    case neon

    /// The set in use: HEDDLE_ISA where the environment names an available one, else the widest.
    public static var current: InstructionSet { InstructionSet(heddle_isa_current()) }

    /// The sets that this processor runs.
    public static var available: [InstructionSet] { allCases.filter { heddle_isa_available($0.code) } }

    /// Uses this set in the whole process from now on; false where the processor lacks it. Meant for tests.
    @discardableResult
    public func use() -> Bool { heddle_isa_force(code) }

    private var code: heddle_isa {
        switch self {
        case .scalar: HEDDLE_ISA_SCALAR
        case .avx2: HEDDLE_ISA_AVX2
        case .avx512: HEDDLE_ISA_AVX512
        case .avx512vnni: HEDDLE_ISA_AVX512_VNNI
        case .avx512bf16: HEDDLE_ISA_AVX512_BF16
        case .neon: HEDDLE_ISA_NEON
        }
    }

    private init(_ code: heddle_isa) {
        self = Self.allCases.first { $0.code == code } ?? .scalar
    }
}
