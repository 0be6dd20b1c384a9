import Foundation
import HeddleCluster
import Testing

/// The cluster files in `Cluster/`.
@Suite struct ShippedExamplesTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Cluster").path

    @Test(arguments: ["one-process", "front-and-two-ranks", "two-groups"])
    func everyExampleIsSound(name: String) throws {
        let cluster = try ClusterFile.load(path: "\(Self.folder)/\(name).yaml", environment: [:])
        #expect(cluster.models.count == 1 && cluster.adapters.count == 8 && cluster.tenants.count >= 4)
        #expect(cluster.tenants.allSatisfy { $0.keyFile != nil })
        #expect(cluster.tenant(holding: "demo-acme")?.name.text == "acme")
        #expect(!cluster.isInsecure)
    }

    @Test func theExamplesHaveTheShapesThatTheirNamesSay() throws {
        func load(_ name: String) throws -> ClusterConfiguration {
            try ClusterFile.load(path: "\(Self.folder)/\(name).yaml", environment: [:])
        }
        let one = try load("one-process")
        #expect(one.nodes.map(\.roles) == [[.router, .tenantQueue, .adapterCache, .gpuWorker]])
        let two = try load("front-and-two-ranks")
        #expect(two.nodes.map(\.roles) == [[.router, .tenantQueue, .adapterCache], [.gpuWorker], [.gpuWorker]])
        let groups = try load("two-groups")
        #expect(groups.groups.map(\.ranks.count) == [2, 2])
        #expect(groups.nodes.prefix(3).map(\.roles) == [[.router], [.tenantQueue], [.adapterCache]])
    }
}
