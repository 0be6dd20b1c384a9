/// Where a socket listens or connects, checked before libzmq sees it.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// What carries the bytes.
    public enum Transport: Hashable, Sendable {
        /// Host and port; port 0 takes a free one when it is bound.
        case tcp(host: String, port: UInt16)
        case ipc(path: String)
        case inproc(name: String)
    }

    public let transport: Transport
    public let text: String

    /// The longest path of a local socket in bytes: what `sockaddr_un` holds, with its closing zero.
    public static let pathByteCountMax = 107

    /// Reads `tcp://127.0.0.1:5555`, `tcp://[::1]:5555`, `ipc:///folder/name` or `inproc://name`. An address that means every
    /// interface is refused.
    public init(_ text: String) throws(TransportError) {
        self.text = text
        func invalid(_ reason: String) -> TransportError { .endpointInvalid(endpoint: text, reason: reason) }
        if let rest = text.dropping("tcp://") {
            guard let colon = rest.lastIndex(of: ":") else { throw invalid("a port is missing") }
            let host = String(rest[..<colon])
            let portText = rest[rest.index(after: colon)...]
            if ["*", "0.0.0.0", "[::]", "::", "0"].contains(host) { throw .wildcardBind(endpoint: text) }
            guard let port = UInt16(portText), portText.first != "+" else {
                throw invalid("the port is no number to 65535")
            }
            guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3B && $0 != 0x2F }) else {
                throw invalid("the host is empty or has a character that no host has")
            }
            transport = .tcp(host: host, port: port)
        } else if let path = text.dropping("ipc://") {
            guard path.hasPrefix("/") else { throw invalid("the path must begin with “/”") }
            guard path.utf8.count <= Self.pathByteCountMax else {
                throw invalid(
                    "the path has \(path.utf8.count) bytes; at most \(Self.pathByteCountMax) fit a local socket")
            }
            guard !path.utf8.contains(0), !path.hasSuffix("/") else { throw invalid("the path names no file") }
            transport = .ipc(path: String(path))
        } else if let name = text.dropping("inproc://") {
            guard (1...200).contains(name.utf8.count) else { throw invalid("a name of 1 to 200 bytes is needed") }
            transport = .inproc(name: String(name))
        } else {
            throw invalid("it must begin with tcp://, ipc:// or inproc://")
        }
    }

    public var description: String { text }

    /// Whether no other machine can reach it.
    public var isLocal: Bool {
        switch transport {
        case .ipc, .inproc: return true
        case .tcp(let host, _):
            if host == "localhost" || host == "[::1]" { return true }
            let parts = host.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
        }
    }

    var isInproc: Bool {
        if case .inproc = transport { true } else { false }
    }

    var needsIPv6: Bool {
        if case .tcp(let host, _) = transport { host.hasPrefix("[") } else { false }
    }

    /// Plain TCP that other machines can reach must be asked for.
    func check(allowsPlainTCP: Bool) throws(TransportError) {
        guard isLocal || allowsPlainTCP else { throw .insecureEndpoint(endpoint: text) }
    }
}

extension String {
    fileprivate func dropping(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
