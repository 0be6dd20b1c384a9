import HeddleCore

/// The low-rank change of one matrix of the base model: `scale * B·A` is added to it.
public struct AdapterModule: Sendable {
    /// Counted from 0.
    public let layer: Int
    /// Which of the block's matrices it changes.
    public let projection: Projection
    /// `[rank, inputs]`
    public let a: TensorView
    /// `[outputs, rank]`
    public let b: TensorView
    /// Rows of A, columns of B.
    public let rank: Int
    /// What the product is multiplied by: alpha over rank, or over its root where the adapter says `use_rslora`.
    public let scale: Float
}

/// Owns a LoRA adapter as PEFT lays it out on disk, checked against the base model it will change: every tensor belongs to
/// a module, every module has both, and every number is finite.
public struct AdapterFolder: Sendable {
    /// The folder, as it was given.
    public let path: String
    /// In the order of layers and projections; never empty.
    public let modules: [AdapterModule]
    /// SHA-256 over the names and contents of adapter_config.json and adapter_model.safetensors, in this order (see
    /// `DigestWriter` for the grammar).
    public let digest: Digest
    /// The largest rank of a module.
    public let rankMax: Int
    /// Bytes of all tensors in the file.
    public let byteCount: Int

    /// Reads the folder's files into memory, every byte of them once: people may write into them at any time.
    public init(
        path: String, base: ModelConfiguration, limits: AdapterLimits = AdapterLimits()
    ) throws(AdapterFileError) {
        self.path = path
        let folder = path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
        let config: MappedFile
        do {
            config = try MappedFile(
                path: folder + "adapter_config.json", byteCountMax: limits.configByteCountMax, use: .copied)
        } catch { throw .file(error) }
        let weights: SafetensorsSet
        do {
            weights = try SafetensorsSet(
                copying: folder + "adapter_model.safetensors", byteCountMax: limits.weightsByteCountMax)
        } catch {
            if case .file(let missing) = error { throw .file(missing) }
            throw .safetensors(error)
        }
        let configuration = try AdapterConfiguration(Self.object(of: config), file: config.path, limits: limits)
        modules = try Self.modules(of: weights, configuration, base: base)
        for module in modules {
            try Self.checkFinite(module.a)
            try Self.checkFinite(module.b)
        }
        var writer = DigestWriter()
        writer.add(name: "adapter_config.json", content: config)
        for file in weights.files { writer.add(name: "adapter_model.safetensors", content: file) }
        digest = writer.finish()
        rankMax = modules.reduce(0) { max($0, $1.rank) }
        byteCount = weights.byteCount
    }

    private static func modules(
        of weights: SafetensorsSet, _ configuration: AdapterConfiguration, base: ModelConfiguration
    ) throws(AdapterFileError) -> [AdapterModule] {
        var found: [AdapterModule] = []
        var expected: Set<JSONString> = []
        let names = (0..<base.layerCount).flatMap { layer in
            Projection.allCases.map { base.moduleName(layer: layer, $0) }
        }
        if let target = configuration.firstUnmatchedTarget(among: names) {
            throw .targetUnsupported(file: configuration.file, target: target)
        }
        for layer in 0..<base.layerCount {
            for projection in Projection.allCases {
                let module = base.moduleName(layer: layer, projection)
                guard configuration.targets(module: module) else { continue }
                let rank = configuration.rank(ofModule: module)
                let prefix = "base_model.model." + module
                let nameA = prefix + ".lora_A.weight"
                let nameB = prefix + ".lora_B.weight"
                expected.insert(JSONString(nameA))
                expected.insert(JSONString(nameB))
                found.append(
                    AdapterModule(
                        layer: layer, projection: projection,
                        a: try tensor(nameA, of: weights, shape: [rank, base.inputCount(of: projection)]),
                        b: try tensor(nameB, of: weights, shape: [base.outputCount(of: projection), rank]),
                        rank: rank, scale: configuration.scale(ofModule: module)))
            }
        }
        for name in weights.names where !expected.contains(JSONString(name)) {
            guard let view = weights.tensor(name) else { continue }
            throw .tensorUnexpected(tensor: name, shape: view.shape)
        }
        return found
    }

    private static func tensor(
        _ name: String, of weights: SafetensorsSet, shape: [Int]
    ) throws(AdapterFileError) -> TensorView {
        guard let view = weights.tensor(name) else { throw .tensorMissing(tensor: name, shape: shape) }
        guard view.shape == shape else { throw .tensorShape(tensor: name, found: view.shape, expected: shape) }
        guard view.elementType.isReadAsFloat else {
            throw .tensorElementType(tensor: name, found: view.elementType)
        }
        return view
    }

    /// One NaN would spread from its tenant's rows to nobody else's, but would be that tenant's only answer.
    private static func checkFinite(_ tensor: TensorView) throws(AdapterFileError) {
        guard let index = tensor.firstNotFinite() else { return }
        let row = index / tensor.columnCount
        let column = index % tensor.columnCount
        var value: Float = .nan
        do throws(SafetensorsError) {
            try withUnsafeMutablePointer(to: &value) { (pointer) throws(SafetensorsError) in
                try tensor.readFloats(
                    rows: row..<(row + 1), columns: column..<(column + 1),
                    into: UnsafeMutableBufferPointer(start: pointer, count: 1))
            }
        } catch { throw .safetensors(error) }
        throw .notFinite(tensor: tensor.name, row: row, column: column, value: value)
    }

    private static func object(of file: MappedFile) throws(AdapterFileError) -> JSONObject {
        let value: JSONValue
        do throws(JSONError) {
            value = try file.withUnsafeBytes { (bytes) throws(JSONError) in try JSONParser.parse(bytes) }
        } catch { throw .notJSON(file: file.path, error) }
        guard case .object(let object) = value else { throw .notAnObject(file: file.path) }
        return object
    }
}
