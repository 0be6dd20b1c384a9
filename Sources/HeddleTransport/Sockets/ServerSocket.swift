/// What a bound socket accepts from its peers.
public struct ServerLimits: Hashable, Sendable {
    /// The largest frame; libzmq ends the connection of a peer that sends a larger one.
    public var frameBytesMax: Int
    /// The most frames of a message; one with more is dropped and counted.
    public var framesMax: Int
    /// Bytes that may wait for one peer.
    public var bytesQueuedMax: Int
    /// Peers that have spoken and have not left.
    public var peersMax: Int

    public init(
        frameBytesMax: Int = 1 << 20, framesMax: Int = 2, bytesQueuedMax: Int = 4 << 20, peersMax: Int = 4096
    ) {
        precondition(frameBytesMax > 0 && framesMax > 0 && bytesQueuedMax > 0 && peersMax > 0, "limits are positive")
        self.frameBytesMax = frameBytesMax
        self.framesMax = framesMax
        self.bytesQueuedMax = bytesQueuedMax
        self.peersMax = peersMax
    }
}

/// A socket that programs outside the mesh talk to: raw messages of frames, each from a peer that can be answered.
///
/// A peer begins with its first message and ends when libzmq's monitor tells that its connection is gone, by the close of the
/// socket on its side, the death of its process or host (heartbeats), or a frame over the limit. Peers on `inproc` end unseen.
public final class ServerSocket: Sendable {
    /// Where it really listens: with the port that a bind to port 0 took.
    public let endpoint: String
    private let io: IOThread
    private let limits: ServerLimits
    private let budgets: Locked<[PeerID: ByteBudget]>
    private let malformed: Locked<UInt64>
    private let inside: Inside

    /// The part that belongs to the I/O thread.
    private final class Inside: @unchecked Sendable {
        // Safety: touched on the I/O thread alone.
        var router: RouterSocket?
    }

    fileprivate init(
        io: IOThread, endpoint: Endpoint, limits: ServerLimits, linkLimits: LinkLimits,
        onMessage: @escaping @Sendable (PeerID, [[UInt8]]) -> Void, onGone: @escaping @Sendable (PeerID) -> Void
    ) throws(TransportError) {
        let budgets = Locked<[PeerID: ByteBudget]>([:])
        let malformed = Locked<UInt64>(0)
        let inside = Inside()
        var link = linkLimits
        link.frameBytesMax = limits.frameBytesMax
        let socketLimits = link
        let bound = try io.sync { () throws(TransportError) in
            let router = try RouterSocket(
                io: io, endpoint: endpoint, limits: socketLimits, framing: .upTo(limits.framesMax),
                peersMax: limits.peersMax,
                makeBudget: { peer in
                    let budget = ByteBudget()
                    budgets.withLock { $0[peer] = budget }
                    return budget
                },
                onEvent: { event in
                    switch event {
                    case .message(let peer, let frames): onMessage(peer, frames)
                    case .gone(let peer):
                        _ = budgets.withLock { $0.removeValue(forKey: peer) }
                        onGone(peer)
                    case .malformed: malformed.withLock { $0 += 1 }
                    }
                })
            inside.router = router
            router.onClose = { inside.router = nil }
            return router.endpoint
        }
        guard let bound else { throw .closed }
        self.endpoint = bound
        self.io = io
        self.limits = limits
        self.budgets = budgets
        self.malformed = malformed
        self.inside = inside
    }

    /// Messages that were dropped for their number of frames, or because there were too many peers.
    public var malformedCount: UInt64 { malformed.withLock { $0 } }

    /// Bytes that wait for the peer; nil when it is gone.
    public func bytesQueued(for peer: PeerID) -> Int? { budgets.withLock { $0[peer]?.bytesQueued } }

    /// Queues one message, from any thread. Throws `unreachable` when the peer is gone and `backPressure` when too many bytes
    /// wait for it; a peer that leaves afterwards loses what was queued, and `onGone` tells of it.
    public func send(_ frames: [[UInt8]], to peer: PeerID) throws(TransportError) {
        precondition(!frames.isEmpty, "a message has at least one frame")
        guard let budget = budgets.withLock({ $0[peer] }) else { throw .unreachable }
        try budget.reserve(frames.reduce(0) { $0 + $1.count }, bytesMax: limits.bytesQueuedMax)
        if io.isCurrent {
            try inside.router?.send(frames, to: peer)
        } else {
            // A peer that is gone by then is told by `onGone`.
            let posted = io.post { [inside] in try? inside.router?.send(frames, to: peer) }
            if !posted { throw .closed }
        }
    }

    /// Stops listening and forgets every peer; no closure is called once this has returned. Closing twice is harmless.
    public func close() {
        let inside = inside
        let io = io
        io.sync {
            inside.router?.close(leaving: io)
        }
        budgets.withLock { $0 = [:] }
    }
}

extension IOThread {
    /// Binds a socket on this thread.
    ///
    /// - Parameters:
    ///   - onMessage: called on the I/O thread for each message; it must not block.
    ///   - onGone: called on the I/O thread once for each peer that sent a message, when its connection is gone.
    public func serve(
        endpoint: String, limits: ServerLimits = ServerLimits(), linkLimits: LinkLimits = LinkLimits(),
        allowsPlainTCP: Bool = false, onMessage: @escaping @Sendable (PeerID, [[UInt8]]) -> Void,
        onGone: @escaping @Sendable (PeerID) -> Void = { _ in }
    ) throws(TransportError) -> ServerSocket {
        let checked = try Endpoint(endpoint)
        try checked.check(allowsPlainTCP: allowsPlainTCP)
        return try ServerSocket(
            io: self, endpoint: checked, limits: limits, linkLimits: linkLimits, onMessage: onMessage, onGone: onGone)
    }
}
