import HeddleCore

/// The numbers that fix a model's arithmetic, whatever file they came from. Sizes are counted in elements.
public struct ModelConfiguration: Hashable, Sendable {
    /// Which family's forward pass computes it.
    public var architecture: Architecture
    /// Decoder blocks.
    public var layerCount: Int
    /// Elements of the residual stream.
    public var hiddenSize: Int
    /// Query heads.
    public var headCount: Int
    /// Key and value heads; `headCount` is a multiple of it.
    public var kvHeadCount: Int
    /// Elements of one head; `headCount * headDimension` may differ from `hiddenSize`. Even.
    public var headDimension: Int
    /// Elements between the gated projections and the last one of a block.
    public var feedForwardSize: Int
    /// Rows of the embedding: token ids are below it.
    public var vocabularyCount: Int
    /// What the family's blocks compute.
    public var block: DecoderBlock
    /// What each layer's attention sees: `layerCount` of them.
    public var layers: [LayerAttention]
    /// The rotations that layers name; at least one.
    public var rotary: [RotaryEncoding]
    /// What is added to the mean square before its root.
    public var rmsNormEpsilon: Double
    /// Whether the output projection is the embedding.
    public var tiedEmbeddings: Bool
    /// The most positions of a sequence.
    public var positionCountMax: Int
    /// What stands before every prompt, where the tokenizer says so.
    public var beginToken: TokenID?
    /// Tokens that end a text, in the order of the file, each once.
    public var endTokens: [TokenID]

    /// Takes the numbers as they are; `ModelFolder` checks those of a file.
    public init(
        architecture: Architecture = .llama, layerCount: Int, hiddenSize: Int, headCount: Int, kvHeadCount: Int,
        headDimension: Int, feedForwardSize: Int, vocabularyCount: Int, block: DecoderBlock = DecoderBlock(),
        layers: [LayerAttention]? = nil, rotary: [RotaryEncoding] = [RotaryEncoding()], rmsNormEpsilon: Double = 1e-6,
        tiedEmbeddings: Bool = false, positionCountMax: Int = 2048, beginToken: TokenID? = nil,
        endTokens: [TokenID] = []
    ) {
        self.architecture = architecture
        self.layerCount = layerCount
        self.hiddenSize = hiddenSize
        self.headCount = headCount
        self.kvHeadCount = kvHeadCount
        self.headDimension = headDimension
        self.feedForwardSize = feedForwardSize
        self.vocabularyCount = vocabularyCount
        self.block = block
        self.layers = layers ?? Array(repeating: LayerAttention(), count: layerCount)
        self.rotary = rotary
        self.rmsNormEpsilon = rmsNormEpsilon
        self.tiedEmbeddings = tiedEmbeddings
        self.positionCountMax = positionCountMax
        self.beginToken = beginToken
        self.endTokens = endTokens
    }

    /// Elements of all query heads.
    public var queryWidth: Int { headCount * headDimension }
    /// Elements of all key heads; as many are of all value heads.
    public var keyValueWidth: Int { kvHeadCount * headDimension }

    /// Elements that a projection reads.
    public func inputCount(of projection: Projection) -> Int {
        switch projection {
        case .q, .k, .v, .gate, .up: hiddenSize
        case .o: queryWidth
        case .down: feedForwardSize
        }
    }

    /// Elements that a projection writes.
    public func outputCount(of projection: Projection) -> Int {
        switch projection {
        case .q: queryWidth
        case .k, .v: keyValueWidth
        case .o, .down: hiddenSize
        case .gate, .up: feedForwardSize
        }
    }

    /// What the product of a query and a key is multiplied by.
    public var scoreScale: Double { block.scoreScale ?? 1 / Double(headDimension).squareRoot() }

    /// The projections that a checkpoint holds in one matrix with this one, from its first row to its last.
    func projections(fusedWith projection: Projection) -> [Projection] {
        guard block.isFused else { return [projection] }
        switch projection {
        case .q, .k, .v: return [.q, .k, .v]
        case .gate, .up: return [.gate, .up]
        case .o, .down: return [projection]
        }
    }

    /// The rows of a projection in the checkpoint's matrix that holds it: all of them, unless it is fused with others.
    public func rows(of projection: Projection) -> Range<Int> {
        let first = projections(fusedWith: projection).prefix { $0 != projection }.reduce(0) {
            $0 + outputCount(of: $1)
        }
        return first..<(first + outputCount(of: projection))
    }
}

/// What a model may have at most; the products of these fit 64 bits.
public struct ModelLimits: Hashable, Sendable {
    /// Decoder blocks.
    public var layerCountMax = 1024
    /// Elements of the residual stream.
    public var hiddenSizeMax = 1 << 17
    /// Query heads.
    public var headCountMax = 1024
    /// Elements of a head.
    public var headDimensionMax = 1024
    /// Elements of the feed-forward part.
    public var feedForwardSizeMax = 1 << 20
    /// Rows of the embedding.
    public var vocabularyCountMax = 1 << 22
    /// Positions of a sequence.
    public var positionCountMax = 1 << 24
    /// Tokens that end a text.
    public var endTokenCountMax = 64
    /// The longest config.json, generation_config.json or adapter_config.json.
    public var configByteCountMax = 4 << 20

    /// Room for every model published so far, several times over.
    public init() {}
}
