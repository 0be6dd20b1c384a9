/// A request that passed admission: everything that decides its tokens (law 1), and how long it may take.
public struct Submission: Hashable, Sendable {
    public var id: RequestID
    public var tenant: TenantName
    public var model: ModelName
    public var adapter: AdapterRef?
    public var promptTokens: [TokenID]
    public var parameters: SamplingParameters
    /// From acceptance to the one terminal event.
    public var deadline: Duration

    public init(
        id: RequestID, tenant: TenantName, model: ModelName, adapter: AdapterRef?, promptTokens: [TokenID],
        parameters: SamplingParameters, deadline: Duration
    ) {
        self.id = id
        self.tenant = tenant
        self.model = model
        self.adapter = adapter
        self.promptTokens = promptTokens
        self.parameters = parameters
        self.deadline = deadline
    }

    /// Whether a second submission under the same id asks for the same tokens.
    ///
    /// The deadline is left out, because a client that reconnects has less time left; the adapter is compared by name,
    /// because a request keeps the digest that it pinned first.
    public func asksTheSame(as other: Submission) -> Bool {
        id == other.id && tenant == other.tenant && model == other.model && adapter?.name == other.adapter?.name
            && parameters == other.parameters && promptTokens == other.promptTokens
    }
}
