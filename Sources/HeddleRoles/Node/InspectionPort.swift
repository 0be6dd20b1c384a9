import HeddleCore
import HeddleTransport
import HeddleWire

/// A node's inspection socket. It is answered on the I/O thread from what lies ready, without asking any actor.
final class InspectionPort: Sendable {
    private let server: ServerSocket

    private init(_ server: ServerSocket) { self.server = server }

    /// Listens at the endpoint and answers every question with what `answer` says at the moment.
    static func open(
        _ endpoint: String, on io: IOThread, isInsecure: Bool,
        answer: @escaping @Sendable (InspectionQuery, InspectionLimits) -> NodeReport
    ) throws(TransportError) -> InspectionPort {
        let limits = InspectionLimits()
        let reply = Locked<ServerSocket?>(nil)
        let server = try io.serve(
            endpoint: endpoint,
            limits: ServerLimits(frameBytesMax: limits.requestByteCountMax, framesMax: 8, peersMax: 256),
            allowsPlainTCP: isInsecure,
            onMessage: { peer, frames in
                guard let server = reply.withLock({ $0 }) else { return }
                let reply = Self.reply(to: frames, limits: limits, answer)
                // An inspector that is gone, or does not read, gets nothing.
                try? server.send(reply.frames(limits: limits), to: peer)
            })
        reply.withLock { $0 = server }
        return InspectionPort(server)
    }

    private static func reply(
        to frames: [[UInt8]], limits: InspectionLimits, _ answer: (InspectionQuery, InspectionLimits) -> NodeReport
    ) -> InspectReply {
        do {
            let request = try InspectRequest(frames: frames, limits: limits)
            return InspectReply(number: request.number, outcome: .report(answer(request.query, limits)))
        } catch {
            return InspectReply(number: 0, outcome: .refused("\(error)"))
        }
    }

    func close() { server.close() }
}
