import HeddleEngine
import HeddleFiles

/// One packed file of a model, as `heddle model show` lists it.
struct PackedFileListing: Encodable {
    var weights: String
    var rank: Int
    var rankCount: Int
    var bytes: Int
    var path: String

    /// All that a store has of a model. Nothing where the model's digest was never computed: this does not read the weights.
    static func files(of model: ModelFolder, in store: PackedShardStore?) -> [PackedFileListing] {
        guard let store, let digest = store.digests.recalled(model) else { return [] }
        var files: [PackedFileListing] = []
        for format in WeightFormat.allCases {
            for rankCount in 1...ModelFootprint(model.configuration).rankCountMax {
                for rank in 0..<rankCount {
                    guard
                        let plan = try? ShardPlan(
                            configuration: model.configuration, rank: rank, rankCount: rankCount)
                    else { continue }
                    let address = ShardAddress(model: digest, of: model, plan: plan, format: format)
                    let path = store.path(of: address)
                    guard let bytes = store.byteCount(of: address), !files.contains(where: { $0.path == path }) else {
                        continue
                    }
                    files.append(
                        PackedFileListing(
                            weights: address.format.rawValue, rank: rank, rankCount: rankCount, bytes: bytes, path: path
                        ))
                }
            }
        }
        return files
    }
}
