/// How a family's decoder blocks compute: everything in which the families differ, as one value that each fills in.
///
/// With n and m the norms, a block is
///
///     x += residualScale · n₂(attention(n₁(x)) + biases)
///     x += residualScale · m₂(down(activation(gate(m₁(x))) · up(m₁(x))) + biases)
///
/// where n₂ and m₂ do nothing unless `hasTrailingNorms`. Before the first block, embeddings are multiplied by
/// `embeddingScale`; behind the last one stand a norm, the output projection, `logitDivisor` and `logitCap`.
public struct DecoderBlock: Hashable, Sendable {
    /// What a norm multiplies by.
    public enum NormWeight: Hashable, Sendable {
        /// The weight.
        case plain
        /// One plus the weight.
        case onePlus
    }

    /// What gates the feed-forward part.
    public enum Activation: Hashable, Sendable {
        /// x / (1 + exp(−x))
        case silu
        /// ½x(1 + tanh(√(2/π)(x + 0.044715x³)))
        case geluTanh
    }

    /// How all norms of the model read their weights.
    public var normWeight = NormWeight.plain
    /// Whether each head of queries and keys is normed before it is rotated.
    public var hasHeadNorms = false
    /// Whether what attention and the feed-forward part add is normed first.
    public var hasTrailingNorms = false
    /// Whether q, k and v have biases.
    public var hasInputBias = false
    /// Whether o has a bias.
    public var hasOutputBias = false
    /// Whether gate, up and down have biases.
    public var hasFeedForwardBias = false
    /// Whether the checkpoint holds q, k and v as one matrix, one above the other, and gate and up likewise.
    public var isFused = false
    /// What gates the feed-forward part.
    public var activation = Activation.silu
    /// What the product of a query and a key is multiplied by; nil is 1 / √headDimension.
    public var scoreScale: Double?
    /// Scores are then cap · tanh(score / cap).
    public var scoreCap: Double?
    /// What embeddings are multiplied by.
    public var embeddingScale = 1.0
    /// What each half of a block is multiplied by before it is added.
    public var residualScale = 1.0
    /// What logits are divided by.
    public var logitDivisor = 1.0
    /// Logits are then cap · tanh(logit / cap).
    public var logitCap: Double?

    /// Llama's block.
    public init() {}

    /// Whether a projection has a bias.
    public func hasBias(_ projection: Projection) -> Bool {
        switch projection {
        case .q, .k, .v: hasInputBias
        case .o: hasOutputBias
        case .gate, .up, .down: hasFeedForwardBias
        }
    }
}

/// What one layer's attention sees: how far back, and by which rotation.
public struct LayerAttention: Hashable, Sendable {
    /// How many positions a row sees, its own the last of them; nil is all.
    public var window: Int?
    /// Index into the model's rotary encodings.
    public var rotary: Int

    /// A layer of the first encoding that sees everything, unless said otherwise.
    public init(window: Int? = nil, rotary: Int = 0) {
        self.window = window
        self.rotary = rotary
    }
}
