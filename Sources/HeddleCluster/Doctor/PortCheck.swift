import Foundation
import HeddleCore

/// Looks which of a cluster's TCP endpoints cannot be bound now.
public enum PortCheck {
    /// An endpoint that somebody else has, or that this machine has not.
    public struct Taken: Error, Hashable, Sendable, CustomStringConvertible {
        public var endpoint: String
        /// What the cluster wants it for, such as `client of node “front”`.
        public var user: String
        public var reason: String

        /// The endpoint, its use, and why it cannot be bound.
        public var description: String { "\(endpoint) (\(user)) cannot be bound: \(reason)" }
    }

    /// - Parameter host: looks only at nodes of this host; nil takes all.
    public static func taken(in cluster: ClusterConfiguration, host: String? = nil) -> [Taken] {
        var uses: [(endpoint: String, user: String)] = []
        for node in cluster.nodes where host == nil || node.host == host {
            uses.append((node.mesh, "mesh of node “\(node.name)”"))
            if let client = node.client { uses.append((client, "client of node “\(node.name)”")) }
            uses.append((node.inspect, "inspect of node “\(node.name)”"))
            for (use, http) in [("http", node.http), ("metrics", node.metrics)] {
                guard let http else { continue }
                let address = http.address.contains(":") ? "[\(http.address)]" : http.address
                uses.append(("tcp://\(address):\(http.port)", "\(use) of node “\(node.name)”"))
            }
        }
        for group in cluster.groups {
            guard case .zeroMQ(let endpoint) = group.collective else { continue }
            guard host == nil || group.ranks.first.flatMap({ cluster.node($0) })?.host == host else { continue }
            uses.append((endpoint, "collective of group “\(group.name)”"))
        }
        return uses.compactMap { use in
            reason(use.endpoint).map { Taken(endpoint: use.endpoint, user: use.user, reason: $0) }
        }
    }

    /// Why a TCP endpoint cannot be bound; nil where it can, and for other endpoints.
    package static func reason(_ endpoint: String) -> String? {
        guard let parsed = try? Endpoint(endpoint), case .tcp(let address, let port, _) = parsed else { return nil }
        let isSix = address.hasPrefix("[")
        let descriptor = socket(isSix ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        // As libzmq does: connections of an earlier run that still linger are no reason.
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let result: Int32
        if isSix {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = in_port_t(port).bigEndian
            inet_pton(AF_INET6, String(address.dropFirst().dropLast()), &name.sin6_addr)
            result = bound(descriptor, &name)
        } else {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = in_port_t(port).bigEndian
            inet_pton(AF_INET, address, &name.sin_addr)
            result = bound(descriptor, &name)
        }
        return result == 0 ? nil : String(cString: strerror(errno))
    }

    /// Safety: `Name` is a socket address of its family, whose size the kernel is told.
    private static func bound<Name>(_ descriptor: Int32, _ name: inout Name) -> Int32 {
        withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<Name>.size))
            }
        }
    }
}
