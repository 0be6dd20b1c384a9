import Foundation
import HeddleCore

/// Looks whether a cluster could be started here now: its directory, its ports, its files.
public enum ClusterChecks {
    /// All checks of a cluster; complaints of the file checks were made by `ClusterFile.load`.
    public static func findings(_ cluster: ClusterConfiguration) -> [Finding] {
        [runtimeDirectory(cluster)] + ports(cluster)
    }

    /// Compute threads of all ranks on one host.
    public static func threadCount(_ cluster: ClusterConfiguration, host: String? = nil) -> Int {
        cluster.groups.reduce(0) { count, group in
            let ranks = group.ranks.filter { rank in host == nil || cluster.node(rank)?.host == host }
            return count + ranks.count * group.threadCount
        }
    }

    private static func runtimeDirectory(_ cluster: ClusterConfiguration) -> Finding {
        let directory = RuntimeDirectory(cluster.runtimeDirectory)
        if let holder = SupervisorLock.holder(of: directory) {
            return Finding(
                .ok, "runtime directory", "\(directory.path), in use: the cluster is up as process \(holder)")
        }
        var parent = directory.path
        if FileManager.default.fileExists(atPath: parent) {
            do throws(RuntimeDirectory.Refusal) {
                try directory.check()
                return Finding(.ok, "runtime directory", directory.path)
            } catch {
                return Finding(
                    .fail, "runtime directory", error.description, advice: "set runtime: in the cluster file")
            }
        }
        while !FileManager.default.fileExists(atPath: parent) {
            parent = (parent as NSString).deletingLastPathComponent
        }
        if FileManager.default.isWritableFile(atPath: parent) {
            return Finding(.ok, "runtime directory", "\(directory.path), to be made")
        }
        return Finding(
            .fail, "runtime directory", "\(directory.path) cannot be made: \(parent) is not writable",
            advice: "set runtime: in the cluster file")
    }

    private static func ports(_ cluster: ClusterConfiguration) -> [Finding] {
        if SupervisorLock.holder(of: RuntimeDirectory(cluster.runtimeDirectory)) != nil {
            return [Finding(.ok, "ports", "held by the running cluster")]
        }
        let taken = PortCheck.taken(in: cluster)
        if taken.isEmpty { return [Finding(.ok, "ports", "free")] }
        return taken.map { taken in
            Finding(.fail, "ports", taken.description, advice: "end the other program or choose another port")
        }
    }
}
