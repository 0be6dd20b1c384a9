import HeddleEngine
import HeddleFiles

/// What `heddle model show` says, for people and for programs.
struct ModelReport: Encodable {
    /// One layer or several that attend alike.
    struct Attention: Encodable {
        var layers: Int
        /// Positions that a row sees; null is all.
        var window: Int?
        var rope: String
        var theta: Double
    }

    /// The defaults of requests, by their names in a request.
    struct Sampling: Encodable {
        var temperature: Float
        var topK: Int
        var topP: Float
        var minP: Float
        var typicalP: Float
        var repetitionPenalty: Float
        var maxTokens: Int
        var minTokens: Int
    }

    struct Sizes: Encodable {
        var architecture: String
        var layers: Int
        var hiddenSize: Int
        var heads: Int
        var kvHeads: Int
        var headDimension: Int
        var feedForwardSize: Int
        var vocabulary: Int
        var positions: Int
        var tiedEmbeddings: Bool
        var parameters: Int
        /// Bytes of the checkpoint's tensors by their element type.
        var checkpointBytes: [String: Int]
        /// Bytes of packed weights by the format that they are held in.
        var packedBytes: [String: Int]
        var kvBytesPerToken: Int
        var ranksMax: Int
        var endTokens: [Int]
        /// What holds where a request does not say how to draw.
        var sampling: Sampling
        var attention: [Attention]
    }

    var folder: String
    /// Missing where the model is refused.
    var model: Sizes?
    /// What is packed of it.
    var packedFiles: [PackedFileListing]
    var refusals: [String]

    init(folder: String, model: ModelFolder?, packedFiles: [PackedFileListing], refusals: [String]) {
        self.folder = folder
        self.packedFiles = packedFiles
        self.refusals = refusals
        self.model = model.map(Sizes.init)
    }

    /// A line for each fact.
    var text: String {
        var lines: [String] = []
        if let model {
            lines = [
                "architecture    \(model.architecture), \(model.layers) layers",
                "sizes           hidden \(model.hiddenSize), heads \(model.heads) over \(model.kvHeads) of "
                    + "\(model.headDimension), feed-forward \(model.feedForwardSize), vocabulary \(model.vocabulary)"
                    + (model.tiedEmbeddings ? ", tied" : ""),
                "positions       \(model.positions)",
            ]
            for attention in model.attention {
                lines.append(
                    "attention       \(attention.layers) layers over "
                        + (attention.window.map { "\($0) positions" } ?? "all positions")
                        + ", rope \(attention.rope) of base \(attention.theta)")
            }
            lines += [
                "parameters      \(model.parameters)",
                "checkpoint      \(Self.list(model.checkpointBytes))",
                "packed          \(Self.list(model.packedBytes))",
                "KV per token    \(model.kvBytesPerToken) bytes",
                "ranks           at most \(model.ranksMax)",
                "end tokens      \(model.endTokens.map(String.init).joined(separator: ", "))",
                "sampling        temperature \(model.sampling.temperature), top_k \(model.sampling.topK), top_p "
                    + "\(model.sampling.topP), min_p \(model.sampling.minP), typical_p \(model.sampling.typicalP), "
                    + "repetition_penalty \(model.sampling.repetitionPenalty), max_tokens \(model.sampling.maxTokens), "
                    + "min_tokens \(model.sampling.minTokens) where a request does not say",
            ]
            lines += packedFiles.map {
                "packed file     \($0.weights), rank \($0.rank) of \($0.rankCount), \($0.bytes) bytes: \($0.path)"
            }
        }
        lines += refusals.map { "refused         \($0)" }
        if refusals.isEmpty { lines.append("refused         nothing") }
        return lines.joined(separator: "\n")
    }

    private static func list(_ bytes: [String: Int]) -> String {
        bytes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) bytes" }.joined(separator: ", ")
    }
}

extension ModelReport.Sizes {
    init(_ model: ModelFolder) {
        let configuration = model.configuration
        let footprint = ModelFootprint(configuration)
        architecture = configuration.architecture.rawValue
        layers = configuration.layerCount
        hiddenSize = configuration.hiddenSize
        heads = configuration.headCount
        kvHeads = configuration.kvHeadCount
        headDimension = configuration.headDimension
        feedForwardSize = configuration.feedForwardSize
        vocabulary = configuration.vocabularyCount
        positions = configuration.positionCountMax
        tiedEmbeddings = configuration.tiedEmbeddings
        parameters = footprint.parameterCount
        var checkpoint: [String: Int] = [:]
        for name in model.weights.names {
            guard let view = model.weights.tensor(name) else { continue }
            checkpoint["\(view.elementType)".lowercased(), default: 0] += view.byteCount
        }
        checkpointBytes = checkpoint
        packedBytes = Dictionary(
            uniqueKeysWithValues: WeightFormat.allCases.map { format in
                (format.rawValue, footprint.packedByteCount(format) { model.tensor($0).elementType })
            })
        kvBytesPerToken = footprint.kvByteCountPerToken
        ranksMax = footprint.rankCountMax
        endTokens = configuration.endTokens.map(Int.init)
        let defaults = model.samplingDefaults
        sampling = ModelReport.Sampling(
            temperature: defaults.temperature, topK: defaults.topK, topP: defaults.topP, minP: defaults.minP,
            typicalP: defaults.typicalP, repetitionPenalty: defaults.repetitionPenalty,
            maxTokens: defaults.tokenCountMax, minTokens: defaults.tokenCountMin)
        var kinds: [LayerAttention] = []
        for layer in configuration.layers where !kinds.contains(layer) { kinds.append(layer) }
        attention = kinds.map { kind in
            let rotary = configuration.rotary[kind.rotary]
            return ModelReport.Attention(
                layers: configuration.layers.count { $0 == kind }, window: kind.window, rope: rotary.scaling.name,
                theta: rotary.theta)
        }
    }
}

extension RotaryEncoding.Scaling {
    /// The type's name in config.json.
    fileprivate var name: String {
        switch self {
        case .none: "default"
        case .linear: "linear"
        case .dynamic: "dynamic"
        case .llama3: "llama3"
        case .yarn: "yarn"
        case .long: "longrope"
        }
    }
}
