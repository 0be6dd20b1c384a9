/// One open request: where it is and what it waits for. Counts only; its prompt and its tokens stay with its router.
public struct OpenRequestReport: Hashable, Sendable {
    public var id: RequestID
    public var tenant: TenantName
    /// The adapter or base model that the client asked for.
    public var model: String
    /// `queued`, `loading adapter`, `prefilling`, `decoding`, with the reason of its wait.
    public var state: StateReport
    /// Since the router accepted it.
    public var age: Duration
    public var promptTokenCount: Int
    /// Over all choices.
    public var generatedTokenCount: Int
    public var attempt: Attempt
    /// The group that runs it; nil while none does.
    public var group: GroupName?
    /// The node of the router that owns it.
    public var router: NodeName

    public init(
        id: RequestID, tenant: TenantName, model: String, state: StateReport, age: Duration, promptTokenCount: Int,
        generatedTokenCount: Int = 0, attempt: Attempt, group: GroupName? = nil, router: NodeName
    ) {
        self.id = id
        self.tenant = tenant
        self.model = model
        self.state = state
        self.age = age
        self.promptTokenCount = promptTokenCount
        self.generatedTokenCount = generatedTokenCount
        self.attempt = attempt
        self.group = group
        self.router = router
    }
}
