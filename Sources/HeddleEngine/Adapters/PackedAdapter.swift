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

    private init(
        memory: PackedMemory, digest: Digest, shape: ShardShape, entries: [PackedAdapterLayout.Entry]
    ) {
        self.digest = digest
        shardName = shape.name
        let layerCount = shape.configuration.layerCount
        byteCount = memory.bytes.count
        rankMax = entries.map(\.rank).max() ?? 0
        var modules = [Module?](repeating: nil, count: layerCount * Projection.allCases.count)
        var output: Module?
        var embedding: Embedding?
        for entry in entries {
            let b = PackedMatrix(
                in: memory, byteOffset: entry.offsetB, format: entry.format, outputs: entry.outputs, inputs: entry.rank)
            if entry.target == .embedding {
                let a = PackedTable(
                    in: memory, byteOffset: entry.offsetsA[0], format: entry.format, rows: entry.inputs[0].count,
                    columns: entry.rank)
                embedding = Embedding(rank: entry.rank, scale: entry.scale, a: a, b: b)
                continue
            }
            let a = entry.inputs.indices.map { part in
                PackedMatrix(
                    in: memory, byteOffset: entry.offsetsA[part], format: entry.format, outputs: entry.rank,
                    inputs: entry.inputs[part].count)
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
    public init(folder: AdapterFolder, for shape: ShardShape) throws(PackedFileError) {
        let image = PackedAdapterImage(folder: folder, for: shape)
        self.init(memory: try image.memory(), digest: folder.digest, shape: shape, entries: image.entries)
    }

    /// Packs an adapter into a file, atomically: the path has either nothing, what it had before, or all of it.
    public static func write(
        folder: AdapterFolder, for shape: ShardShape, to path: String
    ) throws(PackedFileError) {
        try PackedAdapterImage(folder: folder, for: shape).write(to: path)
    }

    /// Bytes of the file that `write` would make.
    public static func byteCount(folder: AdapterFolder, for shape: ShardShape) -> Int {
        PackedAdapterImage(folder: folder, for: shape).byteCount + PackedMemory.slackByteCount
    }

    /// Maps a packed file after checking all of it: header, table and checksums.
    ///
    /// - Parameter digest: the adapter that the file must hold.
    public init(path: String, digest: Digest, for shape: ShardShape) throws(PackedFileError) {
        let file = try PackedAdapterFile(path: path)
        let entries = try file.entries(digest: digest, for: shape)
        self.init(memory: file.memory, digest: digest, shape: shape, entries: entries)
    }

    /// The name under which a cache keeps the packed file: what it holds, for which shard, in which layout.
    public static func fileName(digest: Digest, for shape: ShardShape) -> String {
        let shard = shape.name
            .replacing("/", with: "of").replacing(" of ", with: "-")
        return "\(digest)-\(shard)-v\(PackedAdapterLayout.version).heddle"
    }

    func module(_ layer: Int, _ projection: Projection) -> Module? { modules[Self.index(layer, projection)] }

    /// Refuses an adapter that was cut for another shard.
    func check(for shard: PackedShard) throws(EngineError) {
        let expected = shard.shape.name
        if shardName != expected { throw .adapterForOtherShard(field: "shard", found: shardName, expected: expected) }
    }

    private static func index(_ layer: Int, _ projection: Projection) -> Int {
        layer * Projection.allCases.count + Int(projection.rawValue)
    }
}
