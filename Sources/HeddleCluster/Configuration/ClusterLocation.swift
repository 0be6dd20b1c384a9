import Foundation

/// Decides which cluster file a command is about when it is given none.
public enum ClusterLocation {
    /// The variable that names a cluster file.
    public static let variable = "HEDDLE_CLUSTER"
    /// What `heddle up` starts without a file.
    public static let bundledDemo = "front-and-two-ranks.yaml"

    /// No cluster file was named, and the bundled demo is at none of the places where it may be.
    public struct NotFound: Error, Hashable, Sendable, CustomStringConvertible {
        public var places: [String]

        /// Where was looked, and what to do.
        public var description: String {
            "no cluster file: give one with -c FILE or \(ClusterLocation.variable); the bundled demo is not at "
                + places.joined(separator: ", ")
        }
    }

    /// The file that was given, or else the one that `HEDDLE_CLUSTER` names, or else the bundled demo: in `Cluster` of
    /// the working directory, of a folder above the executable (a build in `.build`), or in `share/heddle` beside its
    /// `bin`.
    public static func find(
        given: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
        workingDirectory: String = FileManager.default.currentDirectoryPath, executable: String = executablePath
    ) throws(NotFound) -> String {
        if let given { return given }
        if let named = environment[variable], !named.isEmpty { return named }
        var places = ["\(workingDirectory)/Cluster/\(bundledDemo)"]
        var folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
        for _ in 0..<4 {
            folder = folder.deletingLastPathComponent()
            for place in ["Cluster", "share/heddle/Cluster"] {
                let path = folder.appendingPathComponent("\(place)/\(bundledDemo)").path
                if !places.contains(path) { places.append(path) }
            }
        }
        for place in places where FileManager.default.isReadableFile(atPath: place) { return place }
        throw NotFound(places: places)
    }

    /// The absolute path of this program.
    public static var executablePath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
