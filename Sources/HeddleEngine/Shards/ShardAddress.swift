import HeddleCore
import HeddleFiles
import HeddleKernels

/// Names a packed shard by all that decides its bytes: the model's content, the weight format, the packed layout's version, and
/// the rank's part. Whatever is found under the name is what packing again would make.
public struct ShardAddress: Hashable, Sendable {
    /// SHA-256 of the text that says all of it.
    public let digest: Digest
    /// The model's.
    public let model: Digest
    /// How the weights are held.
    public let format: WeightFormat
    /// This rank.
    public let rank: Int
    /// Ranks of the group.
    public let rankCount: Int

    /// - Parameter model: digest of the model folder's files.
    public init(model digest: Digest, of folder: ModelFolder, plan: ShardPlan, format: WeightFormat) {
        let format = format.resolved(in: folder)
        model = digest
        self.format = format
        rank = plan.rank
        rankCount = plan.rankCount
        let part = """
            segments \(plan.segments), heads \(plan.heads), kv heads \(plan.kvHeads), feed-forward \(plan.feedForward), \
            vocabulary \(plan.vocabulary), head cuts \(plan.headSegments), feed-forward cuts \(plan.feedForwardSegments)
            """
        self.digest = Digest(
            hashing: """
                heddle packed shard
                model \(digest)
                weights \(format.rawValue)
                layout \(ShardLayout.version)
                rank \(rank) of \(rankCount)
                \(part)
                """)
    }

    /// The name of the file that holds it: for people the format and the rank, then the digest.
    public var fileName: String { "\(format.rawValue)-\(rank)of\(rankCount)-\(digest)\(Self.suffix)" }

    static let suffix = ".heddle"
}

extension WeightFormat {
    /// What `auto` comes to where that is one format for every matrix, so that both have one packed file.
    func resolved(in model: ModelFolder) -> WeightFormat {
        guard self == .auto else { return self }
        let configuration = model.configuration
        let types = Set(
            configuration.tensors.compactMap { tensor -> PackedFormat? in
                switch tensor {
                case .projection, .output: packed(model.tensor(tensor).elementType, of: tensor)
                default: nil
                }
            } + [packed(model.tensor(.output).elementType, of: .output)])
        switch types {
        case [.bf16]: return .bf16
        case [.f32]: return .f32
        default: return .auto
        }
    }
}
