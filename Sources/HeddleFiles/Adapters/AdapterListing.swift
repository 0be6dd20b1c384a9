import HeddleCore

/// What an adapter's folder holds, for people who look at it: settings, modules, and everything for which it would be refused
/// rather than the first. Opening it fails only where there is nothing to be listed.
public struct AdapterListing: Sendable {
    /// One module that the adapter changes.
    public struct Module: Hashable, Sendable {
        /// The full name in the base model, as the file spells it.
        public let name: String
        /// Rows of A.
        public let rank: Int
        /// What the configuration says for this module; nil where it cannot be read.
        public let alpha: Double?
        /// What the product B·A is multiplied by; nil where the configuration cannot be read.
        public let scale: Float?
        /// The shape of A.
        public let shapeA: [Int]
        /// The shape of B.
        public let shapeB: [Int]
        /// What an element of A is.
        public let elementType: ElementType
        /// Bytes of A and B in the file.
        public let byteCount: Int
    }

    /// The folder, as it was given.
    public let path: String
    /// Fields of adapter_config.json that decide what is computed, as they stand there, in the order of their names.
    public let settings: [(field: String, value: String)]
    /// The base model's name where it was trained.
    public let baseName: String?
    /// In the order of the names in the file; with a base model those that it has, in its order.
    public let modules: [Module]
    /// As `AdapterFolder.digest`.
    public let digest: Digest
    /// Bytes of all tensors in the file.
    public let byteCount: Int
    /// One sentence for everything that is not supported, or does not fit the base model; empty where it can be served.
    public let refusals: [String]

    /// - Parameter model: the base model to compare with; nil lists what the files say by themselves.
    public init(
        path: String, model: ModelFolder? = nil, limits: AdapterLimits = AdapterLimits()
    ) throws(AdapterFileError) {
        let files = try AdapterFiles(path: path, limits: limits)
        let object = try files.object()
        var refusals = AdapterFields.table.refusals(of: object, file: files.config.path).map(\.description)
        func refuse(_ error: AdapterFileError) {
            if !refusals.contains(error.description) { refusals.append(error.description) }
        }
        var configuration: AdapterConfiguration?
        do { configuration = try AdapterConfiguration(object, file: files.config.path, limits: limits) } catch {
            refuse(error)
        }
        var modules = Self.modules(of: files.weights, configuration, limits: limits)
        if let model {
            do {
                let folder = try AdapterFolder(files, base: model.configuration, model: model, limits: limits)
                modules = Self.modules(of: folder)
            } catch { refuse(error) }
        } else {
            for name in files.weights.names {
                guard let view = files.weights.tensor(name) else { continue }
                do throws(AdapterFileError) {
                    guard view.elementType.isReadAsFloat else {
                        throw .tensorElementType(tensor: name, found: view.elementType)
                    }
                    if view.shape.count == 2 { try AdapterFolder.checkFinite(view) }
                } catch { refuse(error) }
            }
        }
        self.path = path
        self.modules = modules
        self.refusals = refusals
        settings = Self.settings(of: object)
        baseName = object["base_model_name_or_path"]?.text
        digest = files.digest()
        byteCount = files.weights.byteCount
    }

    /// What a test or a program may ask of the table of fields: each name with what it may say.
    public static var fieldRules: [(field: String, rule: String)] {
        AdapterFields.table.rules.map { field, rule in
            switch rule {
            case .read: (field, "read")
            case .harmless: (field, "any value: changes nothing")
            case .only(let values): (field, "only " + values.map(\.description).joined(separator: ", "))
            }
        }.sorted { $0.field < $1.field }
    }

    private static func modules(of folder: AdapterFolder) -> [Module] {
        var modules: [Module] = []
        for module in folder.modules where modules.last?.name != module.name {
            modules.append(
                Module(
                    name: module.name, rank: module.rank, alpha: module.alpha, scale: module.scale,
                    shapeA: module.a.shape, shapeB: module.b.shape, elementType: module.a.elementType,
                    byteCount: module.a.byteCount + module.b.byteCount))
        }
        return modules
    }

    private static func modules(
        of weights: SafetensorsSet, _ configuration: AdapterConfiguration?, limits: AdapterLimits
    ) -> [Module] {
        var budget = ModulePatternBudget(limits: limits.patterns)
        var modules: [Module] = []
        for name in weights.names where name.hasPrefix(AdapterTensorName.prefix) {
            for (endA, endB) in [(".lora_A.weight", ".lora_B.weight"), (".lora_embedding_A", ".lora_embedding_B")] {
                guard name.hasSuffix(endA), let a = weights.tensor(name), a.shape.count == 2 else { continue }
                let text = String(name.dropFirst(AdapterTensorName.prefix.count).dropLast(endA.count))
                guard let b = weights.tensor(AdapterTensorName.prefix + text + endB) else { continue }
                let change: AdapterConfiguration.Change? =
                    if let name = ModuleName(found: text) { try? configuration?.change(of: name, &budget) } else { nil }
                modules.append(
                    Module(
                        name: text, rank: a.shape[0], alpha: change?.alpha, scale: change?.scale, shapeA: a.shape,
                        shapeB: b.shape, elementType: a.elementType, byteCount: a.byteCount + b.byteCount))
            }
        }
        return modules
    }

    private static func settings(of object: JSONObject) -> [(field: String, value: String)] {
        object.members.compactMap { member -> (field: String, value: String)? in
            let field = member.key.description
            guard case .read? = AdapterFields.table.rules[field], field != "base_model_name_or_path" else { return nil }
            return (field, member.value.description)
        }.sorted { $0.field.utf8.lexicographicallyPrecedes($1.field.utf8) }
    }
}

extension FieldTable {
    /// Why each field that may not be there is refused.
    fileprivate func refusals(of object: JSONObject, file: String) -> [FieldError] {
        object.members.compactMap { member in
            do throws(FieldError) {
                try check(JSONObject(members: [member]), file: file)
                return nil
            } catch { return error }
        }
    }
}
