import ArgumentParser
import Foundation
import HeddleClient
import HeddleCluster
import HeddleCore

/// Which mesh a command talks to.
struct MeshOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("cluster")],
        help: ArgumentHelp(
            "The cluster file of the mesh.",
            discussion: "Without it: HEDDLE_CLUSTER, else the only mesh that runs on this machine, else the bundled demo.",
            valueName: "file"))
    var clusterFile: String?

    /// The mesh's configuration, or the complaint that a person needs, already printed.
    func configuration() throws -> ClusterConfiguration {
        do {
            return try ClusterFile.load(path: try MeshLocation.find(given: clusterFile))
        } catch {
            throw CommandComplaint.print("\(error)", code: .failed)
        }
    }
}

/// How long and in which form a command asks the mesh.
struct InspectionOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("How long each node may take to answer, in seconds.", valueName: "seconds"))
    var timeout: Double = 2

    func validate() throws {
        guard timeout > 0, timeout <= 60 else { throw ValidationError("--timeout must be above 0 and at most 60 seconds") }
    }

    /// Asks every node of the mesh.
    func picture(of configuration: ClusterConfiguration, _ query: InspectionQuery) async throws -> MeshPicture {
        let targets = configuration.nodes.map { InspectionClient.Target(node: $0.name, endpoint: $0.inspect) }
        let deadline = Duration.milliseconds(Int64(timeout * 1000))
        do {
            return MeshPicture(try await InspectionClient.ask(targets, query, deadline: deadline))
        } catch {
            throw CommandComplaint.print("\(error)", code: .failed)
        }
    }
}

/// What `-o` may be.
enum OutputForm: String, CaseIterable, ExpressibleByArgument {
    case table, wide, json
}

/// How commands end when something is wrong: one line on standard error and a code that scripts can tell apart.
enum CommandComplaint {
    /// Exit codes of every command; 64, usage, is ArgumentParser's own.
    enum Code: Int32 {
        case notFound = 1
        /// Degraded, or failed.
        case failed = 2
        case usage = 64
    }

    /// Says what is wrong; the caller throws what it returns.
    static func print(_ text: String, code: Code) -> ExitCode {
        warn(text)
        return ExitCode(code.rawValue)
    }

    static func warn(_ text: String) { FileHandle.standardError.write(Data("heddle: \(text)\n".utf8)) }

    /// Names the nodes that did not answer.
    static func warn(of missing: [MeshPicture.Missing]) {
        for missing in missing { warn("node \(missing.node) is missing: \(missing.reason)") }
    }
}

extension Paint {
    /// For standard output as it is now.
    static var standardOutput: Paint {
        Paint(isTerminal: isatty(STDOUT_FILENO) == 1, environment: ProcessInfo.processInfo.environment)
    }
}
