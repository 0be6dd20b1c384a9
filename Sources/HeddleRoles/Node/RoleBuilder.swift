import Foundation
import HeddleActors
import HeddleCluster
import HeddleCore
import HeddleEngine
import HeddleFiles
import HeddleTransport
import Logging

/// Makes a node's roles from the cluster file: loads their models and gives each its place.
struct RoleBuilder {
    let configuration: ClusterConfiguration
    let node: ClusterConfiguration.Node
    let layout: MeshLayout
    let system: MeshActorSystem
    let board: InspectionBoard
    let peers: PeerBook
    let journal: Journal
    let logger: Logger

    /// Loads on a thread of its own, since reading and packing a model takes seconds to minutes.
    func build() async throws -> NodeHost.Hosted {
        var hosted = NodeHost.Hosted()
        let folders = try await models()
        if node.roles.contains(.adapterCache) { hosted.cache = try cache(folders) }
        if node.roles.contains(.tenantQueue) { hosted.queues = try queues() }
        if let place = configuration.place(of: node.name), let folder = folders[place.group.model] {
            hosted.worker = try await worker(place.group, rank: place.rank, folder)
        }
        if node.roles.contains(.router) {
            let port = ClientPort(limits: clientLimits)
            (hosted.router, hosted.front) = try await router(folders, port)
            hosted.client = port
            if let endpoint = node.client {
                try port.open(endpoint, on: system.io, isInsecure: configuration.isInsecure)
            }
        }
        return hosted
    }

    private var clientLimits: ClientLimits {
        var limits = ClientLimits()
        limits.request = configuration.limits.request
        return limits
    }

    /// Packed weights of this host.
    private var store: PackedShardStore {
        PackedShardStore(
            directory: configuration.weightCache.directory, byteCountMax: configuration.weightCache.byteCountMax)
    }

    private func log(_ identity: ActorIdentity) -> RoleLog {
        RoleLog(logger, actor: identity.description, journal: journal)
    }

    /// The models that this node's roles read: a worker its own, a router and a cache all.
    private func models() async throws -> [ModelName: ModelFolder] {
        let needsAll = node.roles.contains(.router) || node.roles.contains(.adapterCache)
        let own = configuration.place(of: node.name)?.group.model
        let wanted = configuration.models.filter { needsAll || $0.name == own }
        return try await onThread(named: "open-models") {
            var folders: [ModelName: ModelFolder] = [:]
            for model in wanted { folders[model.name] = try ModelFolder(path: model.directory) }
            return folders
        }
    }

    private func cache(_ folders: [ModelName: ModelFolder]) throws -> AdapterCache {
        let sources = configuration.adapters.map { AdapterSource(adapter: $0.name, model: $0.model) }
        let ranks = configuration.groups.flatMap { group in
            group.ranks.enumerated().map { (CachePlace.Member(group: group.name, rank: $0.offset), $0.element) }
        }
        let weights = configuration.models.map { ($0.name, WeightFormat($0.weights)) }
        let place = CachePlace(
            models: folders, weights: Dictionary(weights) { first, _ in first },
            folders: Dictionary(zip(sources, configuration.adapters.map(\.directory))) { first, _ in first },
            order: sources, ranks: ranks, planners: configuration.groups.compactMap(planner),
            directory: configuration.adapterCache.directory + "/" + node.name.text)
        let limits = try AdapterResidencyLimits(byteCountMax: configuration.adapterCache.byteCountMax)
        let descriptions = try AdapterDescriptions<FileFingerprint>()
        let identity = MeshLayout.cache(on: node.name)
        return system.host(role: identity.role, name: identity.name) {
            AdapterCache(
                place: place, descriptions: descriptions, residency: AdapterResidency(limits: limits),
                log: log(identity), board: board, actorSystem: system)
        }
    }

    /// Rank 0 of a group of which a rank asks this node's adapter-cache.
    private func planner(of group: ClusterConfiguration.Group) -> ActorIdentity? {
        let isServed = group.ranks.compactMap(configuration.node).contains { rank in
            layout.cache(for: rank) == MeshLayout.cache(on: node.name)
        }
        return isServed ? MeshLayout.ranks(of: group).first : nil
    }

    private func queues() throws -> [TenantQueue] {
        try configuration.models.map { model in
            var core = TenantQueueCore(model: model.name, limits: try TenancyLimits())
            for tenant in configuration.tenants {
                try core.setShare(
                    try TenantShare(tenant: tenant.name, weight: tenant.weight, laneDepthMax: tenant.laneDepthMax))
            }
            let identity = MeshLayout.queue(model.name, on: node.name)
            let ready = core
            return system.host(role: identity.role, name: identity.name) {
                TenantQueue(
                    model: model.name, core: ready, workers: layout.workers(of: model.name), log: log(identity),
                    board: board, actorSystem: system)
            }
        }
    }

    private func worker(_ group: ClusterConfiguration.Group, rank: Int, _ folder: ModelFolder) async throws -> GPUWorker
    {
        let identity = MeshLayout.ranks(of: group)[rank]
        let log = log(identity)
        guard let queue = layout.queues[group.model], let cache = layout.cache(for: node) else {
            preconditionFailure("a checked cluster has a tenant-queue and an adapter-cache")
        }
        let format = WeightFormat(configuration.model(group.model)?.weights ?? .auto)
        let rankCount = group.ranks.count
        let store = store
        let shard = try await onThread(named: "load-\(group.name)") {
            try Shard(
                folder, plan: ShardPlan(configuration: folder.configuration, rank: rank, rankCount: rankCount),
                format: format, store: store, threadCount: group.threadCount, log: log)
        }
        let batch = try group.batchLimits(for: folder.configuration)
        var forward = ForwardLimits()
        forward.blockCount = batch.blockCount
        forward.stepRowCountMax = batch.stepTokenCountMax
        forward.positionCountMax = batch.positionCountMax
        forward.adapterSlotCount = batch.adapterSlotCount
        forward.threadCount = group.threadCount
        let place = WorkerPlace(
            group: group.name, model: group.model, rank: rank, ranks: MeshLayout.ranks(of: group), cache: cache,
            queue: queue, collective: group.collective, allowsPlainTCP: configuration.isInsecure,
            runtimeDirectory: configuration.runtimeDirectory,
            epochFloor: Epoch(UInt64(max(0, Date().timeIntervalSince1970 * 1000))), forward: forward,
            tokenizerPath: folder.path + "/tokenizer.json")
        return system.host(role: identity.role, name: identity.name) {
            GPUWorker(place: place, shard: shard, batchLimits: batch, log: log, board: board, actorSystem: system)
        }
    }

    private func router(_ folders: [ModelName: ModelFolder], _ port: ClientPort) async throws -> (Router, RouterFront) {
        let identity = MeshLayout.router(node.name)
        guard let cache = layout.cache(for: node) else {
            preconditionFailure("a checked cluster has an adapter-cache")
        }
        let digests = store.digests
        let models = try await onThread(named: "read-tokenizers") {
            try folders.mapValues { folder in
                RouterPlace.Model(
                    tokenizer: try Tokenizer(path: folder.path + "/tokenizer.json"), digest: digests.digest(of: folder),
                    defaults: folder.samplingDefaults)
            }
        }
        var catalogue = ModelCatalogue()
        var fronts: [RouterFront.Model] = []
        for model in configuration.models {
            guard let folder = folders[model.name], let text = models[model.name] else { continue }
            let capacity = try configuration.groups.filter { $0.model == model.name }
                .map { try $0.batchLimits(for: folder.configuration).sequenceTokenCountMax }.max()
            let tokenCountMax = capacity ?? folder.configuration.positionCountMax
            catalogue.set(
                ModelCatalogue.Model(
                    name: model.name, vocabularyCount: folder.configuration.vocabularyCount,
                    sequenceTokenCountMax: tokenCountMax))
            fronts.append(
                RouterFront.Model(
                    name: model.name, folder: folder.path, tokenizer: text.tokenizer, digest: text.digest,
                    sequenceTokenCountMax: tokenCountMax))
        }
        let tenants = try TenantTable(configuration.tenants.map { try $0.row(in: configuration) })
        let place = RouterPlace(
            models: models,
            adapters: configuration.adapters.map { RouterPlace.Adapter(name: $0.name, model: $0.model) },
            queues: layout.queues, workers: layout.workers(),
            served: Dictionary(uniqueKeysWithValues: configuration.groups.map { ($0.name, $0.model) }), cache: cache,
            clientLimits: clientLimits)
        let admission = Admission(limits: configuration.limits.request, tenants: tenants, catalogue: catalogue)
        let limits = try RequestTableLimits(requestCountMax: configuration.limits.requestCountMax)
        let encoder = PromptEncoder()
        let router = system.host(role: identity.role, name: identity.name) {
            Router(
                place: place, admission: admission, limits: limits, port: port, encoder: encoder, log: log(identity),
                board: board, actorSystem: system)
        }
        let front = RouterFront(
            models: fronts,
            adapters: configuration.adapters.map {
                RouterFront.Adapter(name: $0.name, model: $0.model, folder: $0.directory)
            }, node: node.name, limits: clientLimits, router: router, tenants: tenants, place: place, port: port, encoder: encoder,
            peers: peers)
        return (router, front)
    }
}

extension ClusterConfiguration.Group {
    /// What the group's rank 0 schedules within: the same on every rank and every router.
    func batchLimits(for model: ModelConfiguration) throws -> BatchLimits {
        // The rank with the most KV heads decides, so that every rank has as many blocks.
        let blockByteCount =
            try ranks.indices.map {
                try ShardPlan(configuration: model, rank: $0, rankCount: ranks.count).kvBlockByteCount(model)
            }.max() ?? 1
        var memory: Int?
        let blockCount: Int
        switch kvCapacity {
        case .tokens(let tokens): blockCount = tokens / kvBlockTokens
        case .bytes(let bytes): blockCount = bytes / blockByteCount
        case .bytesWithAdapters(let bytes):
            // As many as fit while no adapter is mapped; they have memory while they are used.
            blockCount = bytes / blockByteCount
            memory = bytes
        }
        return try BatchLimits(
            blockCount: blockCount, blockByteCount: blockByteCount, memoryByteCountMax: memory,
            dependence: model.kvDependence, runningCountMax: sequenceCountMax,
            stepTokenCountMax: max(stepTokenCountMax, sequenceCountMax),
            contextTokensPerRow: model.contextTokensPerRow, chunkTokenCountMax: stepTokenCountMax,
            positionCountMax: model.positionCountMax, adapterSlotCount: adapterSlotCount)
    }
}

extension ModelConfiguration {
    /// How many keys cost a row as much as all its products. Products run at least twice as fast, a multiplication, as attention
    /// does, which is in f32.
    fileprivate var contextTokensPerRow: Int {
        let perLayer = hiddenSize * headDimension * 2 * (headCount + kvHeadCount) + 3 * hiddenSize * feedForwardSize
        return max(1024, perLayer / (2 * headDimension * headCount) / 2)
    }
}

extension ClusterConfiguration.Tenant {
    /// The tenant as admission knows it: base models are everybody's, adapters as the file says.
    func row(in configuration: ClusterConfiguration) throws -> TenantTable.Tenant {
        try TenantTable.Tenant(
            share: try TenantShare(tenant: name, weight: weight, laneDepthMax: laneDepthMax), keyDigest: keyDigest,
            requestCountMax: requestCountMax,
            permission: .only(
                models: configuration.models.map(\.name),
                adapters: configuration.adapters.filter { $0.isAllowed(name) }.map(\.name)))
    }
}

extension WeightFormat {
    init(_ weights: ClusterConfiguration.Weights) {
        switch weights {
        case .auto: self = .auto
        case .bf16: self = .bf16
        case .f32: self = .f32
        case .int8: self = .int8
        case .int4: self = .int4
        }
    }
}
