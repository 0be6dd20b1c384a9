import ArgumentParser
import Foundation
import HeddleCluster

/// The option that says which cluster a command is about.
struct ClusterOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("cluster")],
        help: ArgumentHelp(
            "The cluster file.",
            discussion: "Without it the one that HEDDLE_CLUSTER names, or the bundled demo.", valueName: "file"))
    var file: String?

    /// The path of the file that is meant.
    func path() throws -> String {
        do throws(ClusterLocation.NotFound) {
            return try ClusterLocation.find(given: file)
        } catch {
            throw CommandFailure(error.description, exit: .notFound)
        }
    }

    /// The cluster that is meant; complaints about its file end the command.
    ///
    /// - Parameter checkingFiles: whether its models and adapters must lie there.
    func load(checkingFiles: Bool = false) throws -> ClusterConfiguration {
        try Self.load(path(), checkingFiles: checkingFiles)
    }

    static func load(_ path: String, checkingFiles: Bool) throws -> ClusterConfiguration {
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure("there is no cluster file \(path)", exit: .notFound)
        }
        do throws(ClusterFileError) {
            return try ClusterFile.load(path: path, checkingFiles: checkingFiles)
        } catch {
            let count = error.complaints.count
            throw CommandFailure("the cluster file has \(count == 1 ? "a mistake" : "\(count) mistakes")\n\(error)")
        }
    }
}
