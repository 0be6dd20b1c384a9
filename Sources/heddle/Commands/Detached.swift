import Foundation
import HeddleCluster

/// Starts a supervisor in a session of its own and waits until its mesh is ready.
struct Detached {
    let configuration: ClusterConfiguration
    let directory: RuntimeDirectory
    let host: String?
    let topology: Topology

    init(_ configuration: ClusterConfiguration, directory: RuntimeDirectory, host: String?, topology: Topology) {
        self.configuration = configuration
        self.directory = directory
        self.host = host
        self.topology = topology
    }

    func run() throws {
        try directory.prepare()
        let log = directory.log("supervisor")
        let began = ContinuousClock.now
        let supervisor = Program(
            name: "supervisor", executable: ClusterLocation.executablePath,
            arguments: ["up", "-c", configuration.path] + (host.map { ["--host", $0] } ?? []))
        let outcome = try BackgroundProcess.start(supervisor, log: log)
        switch outcome {
        case .ready(let process):
            Terminal.print("cluster \(configuration.name) is up as process \(process): \(topology.nodes.count) nodes")
            Terminal.print(topology.closing(took: ContinuousClock.now - began, directory: directory))
            Terminal.print("End it with heddle down -c \(configuration.path)")
        case .ended(let lines): throw CommandFailure(lines.joined(separator: "\n"))
        }
    }
}
