import Foundation
import HeddleCluster

/// Decides which mesh a client command is about when it is told none.
enum MeshLocation {
    /// Several meshes run; a person has to say which.
    struct Ambiguous: Error, CustomStringConvertible {
        let clusterFiles: [String]
        var description: String {
            "\(clusterFiles.count) meshes run on this machine; name one with -c FILE: "
                + clusterFiles.joined(separator: ", ")
        }
    }

    /// The file that was given, else what `HEDDLE_CLUSTER` names, else that of the only running mesh, else the bundled demo.
    static func find(
        given: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> String {
        if given != nil || !environment[ClusterLocation.variable, default: ""].isEmpty {
            return try ClusterLocation.find(given: given, environment: environment)
        }
        let running = runningClusterFiles(environment: environment)
        if let only = running.first, running.count == 1 { return only }
        if running.count > 1 { throw Ambiguous(clusterFiles: running) }
        return try ClusterLocation.find(given: nil, environment: environment)
    }

    /// The cluster files of the meshes that this user runs from the usual runtime directories.
    static func runningClusterFiles(environment: [String: String]) -> [String] {
        var bases = ["/tmp/heddle-\(getuid())"]
        if let session = environment["XDG_RUNTIME_DIR"], session.hasPrefix("/") { bases.append("\(session)/heddle") }
        let directories = bases.flatMap { base in
            ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []).sorted().map { "\(base)/\($0)" }
        }
        return directories.compactMap { path in
            let directory = RuntimeDirectory(path)
            guard (try? directory.check()) != nil, SupervisorLock.holder(of: directory) != nil else { return nil }
            return directory.clusterFile
        }
    }
}

extension RuntimeDirectory {
    /// The cluster file that the supervisor of this directory was started with: a line in `cluster-file`.
    var clusterFile: String? {
        guard let text = try? String(contentsOfFile: "\(path)/cluster-file", encoding: .utf8),
            let line = text.split(separator: "\n").first, line.hasPrefix("/")
        else { return nil }
        return String(line)
    }
}
