/// Why a model or a shard of it cannot be served here.
public enum EngineError: Error, Hashable, Sendable {
    case rankOutOfRange(rank: Int, rankCount: Int, rankCountMax: Int)
    /// More ranks than the model has heads to go round.
    case rankWithoutHead(rank: Int, rankCount: Int, headCount: Int)
    case unsupportedShape(field: String, value: Int, rule: String)
    case tensorUnreadable(name: String, reason: String)
    /// An infinity or a NaN among the weights.
    case tensorNotFinite(name: String, row: Int, column: Int, value: String)
    case outOfMemory(purpose: String, byteCount: Int)
    case threadsRefused(count: Int)
    case adapterForOtherShard(field: String, found: String, expected: String)
    case adapterSlotOutOfRange(slot: Int32, slotCount: Int)
}

extension EngineError: CustomStringConvertible {
    /// One sentence that names what is wrong, with its numbers.
    public var description: String {
        switch self {
        case .rankOutOfRange(let rank, let count, let max):
            "rank \(rank) of \(count) is none: a model is split over 1 to \(max) ranks"
        case .rankWithoutHead(let rank, let count, let heads):
            "rank \(rank) of \(count) would own none of the model's \(heads) attention heads; use fewer ranks"
        case .unsupportedShape(let field, let value, let rule): "the model's \(field) is \(value); it must be \(rule)"
        case .tensorUnreadable(let name, let reason): "tensor \(name) cannot be read: \(reason)"
        case .tensorNotFinite(let name, let row, let column, let value):
            "tensor \(name) holds \(value) at [\(row), \(column)]; weights are finite numbers"
        case .outOfMemory(let purpose, let bytes): "the system has no \(bytes) bytes left for \(purpose)"
        case .threadsRefused(let count): "the system refuses to start \(count) threads"
        case .adapterForOtherShard(let field, let found, let expected):
            "the packed adapter's \(field) is \(found), this shard's \(expected)"
        case .adapterSlotOutOfRange(let slot, let count): "adapter slot \(slot) is outside 0..<\(count)"
        }
    }
}
