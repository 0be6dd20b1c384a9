import CZeroMQ
import Glibc

/// The folder of a local socket, which must be its owner's alone: whoever may write there may listen in another's place.
enum SocketFolder {
    /// Makes the folder of `path` with mode 0700 if it is not there; otherwise requires that mode and owner.
    static func prepare(forSocketAt path: String) throws(TransportError) {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw .folderNotPrivate(path: "/", reason: "a socket needs a folder of its own")
        }
        let folder = String(path[..<slash])
        if mkdir(folder, 0o700) == 0 { return }
        guard errno == EEXIST else {
            throw .folderNotPrivate(path: folder, reason: "it cannot be made: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .folderNotPrivate(path: folder, reason: "it is no folder")
        }
        guard status.st_uid == geteuid() else {
            throw .folderNotPrivate(path: folder, reason: "it belongs to user \(status.st_uid)")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw .folderNotPrivate(
                path: folder,
                reason: "others may enter it (mode \(String(status.st_mode & 0o777, radix: 8)); 700 is needed)")
        }
    }

    /// libzmq takes the place of whatever listens there without a word, so whoever is alive must be found first; a file
    /// that nobody listens on is removed.
    static func claim(path: String, endpoint: String) throws(TransportError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw .endpointInvalid(endpoint: endpoint, reason: "a file that is no socket is there")
        }
        if isAlive(path) { throw .addressInUse(endpoint: endpoint) }
        unlink(path)
    }

    private static func isAlive(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
