/// Decides whether what a client asks for can be served at all, before anything is kept for it.
public struct Admission: Hashable, Sendable {
    /// What a client asks for, tokenised, and nothing of it believed.
    public struct Draft: Hashable, Sendable {
        public var id: RequestID
        public var model: String
        /// The adapter that the request began with; nil takes what the model's name stands for now.
        public var pinned: ModelCatalogue.Adapter?
        public var promptTokens: [TokenID]
        public var sampling: RequestedSampling
        public var deadline: Duration
        /// What the model says where the client says nothing.
        public var defaults: SamplingDefaults

        public init(
            id: RequestID, model: String, pinned: ModelCatalogue.Adapter? = nil, promptTokens: [TokenID],
            sampling: RequestedSampling, deadline: Duration,
            defaults: SamplingDefaults = SamplingDefaults()
        ) {
            self.id = id
            self.model = model
            self.pinned = pinned
            self.promptTokens = promptTokens
            self.sampling = sampling
            self.deadline = deadline
            self.defaults = defaults
        }
    }

    public let limits: RequestLimits
    public var tenants: TenantTable
    public var catalogue: ModelCatalogue

    public init(limits: RequestLimits, tenants: TenantTable, catalogue: ModelCatalogue) {
        self.limits = limits
        self.tenants = tenants
        self.catalogue = catalogue
    }

    /// Resolves the model and checks that the tenant may use it; what a router needs before it can tokenise.
    public func resolve(
        _ model: String, pinned: ModelCatalogue.Adapter? = nil, tenant: TenantTable.Tenant
    ) throws(RequestError) -> ModelCatalogue.Resolved {
        let resolved = try catalogue.resolve(model, pinned: pinned)
        guard tenant.permission.allows(resolved.model.name, adapter: resolved.adapter?.name) else {
            throw .notPermitted(tenant: tenant.name, model: model)
        }
        return resolved
    }

    /// Checks a prompt's bytes before it is tokenised: neither empty nor too long, and UTF-8.
    public func check(promptText bytes: [UInt8]) throws(RequestError) {
        try check(promptByteCount: bytes.count)
        if let offset = UTF8Check.firstInvalidOffset(bytes) { throw .promptNotUTF8(byteOffset: offset) }
    }

    /// Checks the length of a prompt whose text is known to be UTF-8.
    public func check(promptByteCount byteCount: Int) throws(RequestError) {
        guard byteCount > 0 else { throw .emptyPrompt }
        guard byteCount <= limits.promptByteCountMax else {
            throw .promptTextTooLong(byteCount: byteCount, byteCountMax: limits.promptByteCountMax)
        }
    }

    /// Checks everything. A prompt that does not fit with all the new tokens that it asks for is refused, never cut: a request
    /// that was changed on the way would not be the client's.
    public func admit(_ draft: Draft, tenant: TenantTable.Tenant) throws(RequestError) -> Submission {
        let resolved = try resolve(draft.model, pinned: draft.pinned, tenant: tenant)
        let tokenCountMax = resolved.model.sequenceTokenCountMax
        let parameters = draft.sampling.completed(
            by: draft.defaults, roomTokenCount: tokenCountMax - draft.promptTokens.count)
        if let error = parameters.firstError(limits: limits) { throw error }
        guard draft.deadline > .zero, draft.deadline <= limits.deadlineMax else {
            throw .invalidParameter(
                name: "deadline", value: "\(draft.deadline)", rule: "above 0 and up to \(limits.deadlineMax)")
        }
        guard !draft.promptTokens.isEmpty else { throw .emptyPrompt }
        let (total, overflow) = draft.promptTokens.count.addingReportingOverflow(parameters.tokenCountMax)
        guard !overflow, total <= tokenCountMax else {
            throw .promptTooLong(tokenCount: draft.promptTokens.count, tokenCountMax: tokenCountMax)
        }
        let vocabularyCount = resolved.model.vocabularyCount
        for token in draft.promptTokens where token < 0 || Int(token) >= vocabularyCount {
            throw .promptTokenOutOfRange(token: token, vocabularyCount: vocabularyCount)
        }
        if let error = parameters.firstError(
            promptTokenCount: draft.promptTokens.count, vocabularyCount: vocabularyCount, limits: limits)
        {
            throw error
        }
        return Submission(
            id: draft.id, tenant: tenant.name, model: resolved.model.name, adapter: resolved.adapter,
            promptTokens: draft.promptTokens, parameters: parameters.ending(at: draft.defaults.endTokens),
            deadline: draft.deadline)
    }
}
