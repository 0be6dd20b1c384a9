import Glibc

/// An endpoint as a cluster file may write it: `ipc`, or `tcp://ADDRESS:PORT` with a numeric address.
enum Endpoint: Hashable {
    /// A socket file in the runtime directory, named by the node.
    case ipc
    case tcp(address: String, port: Int, isLoopback: Bool)

    static let rule = "ipc or tcp://ADDRESS:PORT"

    /// Why a text is no endpoint.
    struct Refusal: Error, Hashable {
        var reason: String
    }

    init(_ text: String) throws(Refusal) {
        if text == "ipc" {
            self = .ipc
            return
        }
        guard text.hasPrefix("tcp://") else { throw Refusal(reason: "“\(text)” must be \(Self.rule)") }
        try self.init(text.dropFirst("tcp://".count), of: text, rule: Self.rule)
    }

    /// `ADDRESS:PORT` alone.
    init(address text: String) throws(Refusal) {
        if text.contains("://") { throw Refusal(reason: "“\(text)” must be \(Self.addressRule)") }
        try self.init(text[...], of: text, rule: Self.addressRule)
    }

    static let addressRule = "ADDRESS:PORT"

    private init(_ rest: Substring, of text: String, rule: String) throws(Refusal) {
        guard let colon = rest.lastIndex(of: ":") else {
            throw Refusal(reason: "“\(text)” names no port; it must be \(rule)")
        }
        let digits = rest[rest.index(after: colon)...]
        guard let port = Int(digits), digits.allSatisfy({ $0.isASCII && $0.isWholeNumber }), (1...65535).contains(port)
        else { throw Refusal(reason: "the port “\(digits)” must be a number from 1 to 65535") }
        let host = String(rest[..<colon])
        if host == "*" || host == "0.0.0.0" || host == "[::]" {
            throw Refusal(reason: "“\(host)” would bind every address; name one")
        }
        if host == "localhost" {
            self = .tcp(address: "127.0.0.1", port: port, isLoopback: true)
            return
        }
        var four = in_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            self = .tcp(address: host, port: port, isLoopback: four.s_addr & 0xFF == 127)
            return
        }
        var six = in6_addr()
        if host.hasPrefix("["), host.hasSuffix("]"), inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &six) == 1
        {
            self = .tcp(address: host, port: port, isLoopback: host == "[::1]")
            return
        }
        throw Refusal(reason: "“\(host)” is not a numeric address (or localhost)")
    }

    /// What libzmq binds and connects.
    ///
    /// - Parameter file: the socket file that `ipc` means.
    func text(file: String) -> String {
        switch self {
        case .ipc: "ipc://\(file)"
        case .tcp(let address, let port, _): "tcp://\(address):\(port)"
        }
    }

    /// The longest path of a socket file that the kernel takes, in bytes.
    static let socketPathByteCountMax = 107
}
