import HeddleActors
import HeddleCore
import HeddleFiles

/// What a router knows of the mesh: what may be asked for, and who serves it.
struct RouterPlace: Sendable {
    /// What is served, and how its text is written.
    struct Model: Sendable {
        let tokenizer: Tokenizer
        let digest: Digest
        /// What a request leaves to the model.
        let defaults: SamplingDefaults
    }

    /// An adapter of the cluster file.
    struct Adapter: Sendable {
        let name: AdapterName
        let model: ModelName
    }

    let models: [ModelName: Model]
    /// In the cluster file's order.
    let adapters: [Adapter]
    let queues: [ModelName: ActorIdentity]
    /// Rank 0 of every group.
    let workers: [GroupName: ActorIdentity]
    /// Which model each group serves.
    let served: [GroupName: ModelName]
    /// The cache that describes adapters: this host's, or any.
    let cache: ActorIdentity
    let clientLimits: ClientLimits
    /// Submissions that are checked and tokenised at the same time; more are told to come again.
    let admittingCountMax = 1024
    /// Of them, those of one tenant.
    let tenantAdmittingCountMax = 256
    /// How old an adapter's description may be before its cache is asked again whether its files have changed.
    let descriptionAge: Duration = .seconds(1)
    /// How long a request waits for the cache to describe its adapter.
    let descriptionPatience: Duration = .seconds(30)
    let reportedRequestCountMax = 1024

    /// Rank 0 of each group that serves a model, by the groups' names.
    func groups(of model: ModelName) -> [(name: GroupName, worker: ActorIdentity)] {
        workers.sorted { $0.key < $1.key }.filter { served[$0.key] == model }.map { ($0.key, $0.value) }
    }

    /// The adapter that `model` or `base:adapter` names; nil for a base model and for what nobody knows.
    func adapter(named text: String) -> Adapter? {
        if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let (model, adapter) = (ModelName(String(text[..<colon])), String(text[text.utf8.index(after: colon)...]))
            return adapters.first { $0.model == model && $0.name == AdapterName(adapter) }
        }
        guard models[ModelName(text)] == nil else { return nil }
        return adapters.first { $0.name == AdapterName(text) }
    }
}
