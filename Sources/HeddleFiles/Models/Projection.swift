/// One of the seven matrices of a decoder block that adapters may change.
public enum Projection: UInt8, Hashable, Comparable, Sendable, CaseIterable, CustomStringConvertible {
    case q
    case k
    case v
    case o
    case gate
    case up
    case down

    /// The module's name in Hugging Face checkpoints, `q_proj` and so on.
    public var moduleName: String { description + "_proj" }

    /// The module that holds it in a decoder block.
    public var blockName: String {
        switch self {
        case .q, .k, .v, .o: "self_attn"
        case .gate, .up, .down: "mlp"
        }
    }

    /// The short name.
    public var description: String {
        switch self {
        case .q: "q"
        case .k: "k"
        case .v: "v"
        case .o: "o"
        case .gate: "gate"
        case .up: "up"
        case .down: "down"
        }
    }

    /// In the order of the cases.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
