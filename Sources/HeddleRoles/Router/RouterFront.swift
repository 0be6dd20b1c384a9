import HeddleActors
import HeddleCore
import HeddleFiles
import HeddleTransport

/// What a part of the node that serves clients in its own way, as the HTTP gateway does, has of the router beside it: who
/// may ask, for what, and clients of its own to ask by. What it asks for is decided by the router, like everybody's.
public struct RouterFront: Sendable {
    /// A base model to be asked for.
    public struct Model: Sendable {
        public let name: ModelName
        /// Its Hugging Face folder.
        public let folder: String
        public let tokenizer: Tokenizer
        public let digest: Digest
        /// Tokens of one choice, prompt and generated.
        public let sequenceTokenCountMax: Int
    }

    /// An adapter over one of the models.
    public struct Adapter: Sendable {
        public let name: AdapterName
        public let model: ModelName
        /// The PEFT folder that the cluster file names.
        public let folder: String
    }

    /// In the cluster file's order.
    public let models: [Model]
    /// All of the cluster file, offered or not.
    public let adapters: [Adapter]
    public let node: NodeName
    public let limits: ClientLimits
    let router: Router
    let tenants: TenantTable
    let place: RouterPlace
    let port: ClientPort
    let encoder: PromptEncoder
    let peers: PeerBook

    /// Whose key this is; nil where none was shown.
    public func tenant(key: String?) throws(RequestError) -> TenantTable.Tenant {
        guard let key, (1...limits.keyByteCountMax).contains(key.utf8.count) else { throw .wrongKey }
        return try tenants.authenticate(name: nil, keyDigest: KeyDigest.of(key))
    }

    /// The base model behind a submission's `model`, by the router's own rule; nil where nothing bears the name.
    public func model(behind text: String) -> Model? {
        if let adapter = place.adapter(named: text) { return models.first { $0.name == adapter.model } }
        return models.first { $0.name.text == text }
    }

    /// The adapters that may be asked for now.
    public func offeredAdapters() async -> [Adapter] {
        let withdrawn = await router.whenLocal { $0.withdrawn } ?? []
        return adapters.filter { !withdrawn.contains($0.name) }
    }

    /// Offers an adapter of the cluster file at this router, with its files as they are now.
    ///
    /// - Throws: `RequestError` where nothing bears the name or the files cannot be used.
    public func offer(_ adapter: AdapterName) async throws {
        do {
            try await router.whenLocal { try await $0.offer(adapter) }
        } catch let error as RemoteCallError {
            throw RequestError.noCapacity(reason: "the adapter-cache does not answer: \(error)")
        }
    }

    /// Offers an adapter no longer at this router; requests that run keep it.
    public func withdraw(_ adapter: AdapterName) async throws {
        try await router.whenLocal { try $0.withdraw(adapter) }
    }

    /// A client in this process. Whoever connects it has it `leave`.
    public func connect() -> LocalClient { port.connect() }

    /// Writes a prompt on the thread where prompts become tokens, when it is the tenant's turn.
    public func tokens(
        for tenant: TenantName, _ encode: @escaping @Sendable () throws -> [TokenID]
    ) async throws -> [TokenID] {
        try await encoder.tokens(for: tenant, encode)
    }
}

extension RouterFront {
    /// One thing that the router needs in order to serve.
    public struct Condition: Sendable {
        public let name: String
        public let isMet: Bool
        public let reason: String
    }

    /// What the router needs, and whether it has it: each model's tenant-queue and one worker group at least.
    public func conditions() -> [Condition] {
        var conditions: [Condition] = []
        for (model, queue) in place.queues.sorted(by: { $0.key < $1.key }) {
            conditions.append(condition("tenant-queue \(model)", of: queue.node))
        }
        for model in models {
            let groups = place.groups(of: model.name)
            let states = groups.map { condition("group \($0.name)", of: $0.worker.node) }
            let isMet = states.contains(where: \.isMet)
            conditions.append(
                Condition(
                    name: "groups of \(model.name)", isMet: isMet,
                    reason: "\(states.count(where: \.isMet)) of \(states.count) connected"))
        }
        return conditions
    }

    private func condition(_ name: String, of node: NodeName) -> Condition {
        if node == self.node { return Condition(name: name, isMet: true, reason: "in this process") }
        let peer = peers.report.first { $0.node == node }
        let state = peer?.state.name ?? "not connected yet"
        return Condition(name: name, isMet: state == PeerBook.connected, reason: state)
    }
}
