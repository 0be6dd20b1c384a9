/// Owns the tensors of one model or adapter, whether they lie in one file or in the shards that an index lists.
public struct SafetensorsSet: Sendable {
    /// Every tensor's name, in the order of its bytes.
    public let names: [String]
    /// The mapped files, in the order of their names.
    package let files: [MappedFile]
    // Keyed by bytes: a `String` key would merge canonically equivalent names.
    private let tensors: [JSONString: TensorView]

    /// Maps one file.
    public init(file path: String, limits: SafetensorsLimits = SafetensorsLimits()) throws(SafetensorsError) {
        self.init(shards: [try SafetensorsFile(path: path, limits: limits)])
    }

    /// Reads one file into memory, so that whoever writes into it meanwhile spoils nothing but what is read.
    package init(
        copying path: String, byteCountMax: Int, limits: SafetensorsLimits = SafetensorsLimits()
    ) throws(SafetensorsError) {
        self.init(
            shards: [try SafetensorsFile(path: path, limits: limits, byteCountMax: byteCountMax, use: .copied)])
    }

    /// Maps every file that an index (`model.safetensors.index.json`) lists. Index and files must agree on every tensor.
    public init(index path: String, limits: SafetensorsLimits = SafetensorsLimits()) throws(SafetensorsError) {
        let weightMap = try Self.weightMap(of: path)
        let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
        var shardNames: Set<JSONString> = []
        for shard in weightMap.values {
            let text = shard.description
            guard !text.isEmpty, text != ".", text != "..", !text.utf8.contains(UInt8(ascii: "/")) else {
                throw .indexShardName(file: path, shard: text)
            }
            shardNames.insert(shard)
        }
        guard shardNames.count <= limits.shardCountMax else {
            throw .tooManyShards(file: path, count: shardNames.count, countMax: limits.shardCountMax)
        }
        var shards: [SafetensorsFile] = []
        for shard in shardNames.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
            let opened = try SafetensorsFile(path: folder + shard.description, limits: limits)
            for tensor in opened.tensors where weightMap[JSONString(tensor.name)] != shard {
                throw .indexTensorUnlisted(file: path, tensor: tensor.name, shard: shard.description)
            }
            shards.append(opened)
        }
        self.init(shards: shards)
        let missing = weightMap.filter { tensors[$0.key] == nil }
            .min { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
        if let missing {
            throw .indexTensorMissing(
                file: path, tensor: missing.key.description, shard: missing.value.description)
        }
    }

    /// Names differ within a file, and an index names one file for each.
    private init(shards: [SafetensorsFile]) {
        var tensors: [JSONString: TensorView] = [:]
        for tensor in shards.flatMap(\.tensors) { tensors[JSONString(tensor.name)] = tensor }
        self.tensors = tensors
        files = shards.map(\.file)
        names = tensors.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.map(\.description)
    }

    /// The tensor of this name, or nil.
    public func tensor(_ name: String) -> TensorView? { tensors[JSONString(name)] }

    /// Bytes of all tensors together.
    public var byteCount: Int { tensors.values.reduce(0) { $0 + $1.byteCount } }

    private static func weightMap(of path: String) throws(SafetensorsError) -> [JSONString: JSONString] {
        let file: MappedFile
        do { file = try MappedFile(path: path) } catch { throw .file(error) }
        let value: JSONValue
        do {
            value = try file.withUnsafeBytes { (bytes) throws(JSONError) in try JSONParser.parse(bytes) }
        } catch { throw .indexNotJSON(file: path, error) }
        guard let map = value.object?["weight_map"]?.object else {
            throw .indexMalformed(file: path, reason: "“weight_map” is missing or no object")
        }
        var shards: [JSONString: JSONString] = [:]
        for member in map.members {
            guard case .string(let shard) = member.value else {
                throw .indexMalformed(file: path, reason: "tensor “\(member.key)” is mapped to \(member.value)")
            }
            shards[member.key] = shard
        }
        guard !shards.isEmpty else { throw .indexMalformed(file: path, reason: "“weight_map” is empty") }
        return shards
    }
}
