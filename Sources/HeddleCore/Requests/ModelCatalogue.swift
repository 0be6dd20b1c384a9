/// What the `model` of a submission may name: base models, and adapters, which are models to a client.
public struct ModelCatalogue: Hashable, Sendable {
    /// A base model that the mesh serves.
    public struct Model: Hashable, Sendable {
        public var name: ModelName
        public var vocabularyCount: Int
        /// Tokens of one choice, prompt and generated: the smaller of the model's positions and what a group can hold.
        public var sequenceTokenCountMax: Int

        public init(name: ModelName, vocabularyCount: Int, sequenceTokenCountMax: Int) {
            self.name = name
            self.vocabularyCount = vocabularyCount
            self.sequenceTokenCountMax = sequenceTokenCountMax
        }
    }

    /// An adapter over one of the models.
    public struct Adapter: Hashable, Sendable {
        public var reference: AdapterRef
        public var model: ModelName

        public init(reference: AdapterRef, model: ModelName) {
            self.reference = reference
            self.model = model
        }
    }

    /// What a name stands for.
    public struct Resolved: Hashable, Sendable {
        public var model: Model
        public var adapter: AdapterRef?
    }

    /// In the cluster file's order.
    public private(set) var models: [Model] = []
    public private(set) var adapters: [Adapter] = []

    public init() {}

    /// Adds a model, or replaces the one of the same name.
    public mutating func set(_ model: Model) {
        if let index = models.firstIndex(where: { $0.name == model.name }) {
            models[index] = model
        } else {
            models.append(model)
        }
    }

    /// Adds an adapter, or replaces the one of the same name over the same model: later requests get the new digest.
    public mutating func set(_ adapter: Adapter) {
        let index = adapters.firstIndex { $0.reference.name == adapter.reference.name && $0.model == adapter.model }
        if let index { adapters[index] = adapter } else { adapters.append(adapter) }
    }

    /// Takes an adapter out; running requests keep what they hold.
    public mutating func removeAdapter(_ name: AdapterName, model: ModelName) {
        adapters.removeAll { $0.reference.name == name && $0.model == model }
    }

    /// What stands here under this name now.
    public func adapter(_ name: AdapterName, over model: ModelName) -> Adapter? {
        adapters.first { $0.reference.name == name && $0.model == model }
    }

    /// Reads `model`, `adapter` or `model:adapter`. A model comes before an adapter of the same name, and among adapters
    /// of the same name the first wins; `model:adapter` tells them apart.
    ///
    /// - Parameter pinned: the adapter that the request began with: where the text names it, it is meant, whatever
    ///   stands here now.
    public func resolve(_ text: String, pinned: Adapter? = nil) throws(RequestError) -> Resolved {
        if let pinned, names(text, pinned), let model = models.first(where: { $0.name == pinned.model }) {
            return Resolved(model: model, adapter: pinned.reference)
        }
        if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let modelText = String(text[..<colon])
            let adapterText = String(text[text.utf8.index(after: colon)...])
            guard let model = models.first(where: { $0.name == ModelName(modelText) }) else {
                throw .unknownModel(text)
            }
            let named = adapters.first { $0.model == model.name && $0.reference.name == AdapterName(adapterText) }
            guard let named else { throw .unknownAdapter(text) }
            return Resolved(model: model, adapter: named.reference)
        }
        if let model = models.first(where: { $0.name == ModelName(text) }) {
            return Resolved(model: model, adapter: nil)
        }
        for adapter in adapters where adapter.reference.name == AdapterName(text) {
            guard let model = models.first(where: { $0.name == adapter.model }) else { continue }
            return Resolved(model: model, adapter: adapter.reference)
        }
        throw .unknownModel(text)
    }

    private func names(_ text: String, _ adapter: Adapter) -> Bool {
        let name = adapter.reference.name
        if ModelName(text) == ModelName("\(adapter.model):\(name)") { return true }
        return AdapterName(text) == name && !models.contains { $0.name == ModelName(text) }
    }
}
