import Foundation

/// The directory in which a cluster's processes meet on one host: sockets, notes, logs. Only this user can enter it.
public struct RuntimeDirectory: Hashable, Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    /// Why a directory cannot be used.
    public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        case notCreated(path: String, reason: String)
        case notADirectory(path: String)
        case ownedByAnother(path: String, user: UInt32)
        case openToOthers(path: String, mode: UInt32)

        /// What is wrong, and what to do about it.
        public var description: String {
            switch self {
            case .notCreated(let path, let reason): "the runtime directory \(path) cannot be made: \(reason)"
            case .notADirectory(let path): "the runtime directory \(path) is not a directory"
            case .ownedByAnother(let path, let user): "the runtime directory \(path) belongs to user \(user)"
            case .openToOthers(let path, let mode):
                "the runtime directory \(path) has mode 0\(String(mode, radix: 8)); others could reach its sockets: "
                    + "chmod 700 \(path)"
            }
        }
    }

    /// Where each process's output is kept.
    public var logs: String { "\(path)/logs" }
    /// The log of one process.
    public func log(_ name: String) -> String { "\(logs)/\(name).log" }
    var lock: String { "\(path)/supervisor.lock" }

    /// Makes the directory and its `logs` where they are missing, and checks that they are this user's alone.
    public func prepare() throws(Refusal) {
        let parent = (path as NSString).deletingLastPathComponent
        var isMade = FileManager.default.fileExists(atPath: parent)
        if !isMade {
            do {
                try FileManager.default.createDirectory(
                    atPath: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                isMade = true
            } catch {
                throw .notCreated(path: path, reason: "\(parent) cannot be made")
            }
        }
        for directory in [path, logs] {
            if mkdir(directory, 0o700) != 0, errno != EEXIST {
                throw .notCreated(path: directory, reason: String(cString: strerror(errno)))
            }
            try check(directory)
        }
    }

    /// Checks a directory that exists.
    public func check() throws(Refusal) { try check(path) }

    private func check(_ directory: String) throws(Refusal) {
        var status = stat()
        guard lstat(directory, &status) == 0 else {
            throw .notCreated(path: directory, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory(path: directory) }
        guard status.st_uid == getuid() else { throw .ownedByAnother(path: directory, user: status.st_uid) }
        guard status.st_mode & 0o077 == 0 else { throw .openToOthers(path: directory, mode: status.st_mode & 0o777) }
    }

    /// Removes sockets and notes that processes left when they were killed. Only who holds the lock may.
    func removeLeftovers() {
        for file in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            var status = stat()
            guard lstat("\(path)/\(file)", &status) == 0 else { continue }
            let isSocket = status.st_mode & S_IFMT == S_IFSOCK
            let isNote = file.hasSuffix(".collective") || file.contains(".collective.")
            if isSocket || isNote || file == "cluster-file" { unlink("\(path)/\(file)") }
        }
        // Where adapter-caches have left nothing in it.
        rmdir("\(path)/adapters")
    }
}
