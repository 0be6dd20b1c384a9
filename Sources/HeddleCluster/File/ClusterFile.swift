import Foundation
import HeddleCore
import Yams

/// Reads cluster files: every mistake is reported with its line and column, not only the first.
///
/// The keys are described in the examples that ship in `Cluster/`. What the reader refuses: unknown keys, doubled keys,
/// values of the wrong kind, and everything that `CrossChecks` finds between the parts.
public enum ClusterFile {
    /// The longest cluster file in bytes.
    public static let byteCountMax = 1 << 20

    /// Reads and checks a file.
    ///
    /// - Parameters:
    ///   - path: as the user named it; complaints repeat it.
    ///   - checkingFiles: whether the models and adapters that the file names must lie there. A node needs only what
    ///     its roles read, so a fleet may check on the host that has them.
    ///   - environment: where `XDG_RUNTIME_DIR`, `XDG_CACHE_HOME` and `HOME` are looked up.
    public static func load(
        path: String, checkingFiles: Bool = false,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ClusterFileError) -> ClusterConfiguration {
        func unreadable(_ text: String) -> ClusterFileError {
            ClusterFileError(complaints: [Complaint(file: path, line: 1, column: 1, key: "", text: text)])
        }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw unreadable("cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: byteCountMax + 1) else { throw unreadable("cannot be read") }
        guard data.count <= byteCountMax else { throw unreadable("is longer than \(byteCountMax) bytes") }
        guard let text = String(validating: data, as: UTF8.self) else { throw unreadable("is not UTF-8") }
        return try parse(text, path: path, checkingFiles: checkingFiles, environment: environment)
    }

    /// Reads and checks the text of a file; `path` says what relative paths in it start from.
    public static func parse(
        _ text: String, path: String, checkingFiles: Bool = false, environment: [String: String] = [:]
    ) throws(ClusterFileError) -> ClusterConfiguration {
        let report = Report(file: path)
        guard let root = compose(text, report) else { throw ClusterFileError(complaints: report.complaints) }
        let paths = FilePaths(clusterFile: path, environment: environment)
        let configuration = DocumentReader(report: report, paths: paths).read(root, checkingFiles: checkingFiles)
        guard let configuration, report.complaints.isEmpty else {
            throw ClusterFileError(complaints: report.complaints.sorted())
        }
        return configuration
    }

    private static func compose(_ text: String, _ report: Report) -> Node? {
        do {
            if let node = try Yams.compose(yaml: text) { return node }
            report.complain(nil, "", "is empty")
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                report.complain(mark, "", "is not YAML: \(problem)")
            case .duplicatedKeysInMapping(let duplicates, let context):
                for key in duplicates.sorted() {
                    report.complain(context.mark, key, "is written twice in the mapping that has it here")
                }
            default: report.complain(nil, "", "is not YAML: \(error)")
            }
        } catch {
            report.complain(nil, "", "is not YAML: \(error)")
        }
        return nil
    }
}

/// Resolves the paths of a cluster file: relative ones start at its folder.
struct FilePaths {
    /// Absolute.
    let clusterFile: String
    let folder: String
    let environment: [String: String]

    init(clusterFile: String, environment: [String: String]) {
        self.clusterFile = URL(fileURLWithPath: clusterFile).standardizedFileURL.path
        folder = (self.clusterFile as NSString).deletingLastPathComponent
        self.environment = environment
    }

    func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: folder, isDirectory: true)).standardizedFileURL.path
    }

    /// Where packed weights are kept unless the file says: see `ClusterConfiguration.WeightCache`.
    var weightDirectory: String? {
        ClusterConfiguration.WeightCache.directory(environment: environment).map(absolute)
    }

    /// Where a cluster keeps sockets and logs unless its file says: the session's own directory where there is one.
    func runtimeDirectory(cluster: String) -> String {
        if let session = environment["XDG_RUNTIME_DIR"], session.hasPrefix("/") {
            return absolute("\(session)/heddle/\(cluster)")
        }
        return "/tmp/heddle-\(getuid())/\(cluster)"
    }
}
