import Foundation
import HeddleCluster

/// A shipped cluster file, to be started somewhere else.
enum Topology: String, CaseIterable, Sendable {
    case oneProcess = "one-process"
    case frontAndTwoRanks = "front-and-two-ranks"
    case twoGroups = "two-groups"

    /// The repository's `Cluster`.
    static let shipped = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Cluster").path

    /// Where the demo model and its adapters lie: with the shipped files, or in the folder that `HEDDLE_TEST_CLUSTER` names.
    static let folder = ProcessInfo.processInfo.environment["HEDDLE_TEST_CLUSTER"] ?? shipped

    static var model: String { "\(folder)/demo/model" }
    static let adapters = ["sql", "json", "python", "swift", "french", "german", "spanish", "pirate"]
    static let keys = ["acme": "demo-acme", "beacon": "demo-beacon", "cobalt": "demo-cobalt", "dune": "demo-dune"]

    /// The shipped text, with its own runtime directory and port, and absolute paths.
    func text(runtime: String, port: UInt16) throws -> String {
        let text = try String(contentsOfFile: "\(Self.shipped)/\(rawValue).yaml", encoding: .utf8)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.firstIndex(where: { $0.hasPrefix("cluster:") }) else {
            throw StartedProcess.Failed("\(rawValue).yaml has no cluster line")
        }
        lines.insert("runtime: \(runtime)", at: first + 1)
        lines.insert("weightCache: {directory: \(runtime)-weights}", at: first + 2)
        return lines.joined(separator: "\n")
            .replacing("path: demo/", with: "path: \(Self.folder)/demo/")
            .replacing("keyFile: keys/", with: "keyFile: \(Self.shipped)/keys/")
            .replacing("127.0.0.1:7400", with: "127.0.0.1:\(port)")
            .replacing("127.0.0.1:8000", with: "127.0.0.1:\(try freePort(besides: port))")
    }
}

/// A folder of this test alone, with a short path because ipc sockets lie in it. It goes with its owner.
final class TemporaryFolder: Sendable {
    let path = "/tmp/hct-\(UUID().uuidString.prefix(8).lowercased())"

    init() throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
        return "\(path)/\(name)"
    }

    /// A copy of a folder that a test may spoil.
    func copy(_ folder: String, as name: String) throws -> String {
        let url = URL(fileURLWithPath: folder).resolvingSymlinksInPath()
        try FileManager.default.copyItem(at: url, to: URL(fileURLWithPath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}

/// A port of loopback that nobody has at the moment.
func freePort(besides taken: UInt16 = 0) throws -> UInt16 {
    while true {
        let holder = try PortHolder()
        if holder.port != taken { return holder.port }
    }
}

/// Listens at a port of loopback until it goes.
final class PortHolder: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        // Safety: the address is a `sockaddr_in`, whose size the kernel is told.
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 1) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard isBound else { throw StartedProcess.Failed("no free port: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }
}
