/// Knows the tenants: whose key is whose, what each may use and how much of it.
public struct TenantTable: Hashable, Sendable {
    /// One tenant of the cluster file.
    public struct Tenant: Hashable, Sendable {
        public let share: TenantShare
        /// SHA-256 of the tenant's key; the key itself is kept nowhere.
        public let keyDigest: Digest
        /// Requests that have not ended, on one router.
        public let requestCountMax: Int
        public let permission: Permission

        public var name: TenantName { share.tenant }

        public init(
            share: TenantShare, keyDigest: Digest, requestCountMax: Int = 1024, permission: Permission = .everything
        ) throws(LimitsError) {
            try LimitsError.check("requestCountMax", requestCountMax, in: 1...1_048_576)
            self.share = share
            self.keyDigest = keyDigest
            self.requestCountMax = requestCountMax
            self.permission = permission
        }
    }

    /// Which models and adapters a tenant may name.
    public enum Permission: Hashable, Sendable {
        case everything
        /// A base model in the list allows the model alone, an adapter the adapter alone.
        case only(models: [ModelName], adapters: [AdapterName])

        /// Whether this model, or this adapter over it, may be used.
        public func allows(_ model: ModelName, adapter: AdapterName?) -> Bool {
            switch (self, adapter) {
            case (.everything, _): true
            case (.only(let models, _), nil): models.contains(model)
            case (.only(_, let adapters), let adapter?): adapters.contains(adapter)
            }
        }
    }

    public static let tenantCountMax = 65_536

    /// By name.
    public let tenants: [Tenant]

    /// - Throws: `LimitsError` when there are too many tenants, or two have the same name or the same key.
    public init(_ tenants: [Tenant]) throws(LimitsError) {
        try LimitsError.check("tenants", tenants.count, in: 0...Self.tenantCountMax)
        let sorted = tenants.sorted { $0.name < $1.name }
        for (left, right) in zip(sorted, sorted.dropFirst()) where left.name == right.name {
            throw LimitsError(limit: "tenants", value: left.name, rule: "named once")
        }
        let byKey = tenants.sorted { $0.keyDigest < $1.keyDigest }
        for (left, right) in zip(byKey, byKey.dropFirst()) where left.keyDigest == right.keyDigest {
            throw LimitsError(
                limit: "tenants", value: "\(left.name) and \(right.name)", rule: "given a key of their own each")
        }
        self.tenants = sorted
    }

    /// The tenant of a name, for inspection.
    public func tenant(_ name: TenantName) -> Tenant? { tenants.first { $0.name == name } }

    /// Finds the tenant that the key belongs to.
    ///
    /// Every digest is compared, whole, whatever matches: how long it takes says nothing about any key.
    /// - Parameters:
    ///   - name: The tenant that the client claims to be, if it does.
    ///   - keyDigest: SHA-256 of the key that it showed; nil when it showed none.
    public func authenticate(name: TenantName?, keyDigest: Digest?) throws(RequestError) -> Tenant {
        var matched: Tenant?
        for tenant in tenants where Self.areEqual(tenant.keyDigest, keyDigest) { matched = tenant }
        guard let name else {
            guard let matched else { throw .wrongKey }
            return matched
        }
        guard tenant(name) != nil else { throw .unknownTenant(name) }
        guard let matched, matched.name == name else { throw .wrongKey }
        return matched
    }

    private static func areEqual(_ left: Digest, _ right: Digest?) -> Bool {
        guard let right else { return false }
        var difference: UInt64 = 0
        for (a, b) in zip(left.words, right.words) { difference |= a ^ b }
        return difference == 0
    }
}
