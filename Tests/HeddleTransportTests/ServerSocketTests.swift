import Glibc
import HeddleTransport
import Testing

@Suite(.timeLimit(.minutes(1))) struct ServerSocketTests {
    enum Heard: Equatable, Sendable {
        case message(PeerID, [[UInt8]])
        case gone(PeerID)
    }

    /// What a server's closures were told, for a test that waits for it.
    final class Log: Sendable {
        private let heard = Locked<[Heard]>([])
        private let signal = Signal()
        func add(_ event: Heard) {
            heard.withLock { $0.append(event) }
            signal.raise()
        }
        func next() -> Heard? {
            signal.wait()
            return heard.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }

    func serve(
        _ io: IOThread, _ endpoint: String, limits: ServerLimits = ServerLimits(),
        linkLimits: LinkLimits = LinkLimits(), _ log: Log
    ) throws -> ServerSocket {
        try io.serve(
            endpoint: endpoint, limits: limits, linkLimits: linkLimits, onMessage: { log.add(.message($0, $1)) },
            onGone: { log.add(.gone($0)) })
    }

    @Test(arguments: [false, true]) func aPeerIsAnsweredAndItsEndIsNoticed(overTCP: Bool) throws {
        let io = IOThread()
        defer { io.stop() }
        try withFolder { folder in
            let log = Log()
            let server = try serve(io, overTCP ? "tcp://127.0.0.1:0" : "ipc://\(folder)/s", log)
            var peer: PeerID?
            do {
                let client = try BlockingSocket(.dealer)
                try client.connect(server.endpoint)
                try client.send([[1], [2, 3]], timeout: .seconds(5))
                guard case .message(let id, let frames)? = log.next() else { throw TransportError.closed }
                #expect(frames == [[1], [2, 3]])
                try server.send([[4], []], to: id)
                #expect(try client.receive(timeout: .seconds(5)) == [[4], []])
                peer = id
            }
            let gone = try #require(peer)
            #expect(log.next() == .gone(gone))
            #expect(throws: TransportError.unreachable) { try server.send([[5]], to: gone) }
            server.close()
        }
    }

    @Test func tooManyFramesAreDroppedAndTheRestIsServed() throws {
        let io = IOThread()
        defer { io.stop() }
        let log = Log()
        let server = try serve(io, "tcp://127.0.0.1:0", limits: ServerLimits(framesMax: 2), log)
        let client = try BlockingSocket(.dealer)
        try client.connect(server.endpoint)
        try client.send([[1], [2], [3]], timeout: .seconds(5))
        try client.send([[4]], timeout: .seconds(5))
        guard case .message(_, let frames)? = log.next() else { throw TransportError.closed }
        #expect(frames == [[4]])
        #expect(server.malformedCount == 1)
        server.close()
    }

    @Test func aFrameOverTheLimitEndsItsSenderAlone() throws {
        let io = IOThread()
        defer { io.stop() }
        let log = Log()
        let server = try serve(io, "tcp://127.0.0.1:0", limits: ServerLimits(frameBytesMax: 1000), log)
        let good = try BlockingSocket(.dealer)
        try good.connect(server.endpoint)
        try good.send([[1]], timeout: .seconds(5))
        guard case .message(let goodPeer, _)? = log.next() else { throw TransportError.closed }
        let bad = try BlockingSocket(.dealer)
        try bad.connect(server.endpoint)
        try bad.send([[2]], timeout: .seconds(5))
        guard case .message(let badPeer, _)? = log.next() else { throw TransportError.closed }
        try bad.send([[UInt8](repeating: 0, count: 1001)], timeout: .seconds(5))
        #expect(log.next() == .gone(badPeer))
        try good.send([[3]], timeout: .seconds(5))
        #expect(log.next() == .message(goodPeer, [[3]]))
        server.close()
    }

    @Test func bytesThatAreNoZMTPDisturbNobody() throws {
        let io = IOThread()
        defer { io.stop() }
        try withFolder { folder in
            let log = Log()
            let server = try serve(io, "ipc://\(folder)/s", log)
            let good = try BlockingSocket(.dealer)
            try good.connect(server.endpoint)
            try good.send([[1]], timeout: .seconds(5))
            guard case .message(let peer, _)? = log.next() else { throw TransportError.closed }
            for length in [0, 1, 10, 64, 5000] {
                let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array("\(folder)/s".utf8)) }
                let connected = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                    }
                }
                #expect(connected == 0)
                let garbage = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
                _ = Glibc.send(descriptor, garbage, garbage.count, Int32(MSG_NOSIGNAL))
                close(descriptor)
            }
            try good.send([[2]], timeout: .seconds(5))
            #expect(log.next() == .message(peer, [[2]]))
            server.close()
        }
    }

    @Test func aPeerThatReadsNothingPushesBackAndTheOthersDoNotNotice() throws {
        let io = IOThread()
        defer { io.stop() }
        try withFolder { folder in
            let log = Log()
            var small = LinkLimits()
            small.messagesInsideMax = 1
            let server = try serve(
                io, "ipc://\(folder)/s", limits: ServerLimits(bytesQueuedMax: 100_000), linkLimits: small, log)
            let deaf = try BlockingSocket(.dealer, limits: small)
            try deaf.connect(server.endpoint)
            try deaf.send([[1]], timeout: .seconds(5))
            guard case .message(let deafPeer, _)? = log.next() else { throw TransportError.closed }
            let good = try BlockingSocket(.dealer)
            try good.connect(server.endpoint)
            try good.send([[2]], timeout: .seconds(5))
            guard case .message(let goodPeer, _)? = log.next() else { throw TransportError.closed }
            let chunk = [UInt8](repeating: 7, count: 30_000)
            var refused: TransportError?
            for _ in 0..<1000 where refused == nil {
                do throws(TransportError) { try server.send([chunk], to: deafPeer) } catch { refused = error }
            }
            guard case .backPressure(let queued, 100_000)? = refused else { throw try #require(refused) }
            #expect(queued <= 100_000)
            try server.send([[9]], to: goodPeer)
            #expect(try good.receive(timeout: .seconds(5)) == [[9]])
            server.close()
        }
    }

    @Test func receiveSaysNilWhenNothingComes() throws {
        let pair = try BlockingSocket(.pair)
        try pair.connect("inproc://nobody")
        #expect(try pair.receive(timeout: .milliseconds(1)) == nil)
        #expect(throws: TransportError.timedOut(after: .milliseconds(1))) {
            try BlockingSocket.sendOne(to: "tcp://127.0.0.1:1")
        }
    }

    @Test func aStoppedThreadServesNothing() throws {
        let io = IOThread()
        io.stop()
        #expect(throws: TransportError.closed) { try io.serve(endpoint: "tcp://127.0.0.1:0", onMessage: { _, _ in }) }
        #expect(io.post {} == false)
    }
}

extension BlockingSocket {
    static func sendOne(to endpoint: String) throws {
        let socket = try BlockingSocket(.push)
        try socket.connect(endpoint)
        try socket.send([[1]], timeout: .milliseconds(1))
    }
}
