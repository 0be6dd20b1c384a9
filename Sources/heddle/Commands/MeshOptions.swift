import ArgumentParser
import Foundation
import HeddleClient
import HeddleCluster
import HeddleCore

/// Which running mesh a command talks to.
struct MeshOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("cluster")],
        help: ArgumentHelp(
            "The cluster file of the mesh.",
            discussion:
                "Without it: HEDDLE_CLUSTER, else the only mesh that runs on this machine, else the bundled demo.",
            valueName: "file"))
    var file: String?

    /// The cluster that is meant; complaints about its file end the command.
    func load() throws -> ClusterConfiguration {
        try ClusterOptions.load(try MeshLocation.find(given: file), checkingFiles: false)
    }
}

/// How long a command waits for the nodes that it asks.
struct InspectionOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("How long each node may take to answer, in seconds.", valueName: "seconds"))
    var timeout: Double = 2

    func validate() throws {
        guard timeout >= 0.001, timeout <= 60 else {
            throw ValidationError("--timeout must be from 0.001 to 60 seconds")
        }
    }

    /// Asks every node of the mesh.
    func picture(of configuration: ClusterConfiguration, _ query: InspectionQuery) async throws -> MeshPicture {
        MeshPicture(try await answers(of: configuration, query))
    }

    /// What every node of the mesh answers.
    func answers(of configuration: ClusterConfiguration, _ query: InspectionQuery) async throws -> [NodeAnswer] {
        let targets = configuration.nodes.map { InspectionClient.Target(node: $0.name, endpoint: $0.inspect) }
        let deadline = Duration.microseconds(Int64(timeout * 1_000_000))
        return try await InspectionClient.ask(targets, query, deadline: deadline)
    }
}

/// What `-o` may be.
enum OutputForm: String, CaseIterable, ExpressibleByArgument {
    case table, wide, json, yaml
}

extension MeshPicture {
    /// Names the nodes that did not answer, on standard error.
    func complainOfMissing() {
        for missing in missing { Terminal.complain("heddle: node \(missing.node) is missing: \(missing.reason)") }
    }
}

extension Paint {
    /// For standard output as it is now.
    static var standardOutput: Paint {
        Paint(isTerminal: isatty(STDOUT_FILENO) == 1, environment: ProcessInfo.processInfo.environment)
    }
}
