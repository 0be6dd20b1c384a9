import Foundation
import HeddleCore
import Yams

/// Turns the document's sections into located values, has them compared, and resolves them.
struct DocumentReader {
    let report: Report
    let paths: FilePaths

    static let keys = [
        "cluster", "runtime", "models", "adapters", "tenants", "nodes", "groups", "adapterCache", "weightCache",
        "limits", "admin", "insecure", "traces",
    ]

    /// Nil, with complaints, where the parts are too broken to make a configuration.
    func read(_ root: Node, checkingFiles: Bool) -> ClusterConfiguration? {
        guard let top = MappingReader(root, path: "", keys: Self.keys, report: report) else { return nil }
        let isInsecure = top.flag("insecure") ?? false
        let name = clusterName(top)
        let runtime = top.text("runtime").map { paths.absolute($0.value) }
        let runtimeDirectory = runtime ?? paths.runtimeDirectory(cluster: name?.value ?? "unnamed")
        for section in ["models", "tenants", "nodes", "groups"] { _ = top.needed(section) }

        let document = Document(
            models: top.list("models", countMax: 64).compactMap(model),
            adapters: top.list("adapters").compactMap(adapter),
            tenants: top.list("tenants").compactMap { tenant($0, isInsecure: isInsecure) },
            nodes: top.list("nodes", countMax: 256).compactMap { node($0, runtimeDirectory: runtimeDirectory) },
            groups: top.list("groups", countMax: 64).compactMap { group($0) },
            sections: Dictionary(
                uniqueKeysWithValues: Self.keys.compactMap { key in top.node(key)?.mark.map { (key, $0) } }),
            isInsecure: isInsecure)
        let cache = adapterCache(top, runtimeDirectory: runtimeDirectory)
        let weights = weightCache(top, runtimeDirectory: runtimeDirectory)
        let limits = limits(top)
        let adminKeyDigest = admin(top, isInsecure: isInsecure)
        CrossChecks(report: report, document: document).run()
        if checkingFiles { FileChecks(report: report, document: document).run() }
        guard let name else { return nil }
        return ClusterConfiguration(
            name: name.value, path: paths.clusterFile, runtimeDirectory: runtimeDirectory,
            models: document.models.map(\.value.model), adapters: document.adapters.map(\.value.adapter),
            tenants: document.tenants.map(\.value.tenant), nodes: document.resolvedNodes,
            groups: document.resolvedGroups(runtimeDirectory: runtimeDirectory), adapterCache: cache,
            weightCache: weights, limits: limits, adminKeyDigest: adminKeyDigest?.value, isInsecure: isInsecure,
            traces: traces(top, isInsecure: isInsecure))
    }

    /// Spans name tenants and adapters, so they leave the machine in the clear only where that is allowed.
    private func traces(_ top: MappingReader, isInsecure: Bool) -> String? {
        guard let text = top.text("traces") else { return nil }
        guard let url = URL(string: text.value), let host = url.host, !host.isEmpty,
            url.scheme == "http" || url.scheme == "https"
        else {
            report.complain(text, "“\(text.value)” must be a URL such as http://127.0.0.1:4318/v1/traces")
            return nil
        }
        if url.scheme == "http", !isInsecure, !["127.0.0.1", "::1", "localhost"].contains(host) {
            report.complain(
                text, "\(host) is beyond loopback and plain HTTP is readable by others; set insecure: true to allow it")
        }
        return text.value
    }

    private func clusterName(_ top: MappingReader) -> Located<String>? {
        guard let name = top.text("cluster", isNeeded: true) else { return nil }
        let isWord = name.value.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
        guard isWord, name.value.utf8.count <= 64 else {
            report.complain(
                name, "“\(name.value)” must be 1 to 64 lower-case letters, digits and “-”")
            return nil
        }
        return name
    }

    // MARK: Models, adapters, tenants

    private func model(_ item: (path: String, node: Node)) -> Located<Document.ModelEntry>? {
        guard
            let reader = MappingReader(
                item.node, path: item.path, keys: ["name", "path", "weights"], report: report)
        else { return nil }
        let weights = reader.choice("weights", ClusterConfiguration.Weights.self)?.value ?? .auto
        let path = reader.text("path", isNeeded: true)
        guard let name = reader.name("name", ModelName.self), let path else { return nil }
        let model = ClusterConfiguration.Model(
            name: name.value, directory: paths.absolute(path.value), weights: weights)
        return reader.located(Document.ModelEntry(model: model, name: name, path: path))
    }

    private func adapter(_ item: (path: String, node: Node)) -> Located<Document.AdapterEntry>? {
        guard
            let reader = MappingReader(
                item.node, path: item.path, keys: ["name", "model", "path", "tenants"], report: report)
        else { return nil }
        let name = reader.name("name", AdapterName.self)
        let model = reader.name("model", ModelName.self)
        let path = reader.text("path", isNeeded: true)
        let tenants = reader.names("tenants", TenantName.self)
        guard let name, let model, let path else { return nil }
        let adapter = ClusterConfiguration.Adapter(
            name: name.value, model: model.value, directory: paths.absolute(path.value),
            tenants: tenants?.map(\.value))
        return reader.located(
            Document.AdapterEntry(adapter: adapter, name: name, model: model, path: path, tenants: tenants ?? []))
    }

    private func tenant(_ item: (path: String, node: Node), isInsecure: Bool) -> Located<Document.TenantEntry>? {
        guard
            let reader = MappingReader(
                item.node, path: item.path, keys: ["name", "key", "keyFile", "weight", "requests", "lane"],
                report: report)
        else { return nil }
        let weight = reader.integer("weight", in: 1...1000) ?? 1
        let requests = reader.integer("requests", in: 1...1_000_000) ?? 256
        let lane = reader.integer("lane", in: 1...1_000_000) ?? 512
        let name = reader.name("name", TenantName.self)
        let digest = KeyReader(report: report, paths: paths, isInsecure: isInsecure).digest(reader)
        guard let name, let digest else { return nil }
        let tenant = ClusterConfiguration.Tenant(
            name: name.value, keyDigest: digest.value,
            keyFile: reader.text("keyFile").map { paths.absolute($0.value) }, weight: weight, requestCountMax: requests,
            laneDepthMax: lane)
        return reader.located(Document.TenantEntry(tenant: tenant, name: name, digest: digest))
    }

    // MARK: Nodes and groups

    private func node(
        _ item: (path: String, node: Node), runtimeDirectory: String
    ) -> Located<Document.NodeEntry>? {
        guard
            let reader = MappingReader(
                item.node, path: item.path,
                keys: [
                    "name", "host", "roles", "mesh", "client", "inspect", "http", "httpCertificate", "httpKey",
                    "metrics",
                ], report: report)
        else { return nil }
        let name = reader.name("name", NodeName.self)
        let host = reader.name("host", HostName.self, isNeeded: false)
        let roles = reader.choices("roles", ClusterConfiguration.Role.self)
        let endpoints = ["mesh", "client", "inspect"].map { reader.endpoint($0) }
        let http = reader.address("http")
        let metrics = reader.address("metrics")
        let files = ["httpCertificate", "httpKey"].map { name in
            reader.text(name).map { Located(value: paths.absolute($0.value), mark: $0.mark, key: $0.key) }
        }
        guard let name else { return nil }
        func socket(_ use: String) -> String { "\(runtimeDirectory)/\(name.value).\(use)" }
        func resolved(_ use: String, _ endpoint: Located<Endpoint>?) -> Located<Endpoint> {
            endpoint ?? Located(value: .ipc, mark: reader.mark, key: reader.key(use))
        }
        return reader.located(
            Document.NodeEntry(
                name: name, host: host?.value.text ?? "localhost", roles: roles,
                mesh: resolved("mesh", endpoints[0]), client: endpoints[1], hasClient: reader.has("client"),
                inspect: resolved("inspect", endpoints[2]), http: http, metrics: metrics, certificate: files[0],
                certificateKey: files[1], socket: socket))
    }

    private func group(_ item: (path: String, node: Node)) -> Located<Document.GroupEntry>? {
        let keys = [
            "name", "model", "ranks", "device", "threads", "collective", "endpoint", "kvTokens", "kvBytes", "memory",
            "sequences", "stepTokens", "adapterSlots",
        ]
        guard let reader = MappingReader(item.node, path: item.path, keys: keys, report: report) else { return nil }
        let name = reader.name("name", GroupName.self)
        let model = reader.name("model", ModelName.self)
        _ = reader.needed("ranks")
        let ranks = reader.names("ranks", NodeName.self) ?? []
        let device = reader.choice("device", ClusterConfiguration.Device.self)?.value ?? .cpu
        let threads = reader.integer("threads", in: 1...256) ?? 1
        let collective = reader.choice("collective", Document.CollectiveChoice.self)
        let endpoint = reader.endpoint("endpoint")
        let tokens = reader.integer("kvTokens", in: kvBlockTokens...(1 << 30))
        let bytes = reader.bytes("kvBytes", in: (1 << 20)...(1 << 44))
        if reader.has("kvTokens"), reader.has("kvBytes") {
            reader.complain("kvBytes", "stands beside kvTokens; give one of them")
        }
        let memory = reader.bytes("memory", in: (1 << 20)...(1 << 44))
        if reader.has("memory"), let other = ["kvTokens", "kvBytes"].first(where: { reader.has($0) }) {
            reader.complain("memory", "stands beside \(other); give one of them")
        }
        let sequences = reader.integer("sequences", in: 1...4096) ?? 32
        let stepTokens = reader.integer("stepTokens", in: 1...65_536) ?? 256
        let adapterSlots = reader.integer("adapterSlots", in: 1...65_536) ?? 32
        guard let name, let model else { return nil }
        // Whole blocks: a part of one could never be used.
        let capacity: ClusterConfiguration.KVCapacity =
            memory.map { .bytesWithAdapters($0) } ?? bytes.map { .bytes($0) }
            ?? .tokens((tokens ?? 65_536) / kvBlockTokens * kvBlockTokens)
        let group = ClusterConfiguration.Group(
            name: name.value, model: model.value, ranks: ranks.map(\.value), device: device, threadCount: threads,
            collective: .sharedMemory, kvCapacity: capacity, sequenceCountMax: sequences, stepTokenCountMax: stepTokens,
            adapterSlotCount: adapterSlots)
        return reader.located(
            Document.GroupEntry(
                group: group, name: name, model: model, ranks: ranks, collective: collective, endpoint: endpoint))
    }

    // MARK: Cache and limits

    private func adapterCache(_ top: MappingReader, runtimeDirectory: String) -> ClusterConfiguration.AdapterCache {
        var cache = ClusterConfiguration.AdapterCache(
            byteCountMax: 256 << 20, directory: "\(runtimeDirectory)/adapters")
        guard let node = top.node("adapterCache"),
            let reader = MappingReader(node, path: "adapterCache", keys: ["bytes", "directory"], report: report)
        else { return cache }
        if let bytes = reader.bytes("bytes", in: (1 << 20)...(1 << 44)) { cache.byteCountMax = bytes }
        if let directory = reader.text("directory") { cache.directory = paths.absolute(directory.value) }
        return cache
    }

    /// The key of those who may administer.
    private func admin(_ top: MappingReader, isInsecure: Bool) -> Located<Digest>? {
        guard let node = top.node("admin"),
            let reader = MappingReader(node, path: "admin", keys: ["key", "keyFile"], report: report)
        else { return nil }
        return KeyReader(report: report, paths: paths, isInsecure: isInsecure).digest(reader)
    }

    private func weightCache(_ top: MappingReader, runtimeDirectory: String) -> ClusterConfiguration.WeightCache {
        var cache = ClusterConfiguration.WeightCache(
            directory: paths.weightDirectory ?? "\(runtimeDirectory)/weights")
        guard let node = top.node("weightCache"),
            let reader = MappingReader(node, path: "weightCache", keys: ["bytes", "directory"], report: report)
        else { return cache }
        if let bytes = reader.bytes("bytes", in: (1 << 20)...(1 << 50)) { cache.byteCountMax = bytes }
        if let directory = reader.text("directory") { cache.directory = paths.absolute(directory.value) }
        return cache
    }

    private func limits(_ top: MappingReader) -> ClusterLimits {
        var limits = ClusterLimits()
        let keys = [
            "requests", "promptBytes", "deadline", "choices", "stopStrings", "stopStringBytes", "logprobs", "start",
            "drain",
        ]
        guard let node = top.node("limits"),
            let reader = MappingReader(node, path: "limits", keys: keys, report: report)
        else { return limits }
        if let value = reader.integer("requests", in: 1...1_000_000) { limits.requestCountMax = value }
        // Lower than what the client socket allows, never higher: its frames and its clients know only that.
        let most = RequestLimits()
        if let value = reader.bytes("promptBytes", in: 1...most.promptByteCountMax) {
            limits.request.promptByteCountMax = value
        }
        if let value = reader.duration("deadline", in: .seconds(1)...most.deadlineMax) {
            limits.request.deadlineMax = value
        }
        if let value = reader.integer("choices", in: 1...most.choiceCountMax) { limits.request.choiceCountMax = value }
        if let value = reader.integer("stopStrings", in: 0...most.stopStringCountMax) {
            limits.request.stopStringCountMax = value
        }
        if let value = reader.integer("stopStringBytes", in: 1...most.stopStringByteCountMax) {
            limits.request.stopStringByteCountMax = value
        }
        if let value = reader.integer("logprobs", in: 0...most.logprobCountMax) {
            limits.request.logprobCountMax = value
        }
        if let value = reader.duration("start", in: .seconds(1)...(.seconds(86_400))) { limits.startMax = value }
        if let value = reader.duration("drain", in: .zero...(.seconds(3600))) { limits.drainMax = value }
        return limits
    }
}

/// The logical host of a node.
struct HostName: Name {
    let text: String
    init(_ text: String) { self.text = text }
}

extension MappingReader {
    func located<Value>(_ value: Value) -> Located<Value> { Located(value: value, mark: mark, key: path) }
}
