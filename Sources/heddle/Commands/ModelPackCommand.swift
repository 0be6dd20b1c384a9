import ArgumentParser
import Foundation
import HeddleClient
import HeddleCluster
import HeddleCollective
import HeddleEngine
import HeddleFiles

extension ModelCommand {
    /// `heddle model pack`: makes the files that workers map when they start.
    struct Pack: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pack",
            abstract: "Pack a model's weights into the files that workers map when they start.",
            discussion: """
                Workers pack what is missing when they first start; packing beforehand spares them that. A file holds one \
                rank's part in one format. Its name is a digest of the model's content, the format, the packed layout and the \
                rank's part, so files never go stale: what changed has another name. What is there already is checked and \
                left. Weights are read and written in pieces, whatever the model's size. Files lie in $XDG_CACHE_HOME/heddle \
                or ~/.cache/heddle, as the cluster file's weightCache has it unless it says otherwise. Exits with 2 where the \
                model is refused, with 1 where there is no such folder.

                EXAMPLES
                  heddle model pack ~/models/Qwen2.5-7B-Instruct --weights int8
                  heddle model pack ~/models/Qwen2.5-7B-Instruct --weights int4 --tensor-parallel 2 --json
                  heddle model pack ./model --tensor-parallel 4 --rank 3 --into /var/cache/heddle
                """)

        @Argument(help: "The folder, as Hugging Face lays it out.")
        var folder: String

        @Option(help: ArgumentHelp("How weights are held: auto, f32, bf16, int8 or int4.", valueName: "format"))
        var weights = WeightFormat.auto

        @Option(help: ArgumentHelp("Ranks that the model is split over, 1 to 8.", valueName: "ranks"))
        var tensorParallel = 1

        @Option(help: ArgumentHelp("Only this rank, from 0 (default: all of them).", valueName: "rank"))
        var rank: Int?

        @OptionGroup var cache: WeightCacheOptions

        @Option(help: ArgumentHelp("Threads that pack (default: the cores).", valueName: "n"))
        var threads: Int?

        @Flag(help: "Print one JSON object.")
        var json = false

        func validate() throws {
            if !(1...ReductionTree.leafCount).contains(tensorParallel) {
                throw ValidationError("--tensor-parallel is a number from 1 to \(ReductionTree.leafCount).")
            }
            if let rank, !(0..<tensorParallel).contains(rank) {
                throw ValidationError("--rank is a number from 0 to \(tensorParallel - 1).")
            }
            if let threads, !(1...256).contains(threads) {
                throw ValidationError("--threads is a number from 1 to 256.")
            }
        }

        /// What was done for one rank.
        private struct Shard: Encodable {
            var rank: Int
            var path: String
            var bytes: Int
            /// Whether it was made now; false where it was there.
            var made: Bool
            var seconds: Double
            /// Why a file that was there was made anew.
            var refused: String?
        }

        private struct Answer: Encodable {
            var folder: String
            var digest: String
            var weights: String
            var rankCount: Int
            var directory: String
            var digestSeconds: Double
            var shards: [Shard]
            /// The most memory that the process had at once, mapped files included.
            var peakMemoryBytes: Int
        }

        func run() throws {
            let model = try openModel()
            if let refusal = PackedShard.refusal(of: model.configuration) { throw refusal }
            let store = try cache.store()
            let threadCount = threads ?? SharedMemoryCollective.onlineCoreCount
            let plans = try (rank.map { [$0] } ?? Array(0..<tensorParallel)).map {
                try ShardPlan(configuration: model.configuration, rank: $0, rankCount: tensorParallel)
            }
            let bar = ProgressBar(isWanted: !json)
            let started = ContinuousClock.now
            bar.begin("reading \(folder)", byteCount: model.digestedByteCount)
            let digest = store.digests.digest(of: model) { bar.add($0) }
            let digestSeconds = started.secondsUntilNow
            bar.clear()
            var shards: [Shard] = []
            for plan in plans {
                let begun = ContinuousClock.now
                let address = ShardAddress(model: digest, of: model, plan: plan, format: weights)
                let byteCount = store.packedByteCount(model: model, plan: plan, format: weights)
                bar.begin("rank \(plan.rank) of \(plan.rankCount)", byteCount: byteCount)
                let packing = try store.pack(
                    address, model: model, plan: plan, format: weights, threadCount: threadCount
                ) { bar.add($0) }
                bar.clear()
                var shard = Shard(
                    rank: plan.rank, path: store.path(of: address), bytes: byteCount, made: false,
                    seconds: begun.secondsUntilNow)
                if case .made(_, let refused) = packing {
                    shard.made = true
                    shard.refused = refused.map { "\($0)" }
                }
                shards.append(shard)
                if !json { Terminal.print(Self.line(shard, rankCount: tensorParallel)) }
            }
            guard json else { return }
            Terminal.print(
                try Terminal.json(
                    Answer(
                        folder: folder, digest: digest.description,
                        weights: weights.rawValue, rankCount: tensorParallel, directory: store.directory,
                        digestSeconds: digestSeconds, shards: shards, peakMemoryBytes: Self.peakMemoryBytes)))
        }

        private func openModel() throws -> ModelFolder {
            do throws(ModelFileError) { return try ModelFolder(path: folder) } catch {
                if case .file(.missing) = error { throw CommandFailure("\(error)", exit: .notFound) }
                throw error
            }
        }

        private static func line(_ shard: Shard, rankCount: Int) -> String {
            let name = "rank \(shard.rank) of \(rankCount)"
            let size = Quantities.bytes(UInt64(shard.bytes))
            if !shard.made { return "\(name)  already packed, \(size): \(shard.path)" }
            let rate = Quantities.bytes(UInt64(Double(shard.bytes) / max(shard.seconds, 1e-3)))
            let time = Quantities.duration(.milliseconds(Int64(shard.seconds * 1000)))
            return (shard.refused.map { "\($0); it is packed again\n" } ?? "")
                + "\(name)  packed, \(size) in \(time), \(rate)/s: \(shard.path)"
        }

        private static var peakMemoryBytes: Int {
            var usage = rusage()
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        }
    }
}

/// Which folder of packed weights a command is about.
struct WeightCacheOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder of packed weights (default: $XDG_CACHE_HOME/heddle or ~/.cache/heddle).", valueName: "dir"))
    var into: String?

    /// The store at the given place, or at this user's own; nil where the environment names no home.
    var found: PackedShardStore? { Self.store(at: into) }

    static func store(at place: String?) -> PackedShardStore? {
        let directory =
            place.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
            ?? ClusterConfiguration.WeightCache.directory(environment: ProcessInfo.processInfo.environment)
        return directory.map { PackedShardStore(directory: $0) }
    }

    func store() throws -> PackedShardStore {
        guard let found else {
            throw CommandFailure("neither XDG_CACHE_HOME nor HOME says where packed weights go; give --into DIR")
        }
        return found
    }
}

extension ContinuousClock.Instant {
    /// Seconds since this instant.
    var secondsUntilNow: Double {
        let parts = duration(to: .now).components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }
}
