import HeddleCore

/// A family of models, by the name that checkpoints give it.
///
/// A family is a page: a table of the fields that may stand in its config.json, `transformers`' defaults, and what its
/// `DecoderBlock` is. The forward pass knows no family.
public enum Architecture: String, Hashable, Sendable, CaseIterable {
    case llama = "LlamaForCausalLM"
    case mistral = "MistralForCausalLM"
    case qwen2 = "Qwen2ForCausalLM"
    case qwen3 = "Qwen3ForCausalLM"
    case gemma2 = "Gemma2ForCausalLM"
    case gemma3 = "Gemma3ForCausalLM"
    case phi3 = "Phi3ForCausalLM"
    case granite = "GraniteForCausalLM"

    /// What config.json says under `model_type`.
    public var modelType: String {
        switch self {
        case .llama: "llama"
        case .mistral: "mistral"
        case .qwen2: "qwen2"
        case .qwen3: "qwen3"
        case .gemma2: "gemma2"
        case .gemma3: "gemma3_text"
        case .phi3: "phi3"
        case .granite: "granite"
        }
    }

    /// Reads a whole config.json: the family that it names, with that family's table and defaults.
    package static func read(
        _ object: JSONObject, file: String, limits: ModelLimits = ModelLimits()
    ) throws(FieldError) -> ModelConfiguration {
        let architecture = try named(by: object, file: file)
        try architecture.table.check(object, file: file)
        let fields = DecoderFields(reader: FieldReader(object: object, file: file), limits: limits)
        switch architecture {
        case .llama: return try LlamaFields.read(fields)
        case .mistral: return try MistralFields.read(fields)
        case .qwen2, .qwen3: return try QwenFields.read(fields, architecture)
        case .gemma2, .gemma3: return try GemmaFields.read(fields, architecture)
        case .phi3: return try PhiFields.read(fields)
        case .granite: return try GraniteFields.read(fields)
        }
    }

    /// Every reason why a config.json is refused, as far as they can be told apart: all fields that may not be there, or
    /// the first one that cannot be read.
    static func refusals(of object: JSONObject, file: String, limits: ModelLimits) -> [FieldError] {
        do throws(FieldError) {
            let refusals = try named(by: object, file: file).table.refusals(of: object, file: file)
            if refusals.isEmpty { _ = try read(object, file: file, limits: limits) }
            return refusals
        } catch { return [error] }
    }

    private static func named(by object: JSONObject, file: String) throws(FieldError) -> Architecture {
        // A file that names no class is of the family that its model_type says.
        guard let names = object["architectures"], names != .null else {
            let type = object["model_type"]?.text
            guard let architecture = allCases.first(where: { $0.modelType == type }) else {
                throw .missing(file: file, field: "architectures")
            }
            return architecture
        }
        guard let list = names.array, list.count == 1, let name = list[0].text, let known = Architecture(rawValue: name)
        else {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            throw .unsupported(
                file: file, field: "architectures", value: names.description, supported: "known are: \(known)")
        }
        return known
    }

    private var table: FieldTable {
        switch self {
        case .llama: LlamaFields.table
        case .mistral: MistralFields.table
        case .qwen2: QwenFields.table2
        case .qwen3: QwenFields.table3
        case .gemma2: GemmaFields.table2
        case .gemma3: GemmaFields.table3
        case .phi3: PhiFields.table
        case .granite: GraniteFields.table
        }
    }
}

extension FieldTable {
    /// The table of a family: what `DecoderFields` reads, what is harmless everywhere, and its own fields.
    init(
        _ modelType: String, read: [String] = [], harmless: [String] = [], only: [String: [JSONValue]] = [:]
    ) {
        self.init(
            read: CommonFields.sizes + read, harmless: CommonFields.harmless + harmless,
            only: CommonFields.only.merging(only) { $1 }.merging(["model_type": [.text(modelType)]]) { $1 })
    }
}
