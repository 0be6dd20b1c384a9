import HeddleCluster
import HeddleCore
import Testing

/// What a right file becomes.
@Suite struct ClusterFileTests {
    @Test func everyKeyReachesTheConfiguration() throws {
        let cluster = try parse(soundCluster)
        #expect(cluster.name == "demo")
        #expect(cluster.path == "/somewhere/demo.yaml")
        #expect(cluster.runtimeDirectory == "/tmp/heddle-test")
        #expect(cluster.models[0].name == ModelName("base"))
        #expect(cluster.models[0].directory == "/somewhere/model")
        #expect(cluster.models[0].weights == .auto)
        #expect(cluster.adapters[0].directory == "/somewhere/adapters/sql")
        #expect(cluster.adapters[0].isAllowed(TenantName("acme")))
        #expect(!cluster.adapters[0].isAllowed(TenantName("zeta")))
        #expect(cluster.tenants[1].keyDigest.description.hasSuffix("0001"))
        #expect(cluster.tenants[0].weight == 1)
        #expect(cluster.nodes.map(\.name.text) == ["front", "worker-0", "worker-1"])
        #expect(cluster.nodes[0].roles == [.router, .tenantQueue, .adapterCache])
        #expect(cluster.nodes[1].roles == [.gpuWorker])
        #expect(cluster.nodes[0].mesh == "ipc:///tmp/heddle-test/front.mesh")
        #expect(cluster.nodes[1].inspect == "ipc:///tmp/heddle-test/worker-0.inspect")
        #expect(cluster.clientEndpoints == ["tcp://127.0.0.1:7400"])
        #expect(cluster.groups[0].ranks == [NodeName("worker-0"), NodeName("worker-1")])
        #expect(cluster.groups[0].collective == .sharedMemory)
        #expect(cluster.groups[0].kvCapacity == .tokens(1024))
        #expect(cluster.place(of: NodeName("worker-1"))?.rank == 1)
        #expect(cluster.adapterCache.byteCountMax == 64 << 20)
        #expect(cluster.adapterCache.directory == "/tmp/heddle-test/adapters")
        #expect(cluster.limits.request.deadlineMax == .seconds(60))
        #expect(cluster.limits.startMax == .seconds(300))
    }

    @Test func adapterSlotsAreAGroupsOwn() throws {
        #expect(try parse(soundCluster).groups[0].adapterSlotCount == 32)
        let few = soundCluster.replacing("    stepTokens: 256", with: "    stepTokens: 256\n    adapterSlots: 8")
        #expect(try parse(few).groups[0].adapterSlotCount == 8)
    }

    @Test func theRuntimeDirectoryIsTheSessionsWhereThereIsOne() throws {
        let text = soundCluster.replacing("runtime: /tmp/heddle-test\n", with: "")
        let session = try ClusterFile.parse(
            text, path: "demo.yaml", environment: ["XDG_RUNTIME_DIR": "/run/user/7"])
        #expect(session.runtimeDirectory == "/run/user/7/heddle/demo")
        let none = try ClusterFile.parse(text, path: "demo.yaml")
        #expect(none.runtimeDirectory.hasPrefix("/tmp/heddle-") && none.runtimeDirectory.hasSuffix("/demo"))
    }

    @Test func packedWeightsLieInTheUsersCache() throws {
        func directory(_ environment: [String: String], _ text: String = soundCluster) throws -> String {
            try ClusterFile.parse(text, path: "/somewhere/demo.yaml", environment: environment).weightCache.directory
        }
        #expect(try directory(["HOME": "/home/me"]) == "/home/me/.cache/heddle")
        #expect(try directory(["HOME": "/home/me", "XDG_CACHE_HOME": "/scratch"]) == "/scratch/heddle")
        #expect(try directory([:]) == "/tmp/heddle-test/weights")
        #expect(try parse(soundCluster).weightCache.byteCountMax == 64 << 30)
        let own = soundCluster + "\nweightCache: {directory: cache, bytes: 3GiB}\n"
        #expect(try directory(["HOME": "/home/me"], own) == "/somewhere/cache")
        #expect(try parse(own).weightCache.byteCountMax == 3 << 30)
    }

    @Test func ranksOnTwoHostsUseZeroMQ() throws {
        var text = soundCluster.replacing(
            "  - name: worker-0\n", with: "  - {name: worker-0, mesh: \"tcp://127.0.0.1:7402\"}\n")
        text = text.replacing(
            "  - name: worker-1\n",
            with: "  - {name: worker-1, host: other, mesh: \"tcp://127.0.0.1:7403\", roles: [adapter-cache]}\n")
        text = text.replacing("mesh: ipc", with: "mesh: tcp://127.0.0.1:7401")
        text = text.replacing("collective: auto", with: "endpoint: tcp://127.0.0.1:7404")
        let cluster = try parse(text)
        #expect(cluster.groups[0].collective == .zeroMQ(endpoint: "tcp://127.0.0.1:7404"))
        #expect(cluster.nodes[2].roles == [.adapterCache, .gpuWorker])
    }

    @Test func zeroMQOnOneHostNeedsNoEndpoint() throws {
        let cluster = try parse(soundCluster.replacing("collective: auto", with: "collective: zeromq"))
        #expect(cluster.groups[0].collective == .zeroMQ(endpoint: "ipc:///tmp/heddle-test/g0.collective"))
    }

    @Test func aKeyIsHeldAsItsDigestAndFoundByItsText() throws {
        let text = soundCluster.replacing(
            "\"sha256:0000000000000000000000000000000000000000000000000000000000000001\"", with: "open-sesame"
        ).replacing("insecure: false", with: "insecure: true")
        let cluster = try parse(text)
        #expect(cluster.tenant(holding: "open-sesame")?.name == TenantName("zeta"))
        #expect(cluster.tenant(holding: "open-sesam") == nil)
        #expect(cluster.tenants[1].keyDigest == ClusterConfiguration.digest(ofKey: "open-sesame"))
    }
}
