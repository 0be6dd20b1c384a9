import HeddleCore
import HeddleFiles
import HeddleKernels

/// Owns one adapter's matrices in the kernels' layout, cut for one rank's shard: in memory, or mapped from a packed file.
///
/// For q, k, v, gate, up and the output projection A is whole and B is cut by output. For o and down A is cut by input at the
/// fixed tree's leaves and B is whole: partial x · A are summed with the base layer's own partial sums, then B is applied
/// once. For the embedding every rank has all.
public struct PackedAdapter: Sendable {
    /// One matrix's low-rank pair: y += scale · B (A x).
    struct Module: Sendable {
        var rank: Int
        var scale: Float
        /// One matrix, or one per owned leaf.
        var a: [PackedMatrix]
        var b: PackedMatrix
        /// Where A lies: parts of a fused matrix share one, and so its product with x.
        var offsetA: Int
    }

    /// The embedding's low-rank pair: a token's row += scale · B a(token).
    struct Embedding: Sendable {
        var rank: Int
        var scale: Float
        /// A's column of each token as a row.
        var a: PackedTable
        var b: PackedMatrix
    }

    /// The adapter's source.
    public let digest: Digest
    /// Bytes of memory or of the mapped file.
    public let byteCount: Int
    /// The largest rank of a module.
    public let rankMax: Int
    let shardName: String
    /// The output projection's change.
    let output: Module?
    /// The embedding's change.
    let embedding: Embedding?
    private let modules: [Module?]

    init(memory: PackedMemory, digest: Digest, shardName: String, layerCount: Int, entries: [PackedAdapterLayout.Entry])
    {
        self.digest = digest
        self.shardName = shardName
        byteCount = memory.bytes.count
        rankMax = entries.map(\.rank).max() ?? 0
        var modules = [Module?](repeating: nil, count: layerCount * Projection.allCases.count)
        var output: Module?
        var embedding: Embedding?
        for entry in entries {
            let b = PackedMatrix(
                in: memory, byteOffset: entry.offsetB, format: entry.formatB, outputs: entry.outputs, inputs: entry.rank
            )
            if entry.target == .embedding {
                let a = PackedTable(
                    in: memory, byteOffset: entry.offsetsA[0], format: entry.formatA, rows: entry.inputs[0].count,
                    columns: entry.rank)
                embedding = Embedding(rank: entry.rank, scale: entry.scale, a: a, b: b)
                continue
            }
            let a = entry.inputs.indices.map { part in
                PackedMatrix(
                    in: memory, byteOffset: entry.offsetsA[part], format: entry.formatA, outputs: entry.rank,
                    inputs: entry.inputs[part].count,
                    inputOffset: entry.inputs[part].lowerBound - entry.inputs[0].lowerBound)
            }
            let module = Module(rank: entry.rank, scale: entry.scale, a: a, b: b, offsetA: entry.offsetsA[0])
            switch entry.target {
            case .projection(let layer, let projection): modules[Self.index(layer, projection)] = module
            case .output: output = module
            case .embedding: preconditionFailure("the embedding's A is a table")
            }
        }
        self.modules = modules
        self.output = output
        self.embedding = embedding
    }

    /// Packs an adapter in memory.
    public init(folder: AdapterFolder, configuration: ModelConfiguration, plan: ShardPlan) throws(PackedAdapterError) {
        let image = try PackedAdapterImage(folder: folder, configuration: configuration, plan: plan)
        self.init(
            memory: try image.memory(), digest: folder.digest,
            shardName: PackedAdapterLayout.shardName(configuration, plan), layerCount: configuration.layerCount,
            entries: image.entries)
    }

    /// Packs an adapter into a file, atomically: the path has either nothing, what it had before, or all of it.
    public static func write(
        folder: AdapterFolder, configuration: ModelConfiguration, plan: ShardPlan, to path: String
    ) throws(PackedAdapterError) {
        try PackedAdapterImage(folder: folder, configuration: configuration, plan: plan).write(to: path)
    }

    /// Bytes of the file that `write` would make.
    public static func byteCount(
        folder: AdapterFolder, configuration: ModelConfiguration, plan: ShardPlan
    ) throws(PackedAdapterError) -> Int {
        try PackedAdapterImage(folder: folder, configuration: configuration, plan: plan).byteCount
            + PackedMemory.slackByteCount
    }

    /// Maps a packed file after checking all of it: header, table and checksums.
    ///
    /// - Parameter digest: the adapter that the file must hold.
    public init(
        path: String, digest: Digest, configuration: ModelConfiguration, plan: ShardPlan
    ) throws(PackedAdapterError) {
        let file = try PackedAdapterFile(path: path)
        let entries = try file.entries(digest: digest, configuration: configuration, plan: plan)
        self.init(
            memory: file.memory, digest: digest, shardName: PackedAdapterLayout.shardName(configuration, plan),
            layerCount: configuration.layerCount, entries: entries)
    }

    /// The name under which a cache keeps the packed file: what it holds, for which shard, in which layout.
    public static func fileName(digest: Digest, configuration: ModelConfiguration, plan: ShardPlan) -> String {
        let shard = PackedAdapterLayout.shardName(configuration, plan)
            .replacing("/", with: "of").replacing(" of ", with: "-")
        return "\(digest)-\(shard)-v\(PackedAdapterLayout.version).heddle"
    }

    func module(_ layer: Int, _ projection: Projection) -> Module? { modules[Self.index(layer, projection)] }

    /// Refuses an adapter that was cut for another shard.
    func check(for shard: PackedShard) throws(EngineError) {
        let expected = PackedAdapterLayout.shardName(shard.configuration, shard.plan)
        if shardName != expected { throw .adapterForOtherShard(field: "shard", found: shardName, expected: expected) }
    }

    private static func index(_ layer: Int, _ projection: Projection) -> Int {
        layer * Projection.allCases.count + Int(projection.rawValue)
    }
}
