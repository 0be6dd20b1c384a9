import Foundation
import HeddleClient
import HeddleCluster
import HeddleCore
import Testing

/// A mesh of real processes that a test started with `heddle up`, in a folder of its own.
final class RunningMesh: Sendable {
    let folder: TemporaryFolder
    let configuration: ClusterConfiguration
    let supervisor: StartedProcess

    /// The mesh of the suite that has one (`.mesh(…)`).
    @TaskLocal private static var shared: RunningMesh?
    static var current: RunningMesh {
        guard let shared else { preconditionFailure("the suite has no .mesh trait") }
        return shared
    }

    /// How long a mesh may take to start or to end on a busy machine.
    static let patience: Duration = .seconds(60)

    var file: String { configuration.path }
    var runtime: String { configuration.runtimeDirectory }

    private init(folder: TemporaryFolder, configuration: ClusterConfiguration, supervisor: StartedProcess) {
        (self.folder, self.configuration, self.supervisor) = (folder, configuration, supervisor)
    }

    /// Writes the cluster file, starts it in the foreground and waits until every node is ready.
    ///
    /// - Parameter change: what else is to be different in the shipped file.
    static func start(
        _ topology: Topology, in folder: TemporaryFolder? = nil, changing change: (String) -> String = { $0 }
    ) async throws -> RunningMesh {
        let folder = try folder ?? TemporaryFolder()
        let file = try write(topology, in: folder, changing: change)
        return try await start(file: file, in: folder)
    }

    static func write(
        _ topology: Topology, in folder: TemporaryFolder, changing change: (String) -> String = { $0 }
    ) throws -> String {
        try folder.write(change(try topology.text(runtime: "\(folder.path)/run", port: freePort())), to: "mesh.yaml")
    }

    static func start(file: String, in folder: TemporaryFolder) async throws -> RunningMesh {
        let configuration = try ClusterFile.load(path: file)
        let supervisor = try StartedProcess(HeddleProgram.path, ["up", "-c", file])
        do {
            try await supervisor.ready(within: patience)
        } catch {
            supervisor.send(SIGKILL)
            throw error
        }
        return RunningMesh(folder: folder, configuration: configuration, supervisor: supervisor)
    }

    /// Starts a mesh, hands it to the body, ends it whatever happened, and sees that nothing of it is left.
    static func with(
        _ topology: Topology, changing change: (String) -> String = { $0 },
        _ body: (RunningMesh) async throws -> Void
    ) async throws {
        let mesh = try await start(topology, changing: change)
        try await mesh.lend(body)
    }

    fileprivate func lend(_ body: (RunningMesh) async throws -> Void) async throws {
        do {
            try await Self.$shared.withValue(self) { try await body(self) }
        } catch {
            try? await stop()
            throw error
        }
        try await stop()
    }

    /// Ends the mesh by SIGTERM and sees that nothing of it is left.
    func stop() async throws {
        supervisor.send(SIGTERM)
        let ended = try await supervisor.ended(within: Self.patience)
        #expect(ended.code == 0, "heddle up ended badly: \(ended.output)\(ended.errors)")
        try await expectNothingLeft()
    }

    /// No process, no socket, no note, no memory of the mesh is left.
    func expectNothingLeft(wasKilled: Bool = false, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        _ = try await eventually(
            "the end of all processes", within: .seconds(5), look: { processes() }, until: { $0.isEmpty })
        // Packed adapters of a killed cache are thrown away by the next.
        let files = Set(try FileManager.default.contentsOfDirectory(atPath: runtime))
        #expect(files == ["logs"] || wasKilled && files == ["logs", "adapters"], sourceLocation: sourceLocation)
        let memories = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? []
        #expect(!memories.contains { $0.contains("heddle") }, sourceLocation: sourceLocation)
    }

    // MARK: Processes

    /// The processes that run with this mesh's cluster file, by node; the supervisor is `up`.
    func processes() -> [String: pid_t] {
        var found: [String: pid_t] = [:]
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let number = pid_t(entry),
                let bytes = FileManager.default.contents(atPath: "/proc/\(number)/cmdline")
            else { continue }
            let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard words.contains(file) else { continue }
            if words.contains("up") { found["up"] = number }
            if words.contains("node"), let name = words.last { found[name] = number }
        }
        return found
    }

    /// Sends a signal to a node's process, which is there.
    func send(_ signal: Int32, to node: String) throws {
        guard let number = processes()[node] else { throw StartedProcess.Failed("no process of node \(node)") }
        guard kill(number, signal) == 0 else { throw StartedProcess.Failed("no signal to process \(number)") }
    }

    // MARK: Clients and inspection

    func client(windowTokens: Int = 1024) throws -> MeshClient {
        var limits = MeshClientLimits()
        limits.windowTokens = windowTokens
        return try MeshClient(endpoints: configuration.clientEndpoints, limits: limits)
    }

    /// The client socket of the only router.
    var endpoint: String { configuration.clientEndpoints[0] }

    /// Every node's whole report.
    func picture(within deadline: Duration = .seconds(2)) async throws -> MeshPicture {
        let targets = configuration.nodes.map { InspectionClient.Target(node: $0.name, endpoint: $0.inspect) }
        return MeshPicture(try await InspectionClient.ask(targets, InspectionQuery(.everything), deadline: deadline))
    }

    /// Waits until nothing runs and nothing waits, at any worker, router or queue.
    @discardableResult
    func idle(within limit: Duration = .seconds(20)) async throws -> MeshPicture {
        try await eventually("an idle mesh", within: limit, look: { try await picture() }) { $0.isIdle }
    }

    /// Waits until every rank of every group is in its group and every node answers.
    @discardableResult
    func whole(within limit: Duration = .seconds(30)) async throws -> MeshPicture {
        let count = configuration.groups.reduce(0) { $0 + $1.ranks.count }
        return try await eventually("a whole mesh", within: limit, look: { try await picture() }) { picture in
            picture.missing.isEmpty && picture.workers.count == count
                && picture.workers.allSatisfy { ["idle", "running", "following"].contains($0.state.name) }
        }
    }

    /// Runs a command about this mesh.
    func heddle(
        _ words: String..., input: [UInt8]? = nil, environment: [String: String] = [:]
    ) async throws -> StartedProcess.Ended {
        try await HeddleProgram.run(words + ["-c", file], input: input, environment: environment)
    }
}

extension MeshPicture {
    var isIdle: Bool {
        missing.isEmpty && requests.isEmpty && workers.allSatisfy { $0.runningCount == 0 && $0.waitingCount == 0 }
            && tenants.allSatisfy { $0.runningCount == 0 && $0.waitingCount == 0 }
    }
}

/// Gives all tests of a suite one mesh, and ends it after the last.
struct MeshTrait: SuiteTrait, TestScoping {
    let topology: Topology
    let change: @Sendable (String) -> String

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let mesh = try await RunningMesh.start(topology, changing: change)
        try await mesh.lend { _ in try await function() }
    }
}

extension Trait where Self == MeshTrait {
    static func mesh(_ topology: Topology, changing change: @escaping @Sendable (String) -> String = { $0 }) -> MeshTrait {
        MeshTrait(topology: topology, change: change)
    }
}

/// Everything that starts processes, one test after the other: the machine has few cores.
@Suite(.serialized) enum WholeMesh {}
