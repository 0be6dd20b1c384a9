import Glibc
import HeddleTransport
import Testing

@Suite(.timeLimit(.minutes(1))) struct EndpointTests {
    @Test(arguments: ["tcp://*:5555", "tcp://0.0.0.0:5555", "tcp://[::]:5555"])
    func aWildcardIsRefused(text: String) {
        #expect(throws: TransportError.wildcardBind(endpoint: text)) { try Endpoint(text) }
    }

    @Test(arguments: [
        "", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:x", "tcp://:1", "udp://127.0.0.1:1",
        "ipc://relative", "ipc:///folder/", "inproc://", "tcp://eth0;127.0.0.1:1",
        "ipc:///" + String(repeating: "a", count: 107),
    ])
    func whatIsNoEndpointIsRefused(text: String) {
        let error = #expect(throws: TransportError.self) { try Endpoint(text) }
        guard case .endpointInvalid(text, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func plainTCPBeyondLoopbackMustBeAskedFor() throws {
        let error = #expect(throws: TransportError.self) { try ZeroMQLink(listeningOn: "tcp://192.0.2.1:5555") }
        #expect(error == .insecureEndpoint(endpoint: "tcp://192.0.2.1:5555"))
        _ = try ZeroMQLink(listeningOn: "tcp://192.0.2.1:5555", allowsPlainTCP: true)
        for text in ["tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://[::1]:1", "tcp://localhost:1", "ipc:///a/b"] {
            #expect(try Endpoint(text).isLocal)
        }
        #expect(try !Endpoint("tcp://127.0.0.1.example.org:1").isLocal)
    }

    @Test func anAddressThatIsTakenIsNamed() throws {
        let io = IOThread()
        defer { io.stop() }
        let first = try io.serve(endpoint: "tcp://127.0.0.1:0", onMessage: { _, _ in })
        #expect(throws: TransportError.addressInUse(endpoint: first.endpoint)) {
            try io.serve(endpoint: first.endpoint, onMessage: { _, _ in })
        }
        try withFolder { folder in
            let local = try io.serve(endpoint: "ipc://\(folder)/s", onMessage: { _, _ in })
            #expect(throws: TransportError.addressInUse(endpoint: "ipc://\(folder)/s")) {
                try io.serve(endpoint: "ipc://\(folder)/s", onMessage: { _, _ in })
            }
            local.close()
            #expect(access("\(folder)/s", F_OK) != 0)
            // A file that a crash left behind is in nobody's way.
            var address = BlockingAddress(path: "\(folder)/s")
            address.leaveFileBehind()
            let again = try io.serve(endpoint: "ipc://\(folder)/s", onMessage: { _, _ in })
            again.close()
        }
    }

    @Test func aFolderThatOthersMayEnterIsRefused() throws {
        let io = IOThread()
        defer { io.stop() }
        try withFolder { folder in
            chmod(folder, 0o755)
            let error = #expect(throws: TransportError.self) {
                try io.serve(endpoint: "ipc://\(folder)/s", onMessage: { _, _ in })
            }
            guard case .folderNotPrivate(folder, _)? = error else { throw try #require(error) }
            chmod(folder, 0o700)
        }
    }

    @Test func aMissingFolderIsMadePrivate() throws {
        let io = IOThread()
        defer { io.stop() }
        try withFolder { folder in
            let server = try io.serve(endpoint: "ipc://\(folder)/new/s", onMessage: { _, _ in })
            var status = stat()
            #expect(stat("\(folder)/new", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
            server.close()
            rmdir("\(folder)/new")
        }
    }
}

/// A local socket that was bound and not unlinked, as after a crash.
struct BlockingAddress {
    let path: String

    mutating func leaveFileBehind() {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        close(descriptor)
    }
}

/// A folder of one test, mode 0700, removed when it is empty.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/heddle-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TransportError.closed }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { rmdir(path) }
    return try body(path)
}
