import HeddleCore

/// What a cluster file says, checked and resolved: paths are absolute, endpoints are what libzmq binds, defaults are
/// filled in.
///
/// Whoever holds one may rely on the cross checks of `ClusterFile`: every name that is referred to exists, a group's
/// ranks are nodes of no other group, there is a router, one tenant-queue, and an adapter-cache on every host with
/// ranks.
public struct ClusterConfiguration: Hashable, Sendable {
    /// The cluster's name: lower-case letters, digits and `-`.
    public var name: String
    /// The file that this was read from; absolute.
    public var path: String
    /// Directory for ipc sockets, logs and state, only for this user; absolute, the same on every host.
    public var runtimeDirectory: String
    public var models: [Model]
    public var adapters: [Adapter]
    public var tenants: [Tenant]
    /// In the order of the file.
    public var nodes: [Node]
    public var groups: [Group]
    public var adapterCache: AdapterCache
    public var weightCache: WeightCache
    public var limits: ClusterLimits
    /// SHA-256 of the key for administration; nil where nobody may administer over HTTP.
    public var adminKeyDigest: Digest?
    /// Whether the file allows plain TCP beyond loopback and plain keys.
    public var isInsecure: Bool
    /// The URL of an OpenTelemetry collector that every node exports its spans to, by OTLP over plain HTTP.
    public var traces: String?

    /// A base model.
    public struct Model: Hashable, Sendable {
        public var name: ModelName
        /// A Hugging Face folder; absolute.
        public var directory: String
        public var weights: Weights
    }

    /// In which number format weights are kept in memory.
    public enum Weights: String, Hashable, Sendable, CaseIterable {
        /// As the checkpoint has them: bf16 stays bf16, everything else becomes f32, so nothing is lost silently.
        case auto
        case bf16
        case f32
        /// 8 bits and a scale for each output and 128 inputs.
        case int8
        /// 4 bits and a scale for each output and 64 inputs; the output projection is int8.
        case int4
    }

    /// A LoRA adapter of a base model.
    public struct Adapter: Hashable, Sendable {
        public var name: AdapterName
        public var model: ModelName
        /// A PEFT folder; absolute.
        public var directory: String
        /// Who may use it; nil is every tenant.
        public var tenants: [TenantName]?

        /// Whether a tenant may use this adapter.
        public func isAllowed(_ tenant: TenantName) -> Bool { tenants?.contains(tenant) ?? true }
    }

    /// Who may submit, and how much.
    public struct Tenant: Hashable, Sendable {
        public var name: TenantName
        /// SHA-256 of the tenant's key; the key itself is not kept.
        public var keyDigest: Digest
        /// Where the file says that the key is kept; absolute.
        public var keyFile: String?
        /// Share of the group's tokens, relative to the other tenants'.
        public var weight: Int
        /// The most requests that the tenant may have accepted and not finished.
        public var requestCountMax: Int
        /// The most requests that may wait in the tenant's lane.
        public var laneDepthMax: Int
    }

    /// What a node hosts.
    public enum Role: String, Hashable, Sendable, CaseIterable, Comparable {
        case router
        case tenantQueue = "tenant-queue"
        case adapterCache = "adapter-cache"
        case gpuWorker = "gpu-worker"

        public static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }
    }

    /// One process.
    public struct Node: Hashable, Sendable {
        public var name: NodeName
        /// Nodes with the same host share memory and one adapter-cache.
        public var host: String
        /// In the order of `Role.allCases`; a rank of a group has `gpuWorker`.
        public var roles: [Role]
        /// Where other nodes connect.
        public var mesh: String
        /// Where clients connect; routers only.
        public var client: String?
        /// Where inspection connects.
        public var inspect: String
        /// Where the HTTP gateway listens; routers only.
        public var http: HTTP?
        /// Where the node tells its numbers to a monitoring system, by plain HTTP.
        public var metrics: HTTP?
    }

    /// Where something listens that speaks HTTP.
    public struct HTTP: Hashable, Sendable {
        /// A numeric address, an IPv6 one without brackets.
        public var address: String
        public var port: Int
        /// Nil speaks plain HTTP.
        public var tls: TLS?

        /// Files in PEM form; absolute paths.
        public struct TLS: Hashable, Sendable {
            /// The certificate and those between it and a root.
            public var certificateFile: String
            public var keyFile: String
        }

        /// What a client's base URL begins with.
        public var origin: String {
            "\(tls == nil ? "http" : "https")://\(address.contains(":") ? "[\(address)]" : address):\(port)"
        }
    }

    /// A tensor-parallel group: one replica of a base model.
    public struct Group: Hashable, Sendable {
        public var name: GroupName
        public var model: ModelName
        /// The node of each rank, 1 to 8; rank 0 plans.
        public var ranks: [NodeName]
        public var device: Device
        /// Threads of each rank.
        public var threadCount: Int
        public var collective: Collective
        public var kvCapacity: KVCapacity
        /// The most sequences that run at once.
        public var sequenceCountMax: Int
        /// The most tokens of one step, prefill and decode together.
        public var stepTokenCountMax: Int
        /// The most adapters that each rank has mapped at once.
        public var adapterSlotCount: Int
    }

    /// Where a rank computes.
    public enum Device: String, Hashable, Sendable, CaseIterable {
        case cpu
    }

    /// How the ranks of a group add up.
    public enum Collective: Hashable, Sendable {
        /// All ranks are on one host.
        case sharedMemory
        /// Rank 0 binds the endpoint, the others connect.
        case zeroMQ(endpoint: String)
    }

    /// How much KV storage each rank sets aside.
    public enum KVCapacity: Hashable, Sendable {
        /// Token positions, a multiple of `kvBlockTokens`.
        case tokens(Int)
        /// Bytes of a rank's shard.
        case bytes(Int)
        /// Bytes that a rank's shard and its mapped adapters share.
        case bytesWithAdapters(Int)
    }

    /// What each host keeps of adapters.
    public struct AdapterCache: Hashable, Sendable {
        /// Packed adapters on disk and in memory together.
        public var byteCountMax: Int
        /// Where packed adapters are kept; absolute.
        public var directory: String
    }

    /// What each host keeps of packed base weights, for later starts and for all its processes.
    public struct WeightCache: Hashable, Sendable {
        /// Packed weights on disk together; beyond it those used longest ago go.
        public var byteCountMax = 64 << 30
        /// Where they are kept; absolute.
        public var directory: String

        /// - Parameter directory: absolute.
        public init(directory: String) { self.directory = directory }

        /// Where this user's programs keep what they can make again: `$XDG_CACHE_HOME/heddle`, or `~/.cache/heddle`; nil where
        /// the environment names no home.
        public static func directory(environment: [String: String]) -> String? {
            if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return "\(cache)/heddle" }
            if let home = environment["HOME"], home.hasPrefix("/") {
                return home == "/" ? nil : "\(home)/.cache/heddle"
            }
            return nil
        }
    }
}

/// The maxima that the cluster file sets for the whole mesh.
public struct ClusterLimits: Hashable, Sendable {
    /// What one request may ask for.
    public var request = RequestLimits()
    /// The most requests that one router has accepted and not finished.
    public var requestCountMax = 4096
    /// How long a node may take from its start until it serves; reading a large model takes minutes.
    public var startMax: Duration = .seconds(120)
    /// How long a gateway that is told to end waits for the answers that are under way.
    public var drainMax: Duration = .seconds(5)

    public init() {}
}

extension ClusterConfiguration {
    /// The model of a name.
    public func model(_ name: ModelName) -> Model? { models.first { $0.name == name } }
    /// The adapter of a name.
    public func adapter(_ name: AdapterName) -> Adapter? { adapters.first { $0.name == name } }
    /// The tenant of a name.
    public func tenant(_ name: TenantName) -> Tenant? { tenants.first { $0.name == name } }
    /// The node of a name.
    public func node(_ name: NodeName) -> Node? { nodes.first { $0.name == name } }
    /// The group of a name.
    public func group(_ name: GroupName) -> Group? { groups.first { $0.name == name } }
    /// The nodes that host a role, in the order of the file.
    public func nodes(with role: Role) -> [Node] { nodes.filter { $0.roles.contains(role) } }
    /// Where clients connect, in the order of the file.
    public var clientEndpoints: [String] { nodes.compactMap(\.client) }
    /// Where HTTP gateways listen, in the order of the file.
    public var gateways: [HTTP] { nodes.compactMap(\.http) }
    /// The adapter-cache of a host.
    public func adapterCacheNode(host: String) -> Node? {
        nodes.first { $0.host == host && $0.roles.contains(.adapterCache) }
    }

    /// The group that a node is a rank of, and which rank.
    public func place(of node: NodeName) -> (group: Group, rank: Int)? {
        for group in groups {
            if let rank = group.ranks.firstIndex(of: node) { return (group, rank) }
        }
        return nil
    }
}
