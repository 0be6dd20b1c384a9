import HeddleCore
import Yams

/// The sections of a cluster file with the places where everything was written, before and while they are compared.
struct Document {
    var models: [Located<ModelEntry>]
    var adapters: [Located<AdapterEntry>]
    var tenants: [Located<TenantEntry>]
    var nodes: [Located<NodeEntry>]
    var groups: [Located<GroupEntry>]
    /// Where each section begins.
    var sections: [String: Mark]
    var isInsecure: Bool

    struct ModelEntry {
        var model: ClusterConfiguration.Model
        var name: Located<ModelName>
        var path: Located<String>
    }

    struct AdapterEntry {
        var adapter: ClusterConfiguration.Adapter
        var name: Located<AdapterName>
        var model: Located<ModelName>
        var path: Located<String>
        var tenants: [Located<TenantName>]
    }

    struct TenantEntry {
        var tenant: ClusterConfiguration.Tenant
        var name: Located<TenantName>
        var digest: Located<Digest>
    }

    struct NodeEntry {
        var name: Located<NodeName>
        var host: String
        var roles: [Located<ClusterConfiguration.Role>]
        var mesh: Located<Endpoint>
        var client: Located<Endpoint>?
        /// Whether the key is there, also where it holds no endpoint.
        var hasClient: Bool
        var inspect: Located<Endpoint>
        var http: Located<Endpoint>?
        var metrics: Located<Endpoint>?
        var certificate: Located<String>?
        var certificateKey: Located<String>?
        /// The socket file of a use.
        var socket: (String) -> String

        var endpoints: [(use: String, endpoint: Located<Endpoint>)] {
            [("mesh", mesh)] + (client.map { [("client", $0)] } ?? []) + [("inspect", inspect)]
                + (http.map { [("http", $0)] } ?? []) + (metrics.map { [("metrics", $0)] } ?? [])
        }

        /// Whether what goes over an endpoint is encrypted.
        func isEncrypted(_ use: String) -> Bool { use == "http" && certificate != nil }

        var resolvedMetrics: ClusterConfiguration.HTTP? { Self.resolved(metrics, tls: nil) }

        var resolvedHTTP: ClusterConfiguration.HTTP? {
            var tls: ClusterConfiguration.HTTP.TLS?
            if let certificate, let certificateKey {
                tls = ClusterConfiguration.HTTP.TLS(
                    certificateFile: certificate.value, keyFile: certificateKey.value)
            }
            return Self.resolved(http, tls: tls)
        }

        private static func resolved(
            _ endpoint: Located<Endpoint>?, tls: ClusterConfiguration.HTTP.TLS?
        ) -> ClusterConfiguration.HTTP? {
            guard case .tcp(let address, let port, _)? = endpoint?.value else { return nil }
            let isSix = address.hasPrefix("[")
            return ClusterConfiguration.HTTP(
                address: isSix ? String(address.dropFirst().dropLast()) : address, port: port, tls: tls)
        }
    }

    struct GroupEntry {
        var group: ClusterConfiguration.Group
        var name: Located<GroupName>
        var model: Located<ModelName>
        var ranks: [Located<NodeName>]
        var collective: Located<CollectiveChoice>?
        var endpoint: Located<Endpoint>?
    }

    /// What `collective` may say.
    enum CollectiveChoice: String, CaseIterable {
        case auto
        case sharedMemory = "shared-memory"
        case zeroMQ = "zeromq"
    }

    func node(_ name: NodeName) -> NodeEntry? { nodes.first { $0.value.name.value == name }?.value }

    /// The hosts of a group's ranks, each once.
    func hosts(of group: GroupEntry) -> [String] {
        group.ranks.compactMap { node($0.value)?.host }.reduce(into: []) { hosts, host in
            if !hosts.contains(host) { hosts.append(host) }
        }
    }

    /// Whether a group's ranks use ZeroMQ: where told so, or where they do not share a host.
    func usesZeroMQ(_ group: GroupEntry) -> Bool {
        switch group.collective?.value ?? .auto {
        case .auto: hosts(of: group).count > 1
        case .sharedMemory: false
        case .zeroMQ: true
        }
    }

    var resolvedNodes: [ClusterConfiguration.Node] {
        let workers = groups.flatMap { $0.value.ranks.map(\.value) }
        return nodes.map { entry in
            let node = entry.value
            var roles = node.roles.map(\.value)
            if workers.contains(node.name.value) { roles.append(.gpuWorker) }
            return ClusterConfiguration.Node(
                name: node.name.value, host: node.host,
                roles: ClusterConfiguration.Role.allCases.filter(roles.contains),
                mesh: node.mesh.value.text(file: node.socket("mesh")),
                client: node.client?.value.text(file: node.socket("client")),
                inspect: node.inspect.value.text(file: node.socket("inspect")), http: node.resolvedHTTP,
                metrics: node.resolvedMetrics)
        }
    }

    func resolvedGroups(runtimeDirectory: String) -> [ClusterConfiguration.Group] {
        groups.map { entry in
            var group = entry.value.group
            if usesZeroMQ(entry.value) {
                let endpoint = entry.value.endpoint?.value ?? .ipc
                group.collective = .zeroMQ(
                    endpoint: endpoint.text(file: "\(runtimeDirectory)/\(group.name).collective"))
            }
            return group
        }
    }
}
