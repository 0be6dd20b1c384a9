import Foundation
import HeddleActors
import HeddleCore
import HeddleEngine
import HeddleFiles

/// What a host's adapter-cache knows of the cluster, and its directory of packed files.
struct CachePlace: Sendable {
    /// A rank of this host.
    struct Member: Hashable {
        let group: GroupName
        let rank: Int
    }

    /// Base models: their weights are compared with the copies that some adapters hold.
    let models: [ModelName: ModelFolder]
    /// How their weights are held, which decides how adapters beside them are packed.
    let weights: [ModelName: WeightFormat]
    /// The PEFT folder of every adapter.
    let folders: [AdapterSource: String]
    /// In the cluster file's order.
    let order: [AdapterSource]
    /// Ranks that may hold adapters of this cache, and their nodes.
    let ranks: [(member: Member, node: NodeName)]
    /// Rank 0 of every group that has such a rank.
    let planners: [ActorIdentity]
    /// Of this node alone.
    let directory: String

    func path(_ file: String) -> String { directory + "/" + file }

    /// Makes the directory, and empties it of packed files: what nobody accounts for must not take room.
    func prepare() throws {
        let files = FileManager.default
        try files.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for name in try files.contentsOfDirectory(atPath: directory) where name.contains(".heddle") {
            try files.removeItem(atPath: path(name))
        }
    }

    /// Removes the packed files and the directory. What ranks have mapped they keep.
    func clear() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.contains(".heddle") { unlink(path(name)) }
        rmdir(directory)
    }

    /// Reads and checks an adapter's folder.
    static func read(_ folder: String, model: ModelFolder) throws -> AdapterFolder {
        try AdapterFolder(path: folder, model: model)
    }

    /// How adapters of a model are packed for one rank.
    func shape(_ model: ModelName, rank: Int, rankCount: Int) throws -> ShardShape {
        guard let folder = models[model] else { throw RequestError.unknownModel(model.text) }
        let plan = try ShardPlan(configuration: folder.configuration, rank: rank, rankCount: rankCount)
        return ShardShape(model: folder, plan: plan, weights: weights[model] ?? .auto)
    }

    /// Bytes of all ranks' packed files.
    func packedByteCount(_ adapter: AdapterFolder, model: ModelName, rankCount: Int) throws -> Int {
        try (0..<rankCount).reduce(0) { sum, rank in
            sum + PackedAdapter.byteCount(folder: adapter, for: try shape(model, rank: rank, rankCount: rankCount))
        }
    }

    /// Packs the adapter for every rank, as far as the files are not there.
    func pack(_ adapter: AdapterFolder, model: ModelName, rankCount: Int) throws {
        for rank in 0..<rankCount {
            let shape = try shape(model, rank: rank, rankCount: rankCount)
            let path = path(PackedAdapter.fileName(digest: adapter.digest, for: shape))
            guard !FileManager.default.fileExists(atPath: path) else { continue }
            try PackedAdapter.write(folder: adapter, for: shape, to: path)
        }
    }

    func remove(digest: Digest, model: ModelName, rankCount: Int) {
        for rank in 0..<rankCount {
            guard let shape = try? shape(model, rank: rank, rankCount: rankCount) else { continue }
            unlink(path(PackedAdapter.fileName(digest: digest, for: shape)))
        }
    }
}

/// The adapter's files are no longer those that a request pinned, and nothing packed is left of them.
struct AdapterReplaced: Error, CustomStringConvertible {
    let folder: String
    let wanted: Digest
    let found: Digest

    var description: String {
        "\(folder) now holds \(found.short); what the request pinned, \(wanted.short), is no longer packed"
    }
}

/// Tells whether a folder's files are those that were read: sizes, times and inodes.
package struct FileFingerprint: Hashable, Sendable {
    /// Bytes of all files.
    package let byteCount: Int
    private let marks: [Int]

    /// Of a PEFT folder.
    package init(folder: String) throws {
        try self.init(files: ["adapter_config.json", "adapter_model.safetensors"].map { folder + "/" + $0 })
    }

    package init(file: String) throws { try self.init(files: [file]) }

    private init(files: [String]) throws {
        var byteCount = 0
        var marks: [Int] = []
        for file in files {
            var status = stat()
            guard stat(file, &status) == 0 else { throw FileMissing(path: file, reason: String(cString: strerror(errno))) }
            byteCount += Int(status.st_size)
            marks += [
                Int(status.st_size), Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec),
                Int(truncatingIfNeeded: status.st_ino),
            ]
        }
        self.byteCount = byteCount
        self.marks = marks
    }
}

/// A file that cannot be looked at.
struct FileMissing: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "\(path): \(reason)" }
}
