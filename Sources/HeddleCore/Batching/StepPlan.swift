/// What one forward pass computes: decided by rank 0's `BatchScheduler`, obeyed by every rank of the group.
///
/// A plan is a plain value. It names sequences, blocks and adapter slots and carries tokens; it holds no pointer and
/// nothing that the ranks could understand differently.
public struct StepPlan: Hashable, Sendable {
    /// Counts steps of the group's epoch, from 1, without gaps.
    public var step: UInt64
    /// Sorted by adapter slot (rows without an adapter first), then by sequence.
    public var segments: [Segment]
    /// Blocks whose memory goes back before the step; what they held is read by nobody any more.
    public var givenUp: [BlockID]

    public init(step: UInt64, segments: [Segment], givenUp: [BlockID] = []) {
        self.step = step
        self.segments = segments
        self.givenUp = givenUp
    }

    /// Consecutive positions of one sequence: one token when it decodes, a chunk of the prompt when it prefills.
    public struct Segment: Hashable, Sendable {
        public var sequence: SequenceID
        /// The adapter that this sequence's rows go through; nil is the base model alone.
        public var adapter: AdapterSlot?
        /// The tokens to run, at positions `firstPosition ..< firstPosition + tokens.count`.
        public var tokens: [TokenID]
        public var firstPosition: Int
        /// Tokens of the sequence's prompt. Rotations that depend on a sequence's length follow from this and a row's
        /// position; 0 lets the position alone decide.
        public var promptTokenCount: Int
        /// KV blocks of the positions `0 ..< firstPosition + tokens.count`, 16 positions each, in order.
        public var blocks: [BlockID]
        /// Which blocks it may read: those that were written in the same realm. A sequence that shares none has its own.
        public var realm: UInt64
        public var logits: LogitsWanted

        /// - Parameter realm: the sequence's own where it is nil.
        public init(
            sequence: SequenceID, adapter: AdapterSlot?, tokens: [TokenID], firstPosition: Int,
            promptTokenCount: Int = 0, blocks: [BlockID], realm: UInt64? = nil, logits: LogitsWanted
        ) {
            self.sequence = sequence
            self.adapter = adapter
            self.tokens = tokens
            self.firstPosition = firstPosition
            self.promptTokenCount = promptTokenCount
            self.blocks = blocks
            self.realm = realm ?? sequence.number
            self.logits = logits
        }

        /// Rows whose logits are computed.
        public var logitsRowCount: Int {
            switch logits {
            case .none: 0
            case .last: 1
            case .all: tokens.count
            }
        }
    }

    /// Which of a segment's rows go through the output projection.
    public enum LogitsWanted: UInt8, Hashable, Sendable {
        /// A chunk that does not end its prompt.
        case none
        /// The row that the next token is sampled from.
        case last
        /// Every row: prompt log-probabilities, and tests.
        case all
    }

    /// Rows of the forward pass.
    public var rowCount: Int { segments.reduce(0) { $0 + $1.tokens.count } }

    /// Rows whose logits are computed, in segment order.
    public var logitsRowCount: Int { segments.reduce(0) { $0 + $1.logitsRowCount } }
}

/// Token positions in a KV block.
public let kvBlockTokens = 16
