import HeddleCore

/// Why a step plan cannot be run. A plan is checked whole before anything of it is done, the same on every rank.
public enum PlanError: Error, Hashable, Sendable {
    case tooManyRows(count: Int, countMax: Int)
    case emptySegment(SequenceID)
    case sequenceTwice(SequenceID)
    case tokenOutOfRange(SequenceID, token: TokenID, vocabularyCount: Int)
    case positionOutOfRange(SequenceID, position: Int, positionCountMax: Int)
    case blockCount(SequenceID, found: Int, expected: Int)
    case blockOutOfRange(SequenceID, block: BlockID, blockCount: Int)
    case blockTwice(SequenceID, block: BlockID)
    /// The block holds another realm's keys and values, or nobody's.
    case blockNotOwned(SequenceID, block: BlockID)
    case givenUpOutOfRange(block: BlockID, blockCount: Int)
    case adapterSlotEmpty(SequenceID, slot: AdapterSlot)
}

extension PlanError: CustomStringConvertible {
    /// One sentence that names what is wrong, with its numbers.
    public var description: String {
        switch self {
        case .tooManyRows(let count, let max): "the plan has \(count) rows; at most \(max) are run"
        case .emptySegment(let sequence): "sequence \(sequence) has no tokens to run"
        case .sequenceTwice(let sequence): "sequence \(sequence) is in the plan twice"
        case .tokenOutOfRange(let sequence, let token, let count):
            "token \(token) of sequence \(sequence) is outside the vocabulary 0..<\(count)"
        case .positionOutOfRange(let sequence, let position, let max):
            "position \(position) of sequence \(sequence) is outside 0..<\(max)"
        case .blockCount(let sequence, let found, let expected):
            "sequence \(sequence) names \(found) blocks where its positions need \(expected)"
        case .blockOutOfRange(let sequence, let block, let count):
            "block \(block) of sequence \(sequence) is outside 0..<\(count)"
        case .blockTwice(let sequence, let block): "block \(block) of sequence \(sequence) is in the plan twice"
        case .blockNotOwned(let sequence, let block): "block \(block) does not hold what sequence \(sequence) may read"
        case .givenUpOutOfRange(let block, let count): "block \(block), to be given up, is outside 0..<\(count)"
        case .adapterSlotEmpty(let sequence, let slot):
            "sequence \(sequence) names adapter slot \(slot), where nothing is mapped"
        }
    }
}
