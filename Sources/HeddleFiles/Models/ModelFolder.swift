import HeddleCore

/// Owns a model as Hugging Face lays it out on disk: config.json, generation_config.json where there is one, and
/// safetensors in one file or in shards. Opening it checks everything but the values of the weights.
public struct ModelFolder: Sendable {
    /// The folder, as it was given.
    public let path: String
    /// What config.json and generation_config.json say.
    public let configuration: ModelConfiguration
    /// What holds where a request does not say how to draw: what generation_config.json proposes, or else Heddle's defaults.
    public let samplingDefaults: SamplingDefaults
    /// The mapped tensors, by their names in the checkpoint.
    public let weights: SafetensorsSet
    private let files: [(name: String, content: MappedFile)]

    /// Opens the folder: every field that changes the result is understood, and every tensor is there in its shape.
    public init(path: String, limits: ModelLimits = ModelLimits()) throws(ModelFileError) {
        self.path = path
        let folder = path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
        var files: [(name: String, content: MappedFile)] = []

        let config = try Self.map(folder + "config.json", limits: limits)
        files.append(("config.json", config))
        var configuration = try Self.configuration(of: config, limits: limits)

        var defaults = SamplingDefaults()
        let generationPath = folder + "generation_config.json"
        if let generation = try Self.mapWherePresent(generationPath, limits: limits) {
            files.append(("generation_config.json", generation))
            let reader = FieldReader(object: try Self.object(of: generation), file: generationPath)
            do throws(FieldError) {
                if let first = GenerationFields.refusals(of: reader.object, file: generationPath).first { throw first }
                defaults = try GenerationFields.read(reader, limits: limits)
                if reader.present("eos_token_id") != nil {
                    configuration.endTokens = try TokenFields.ends(
                        reader, vocabularyCount: configuration.vocabularyCount, default: [], limits: limits)
                }
            } catch { throw .field(error) }
        }
        defaults.endTokens = configuration.endTokens
        samplingDefaults = defaults

        weights = try Self.weights(of: folder)
        self.configuration = configuration
        files += weights.files.map { (String($0.path.dropFirst(folder.count)), $0) }
        self.files = files.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        if let first = Self.refusals(of: weights, configuration).first { throw first }
    }

    /// Every reason why the folder is refused, as far as they can be told apart: all fields of config.json that may not
    /// be there, or all tensors that are missing, of another shape, or too many; empty where it opens.
    public static func refusals(path: String, limits: ModelLimits = ModelLimits()) -> [ModelFileError] {
        let folder = path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
        do throws(ModelFileError) {
            let config = try map(folder + "config.json", limits: limits)
            let object = try object(of: config)
            let fields = Architecture.refusals(of: object, file: config.path, limits: limits)
            if !fields.isEmpty { return fields.map { .field($0) } }
            let tensors = refusals(
                of: try weights(of: folder), try configuration(of: config, limits: limits))
            if tensors.isEmpty { _ = try ModelFolder(path: path, limits: limits) }
            return tensors
        } catch { return [error] }
    }

    /// The tensor of this role, for a fused projection the matrix that holds it; every one that the configuration needs is there.
    public func tensor(_ tensor: ModelTensor) -> TensorView {
        guard let view = weights.tensor(configuration.name(of: tensor)) else {
            preconditionFailure("\(tensor) is outside the \(configuration.layerCount) layers of \(path)")
        }
        return view
    }

    /// SHA-256 over the names and contents of the files that decide what tokens follow a prompt's tokens: config.json,
    /// generation_config.json where there is one, and every safetensors file, in the order of their names (see
    /// `DigestWriter` for the grammar). The tokenizer is not among them: a request's tokens are fixed before the model
    /// sees them.
    ///
    /// Reads every byte of the weights: about a second for each GB or two.
    ///
    /// - Parameter onBytes: hears of every part that was read, with its byte count.
    public func digest(onBytes: (Int) -> Void = { _ in }) -> Digest {
        var writer = DigestWriter()
        for file in files { writer.add(name: file.name, content: file.content, onBytes: onBytes) }
        return writer.finish()
    }

    /// Bytes of all files that `digest` reads.
    public var digestedByteCount: Int { files.reduce(0) { $0 + $1.content.byteCount } }

    /// The files that `digest` reads, in its order, and which files they were when they were opened.
    var identities: [(name: String, identity: FileIdentity)] { files.map { ($0.name, $0.content.identity) } }

    /// Whether the paths still lead to the files that were opened, and nobody has written into them.
    var isAsOpened: Bool { files.allSatisfy { FileIdentity(path: $0.content.path) == $0.content.identity } }

    private static func refusals(
        of weights: SafetensorsSet, _ configuration: ModelConfiguration
    ) -> [ModelFileError] {
        var refusals: [ModelFileError] = []
        var expected: Set<JSONString> = []
        for tensor in configuration.tensors {
            let name = configuration.name(of: tensor)
            let shape = configuration.shape(of: tensor)
            expected.insert(JSONString(name))
            guard let view = weights.tensor(name) else {
                refusals.append(.tensorMissing(tensor: name, shape: shape))
                continue
            }
            if view.shape != shape {
                refusals.append(.tensorShape(tensor: name, found: view.shape, expected: shape))
            } else if !view.elementType.isReadAsFloat {
                refusals.append(.tensorElementType(tensor: name, found: view.elementType))
            }
        }
        for name in weights.names where !expected.contains(JSONString(name)) {
            guard !configuration.isDerived(tensorName: name), let view = weights.tensor(name) else { continue }
            guard configuration.tiedEmbeddings, name == "lm_head.weight" else {
                refusals.append(.tensorUnexpected(tensor: name, shape: view.shape))
                continue
            }
            // Some programs write the tied matrix twice; another matrix would be another model.
            let embedding = weights.tensor(configuration.name(of: .embedding))
            if embedding.map({ !view.isSame(as: $0) }) ?? false { refusals.append(.outputNotTied(tensor: name)) }
        }
        return refusals
    }

    private static func configuration(
        of file: MappedFile, limits: ModelLimits
    ) throws(ModelFileError) -> ModelConfiguration {
        let object = try object(of: file)
        do { return try Architecture.read(object, file: file.path, limits: limits) } catch { throw .field(error) }
    }

    private static func weights(of folder: String) throws(ModelFileError) -> SafetensorsSet {
        do throws(SafetensorsError) {
            return try SafetensorsSet(file: folder + "model.safetensors")
        } catch {
            guard case .file(.missing) = error else { throw .safetensors(error) }
        }
        let index = folder + "model.safetensors.index.json"
        do throws(SafetensorsError) {
            return try SafetensorsSet(index: index)
        } catch {
            guard case .file(.missing(path: index)) = error else { throw .safetensors(error) }
            throw .noWeights(folder: folder)
        }
    }

    private static func map(_ path: String, limits: ModelLimits) throws(ModelFileError) -> MappedFile {
        do { return try MappedFile(path: path, byteCountMax: limits.configByteCountMax) } catch { throw .file(error) }
    }

    private static func mapWherePresent(_ path: String, limits: ModelLimits) throws(ModelFileError) -> MappedFile? {
        do throws(FileError) {
            return try MappedFile(path: path, byteCountMax: limits.configByteCountMax)
        } catch {
            guard case .missing = error else { throw .file(error) }
            return nil
        }
    }

    private static func object(of file: MappedFile) throws(ModelFileError) -> JSONObject {
        let value: JSONValue
        do throws(JSONError) {
            value = try file.withUnsafeBytes { (bytes) throws(JSONError) in try JSONParser.parse(bytes) }
        } catch { throw .notJSON(file: file.path, error) }
        guard case .object(let object) = value else { throw .notAnObject(file: file.path) }
        return object
    }
}
