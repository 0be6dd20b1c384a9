import Foundation
import HeddleCluster

/// Decides which mesh a client command is about when it is told none.
enum MeshLocation {
    /// The file that was given, else what `HEDDLE_CLUSTER` names, else that of the only running mesh, else the bundled demo.
    static func find(
        given: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> String {
        if given != nil || !environment[ClusterLocation.variable, default: ""].isEmpty {
            return try bundledOrNamed(given, environment)
        }
        let running = runningClusterFiles(environment: environment)
        if let only = running.first, running.count == 1 { return only }
        if running.count > 1 {
            throw CommandFailure(
                "\(running.count) meshes run on this machine; name one with -c FILE: "
                    + running.joined(separator: ", "))
        }
        return try bundledOrNamed(nil, environment)
    }

    private static func bundledOrNamed(_ given: String?, _ environment: [String: String]) throws -> String {
        do throws(ClusterLocation.NotFound) {
            return try ClusterLocation.find(given: given, environment: environment)
        } catch {
            throw CommandFailure(error.description, exit: .notFound)
        }
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
    private var clusterFileNote: String { "\(path)/cluster-file" }

    /// Leaves a note for commands that are given no cluster file. It counts only while the supervisor holds its lock.
    func record(clusterFile: String) {
        // Without the note such a command needs -c; that is no reason to end a mesh.
        try? Data("\(clusterFile)\n".utf8).write(to: URL(fileURLWithPath: clusterFileNote), options: .atomic)
    }

    /// The cluster file that the mesh of this directory was started with.
    var clusterFile: String? {
        guard let text = try? String(contentsOfFile: clusterFileNote, encoding: .utf8),
            let line = text.split(separator: "\n").first, line.hasPrefix("/")
        else { return nil }
        return String(line)
    }
}
