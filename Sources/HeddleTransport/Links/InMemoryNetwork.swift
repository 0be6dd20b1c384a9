/// Connects links within one process, each with its own I/O thread: the whole path but for the bytes of a socket.
public final class InMemoryNetwork: Sendable {
    private struct State {
        var listeners: [String: InMemoryLink] = [:]
        var dialers: [String: [(link: InMemoryLink, dial: DialID)]] = [:]
        var numberLast: UInt64 = 0
    }

    private let state = Locked(State())
    private let limits: LinkLimits

    public init(limits: LinkLimits = LinkLimits()) { self.limits = limits }

    /// A link that listens under this name, or only dials. The name is any text.
    public func link(listeningOn endpoint: String?) -> InMemoryLink {
        InMemoryLink(network: self, endpoint: endpoint, limits: limits)
    }

    /// Cuts every connection from or to the listener, as if its process had died; dialers connect again at once if it is
    /// still open.
    public func cut(endpoint: String) {
        let links = state.withLock { state in
            [state.listeners[endpoint]].compactMap { $0 } + (state.dialers[endpoint] ?? []).map(\.link)
        }
        for link in links { link.onThread { $0.cutConnections(endpoint: endpoint) } }
    }

    func nextNumber() -> UInt64 {
        state.withLock { state in
            state.numberLast += 1
            return state.numberLast
        }
    }

    func listen(_ link: InMemoryLink, endpoint: String) throws(TransportError) {
        let waiting: [(link: InMemoryLink, dial: DialID)] = try state.withLock { state throws(TransportError) in
            guard state.listeners[endpoint] == nil else { throw TransportError.addressInUse(endpoint: endpoint) }
            state.listeners[endpoint] = link
            return state.dialers[endpoint] ?? []
        }
        for dialer in waiting { connect(dialer.link, dial: dialer.dial, endpoint: endpoint) }
    }

    func dial(_ link: InMemoryLink, endpoint: String) -> DialID {
        let dial = DialID(number: nextNumber())
        state.withLock { $0.dialers[endpoint, default: []].append((link, dial)) }
        connect(link, dial: dial, endpoint: endpoint)
        return dial
    }

    func leave(_ link: InMemoryLink) {
        state.withLock { state in
            state.listeners = state.listeners.filter { $0.value !== link }
            state.dialers = state.dialers.mapValues { $0.filter { $0.link !== link } }
        }
    }

    func connect(_ dialer: InMemoryLink, dial: DialID, endpoint: String) {
        guard let listener = state.withLock({ $0.listeners[endpoint] }) else { return }
        let near = ConnectionID(number: nextNumber())
        let far = ConnectionID(number: nextNumber())
        // Each side learns of it in its own thread's order, the listener first: it must be ready when the dialer speaks.
        listener.onThread { listener in
            listener.opened(far, peer: dialer, peerConnection: near, dial: nil, endpoint: endpoint)
            dialer.onThread { dialer in
                dialer.opened(near, peer: listener, peerConnection: far, dial: dial, endpoint: endpoint)
            }
        }
    }
}
