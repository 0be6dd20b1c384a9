import HeddleCore
import Yams

/// Finds what no single key shows: names that nothing bears, roles that nobody has, endpoints that two sockets want.
struct CrossChecks {
    let report: Report
    let document: Document

    func run() {
        checkNames()
        checkReferences()
        checkRoles()
        checkGroups()
        checkEndpoints()
    }

    /// A complaint about a section as a whole; silent where the section is missing, which was said already.
    private func complain(section: String, _ text: String) {
        if let mark = document.sections[section] { report.complain(mark, section, text) }
    }

    // MARK: Names

    private func checkNames() {
        checkDistinct(document.nodes.map(\.value.name), "node")
        checkDistinct(document.groups.map(\.value.name), "group")
        checkDistinct(document.tenants.map(\.value.name), "tenant")
        // Requests name either in one field, so they share their names.
        checkDistinct(
            document.models.map {
                Located(value: $0.value.name.value.text, mark: $0.value.name.mark, key: $0.value.name.key)
            }
                + document.adapters.map {
                    Located(value: $0.value.name.value.text, mark: $0.value.name.mark, key: $0.value.name.key)
                }, "model or adapter")
        var digests: [Digest: Located<TenantName>] = [:]
        for tenant in document.tenants {
            if let first = digests[tenant.value.digest.value] {
                report.complain(tenant.value.digest, "is also the key of tenant “\(first.value)”")
            } else {
                digests[tenant.value.digest.value] = tenant.value.name
            }
        }
    }

    private func checkDistinct<Value: Hashable & CustomStringConvertible>(_ names: [Located<Value>], _ kind: String) {
        var seen: [Value: Mark?] = [:]
        for name in names {
            if let first = seen[name.value] {
                report.complain(
                    name, "a \(kind) “\(name.value)” is in line \(first?.line ?? 1) already")
            } else {
                seen[name.value] = .some(name.mark)
            }
        }
    }

    private func checkReferences() {
        let models = document.models.map(\.value.name.value.text)
        let tenants = document.tenants.map(\.value.name.value.text)
        for adapter in document.adapters {
            check(adapter.value.model, isOneOf: models, "model")
            for tenant in adapter.value.tenants { check(tenant, isOneOf: tenants, "tenant") }
        }
        for group in document.groups { check(group.value.model, isOneOf: models, "model") }
        for model in document.models where !document.groups.contains(where: { $0.value.model == model.value.name }) {
            report.complain(model.value.name, "no group serves model “\(model.value.name.value)”")
        }
    }

    private func check(_ name: Located<some Name>, isOneOf known: [String], _ kind: String) {
        guard !known.contains(name.value.text) else { return }
        report.complain(
            name, "no \(kind) is named “\(name.value)”" + Suggestion.text(for: name.value.text, among: known))
    }

    // MARK: Roles

    private func checkRoles() {
        for (section, isEmpty) in [
            ("models", document.models.isEmpty), ("tenants", document.tenants.isEmpty),
            ("nodes", document.nodes.isEmpty), ("groups", document.groups.isEmpty),
        ] where isEmpty && !report.complaints.contains(where: { $0.key.hasPrefix(section) }) {
            complain(section: section, "is empty")
        }
        for node in document.nodes {
            checkDistinct(
                node.value.roles.map { Located(value: $0.value.rawValue, mark: $0.mark, key: $0.key) }, "role")
        }
        // A misspelt role was said already; who lacks it then is nothing new.
        let areRolesRead = !report.complaints.contains { $0.key.contains(".roles") }
        let routers = nodes(with: .router)
        if routers.isEmpty, areRolesRead {
            complain(section: "nodes", "no node has the role router, so nobody can submit")
        }
        for node in routers where !node.hasClient {
            report.complain(
                node.name.mark, key(node.name, "client"), "is missing: a router needs an endpoint for its clients")
        }
        for node in document.nodes where node.value.client != nil {
            if !node.value.roles.contains(where: { $0.value == .router }), let client = node.value.client {
                report.complain(client, "only a router has an endpoint for clients")
            }
        }
        for node in document.nodes { checkGateway(node.value) }
        let queues = nodes(with: .tenantQueue)
        if queues.isEmpty, areRolesRead {
            complain(section: "nodes", "no node has the role tenant-queue, so nothing orders the requests")
        }
        for second in queues.dropFirst() {
            let role = second.roles.first { $0.value == .tenantQueue }
            report.complain(
                role?.mark, role?.key ?? "", "each model has one tenant-queue, and node “\(queues[0].name.value)” is it"
            )
        }
        checkCaches(areRolesRead: areRolesRead)
        checkWorkers()
    }

    private func checkGateway(_ node: Document.NodeEntry) {
        if let http = node.http, !node.roles.contains(where: { $0.value == .router }) {
            report.complain(http, "only a router has an HTTP gateway")
        }
        for (file, other, name) in [
            (node.certificate, node.certificateKey, "httpKey"),
            (node.certificateKey, node.certificate, "httpCertificate"),
        ] {
            guard let file else { continue }
            if node.http == nil { report.complain(file, "is of no use without http") }
            if other == nil { report.complain(file.mark, key(node.name, name), "is missing: TLS needs both files") }
        }
    }

    private func checkCaches(areRolesRead: Bool) {
        var caches: [String: NodeName] = [:]
        for node in nodes(with: .adapterCache) {
            if let first = caches[node.host] {
                let role = node.roles.first { $0.value == .adapterCache }
                report.complain(
                    role?.mark, role?.key ?? "", "host “\(node.host)” has an adapter-cache already: node “\(first)”")
            } else {
                caches[node.host] = node.name.value
            }
        }
        var missing: [String] = []
        guard areRolesRead else { return }
        for rank in document.groups.flatMap(\.value.ranks) {
            guard let host = document.node(rank.value)?.host, caches[host] == nil, !missing.contains(host) else {
                continue
            }
            missing.append(host)
            report.complain(rank, "host “\(host)” of node “\(rank.value)” has no adapter-cache")
        }
    }

    private func checkWorkers() {
        let ranks = document.groups.flatMap { $0.value.ranks.map(\.value) }
        for node in document.nodes {
            let isRank = ranks.contains(node.value.name.value)
            if let role = node.value.roles.first(where: { $0.value == .gpuWorker }), !isRank {
                report.complain(role, "node “\(node.value.name.value)” is a rank of no group")
            }
            if node.value.roles.isEmpty, !isRank {
                report.complain(
                    node.value.name, "node “\(node.value.name.value)” has no role and is a rank of no group")
            }
        }
    }

    // MARK: Groups

    private func checkGroups() {
        let names = document.nodes.map(\.value.name.value.text)
        var owners: [NodeName: GroupName] = [:]
        for entry in document.groups {
            let group = entry.value
            if !(1...8).contains(group.ranks.count),
                !report.complaints.contains(where: { $0.key == "\(entry.key).ranks" })
            {
                report.complain(
                    group.ranks.first?.mark ?? entry.mark, "\(entry.key).ranks",
                    "a group has 1 to 8 ranks, not \(group.ranks.count)")
            }
            for rank in group.ranks {
                check(rank, isOneOf: names, "node")
                if let owner = owners[rank.value] {
                    report.complain(rank, "node “\(rank.value)” is a rank of group “\(owner)” already")
                } else {
                    owners[rank.value] = group.name.value
                }
            }
            checkCollective(group)
        }
    }

    private func checkCollective(_ group: Document.GroupEntry) {
        let hosts = document.hosts(of: group)
        if let choice = group.collective, choice.value == .sharedMemory, hosts.count > 1 {
            report.complain(
                choice, "the ranks are on the hosts \(hosts.joined(separator: ", ")), which share no memory; use zeromq"
            )
        }
        if let endpoint = group.endpoint, !document.usesZeroMQ(group) {
            report.complain(endpoint, "is of no use: the ranks of group “\(group.name.value)” share memory")
        }
        guard document.usesZeroMQ(group), hosts.count > 1 else { return }
        switch group.endpoint?.value {
        case .tcp: break
        case .ipc:
            if let endpoint = group.endpoint {
                report.complain(endpoint, "ranks on several hosts need tcp://ADDRESS:PORT")
            }
        case nil:
            report.complain(
                group.name.mark, key(group.name, "endpoint"),
                "is missing: ranks on several hosts need tcp://ADDRESS:PORT, bound by rank 0")
        }
    }

    // MARK: Endpoints

    private func checkEndpoints() {
        let hosts = Set(document.nodes.map(\.value.host))
        var owners: [String: String] = [:]
        for entry in document.nodes {
            let node = entry.value
            for (use, endpoint) in node.endpoints {
                if use == "mesh", hosts.count > 1, endpoint.value == .ipc {
                    report.complain(endpoint, "nodes on several hosts need tcp://ADDRESS:PORT")
                }
                if !node.isEncrypted(use) { checkSecure(endpoint) }
                let text = endpoint.value.text(file: node.socket(use))
                let path = text.dropFirst("ipc://".count)
                if endpoint.value == .ipc, path.utf8.count > Endpoint.socketPathByteCountMax {
                    report.complain(
                        endpoint,
                        "its socket \(path) has \(path.utf8.count) bytes; the system takes "
                            + "\(Endpoint.socketPathByteCountMax): choose a shorter runtime directory")
                }
                claim(text, on: node.host, by: endpoint, "\(use) of node “\(node.name.value)”", &owners)
            }
        }
        for group in document.groups where document.usesZeroMQ(group.value) {
            guard let endpoint = group.value.endpoint else { continue }
            checkSecure(endpoint)
            let host = group.value.ranks.first.flatMap { document.node($0.value)?.host } ?? ""
            let text = endpoint.value.text(file: "group \(group.value.name.value)")
            claim(text, on: host, by: endpoint, "the collective of group “\(group.value.name.value)”", &owners)
        }
    }

    private func checkSecure(_ endpoint: Located<Endpoint>) {
        guard case .tcp(let address, _, false) = endpoint.value, !document.isInsecure else { return }
        report.complain(
            endpoint,
            "\(address) is beyond loopback and plain TCP is readable by others; set insecure: true to allow it")
    }

    private func claim(
        _ text: String, on host: String, by endpoint: Located<Endpoint>, _ user: String,
        _ owners: inout [String: String]
    ) {
        let place = "\(host) \(text)"
        if let owner = owners[place] {
            report.complain(endpoint, "\(text) is \(owner) already")
        } else {
            owners[place] = user
        }
    }

    private func nodes(with role: ClusterConfiguration.Role) -> [Document.NodeEntry] {
        document.nodes.map(\.value).filter { node in node.roles.contains { $0.value == role } }
    }

    /// The path of a key beside the one where a name stands.
    private func key(_ name: Located<some Name>, _ key: String) -> String {
        name.key.split(separator: ".").dropLast().joined(separator: ".") + ".\(key)"
    }
}
