import HeddleCore
import HeddleTransport

/// A program's way into the mesh: submits requests to a router and hands out their answers as they come.
///
/// A client may be used from any task. It goes to the next of its endpoints when a router falls silent, and takes every
/// open answer up there from the token where it stopped.
public final class MeshClient: Sendable {
    private let io: IOThread
    private let driver: ClientDriver
    private let isClosed = Locked(false)

    /// - Parameter endpoints: client sockets of routers of one mesh, such as `tcp://127.0.0.1:4710`; at least one.
    /// - Throws: `TransportError.endpointInvalid`, or what the system refuses. A router that is not there shows only in
    ///   the answers.
    public init(endpoints: [String], limits: MeshClientLimits = MeshClientLimits()) throws(TransportError) {
        guard !endpoints.isEmpty else { throw .endpointInvalid(endpoint: "", reason: "a client needs one") }
        let io = IOThread(name: "heddle-client")
        self.io = io
        do throws(TransportError) {
            let driver = try ClientDriver(io: io, endpoints: endpoints, limits: limits)
            self.driver = driver
            try io.sync { () throws(TransportError) in try driver.open() }
        } catch {
            io.stop()
            throw error
        }
    }

    deinit { close() }

    /// Sends the request and returns its answer.
    /// - Throws: `RequestFailure` with the code of a `RequestError` where the request can be served by no router.
    public func submit(_ submission: ClientSubmission) throws(RequestFailure) -> AnswerStream {
        let (id, driver, io) = (submission.id, driver, io)
        let buffer = AnswerBuffer()
        let isSubmitted: Void? = try io.sync { () throws(RequestFailure) in try driver.submit(submission, into: buffer)
        }
        guard isSubmitted != nil else { throw RequestFailure(id: id, .shuttingDown) }
        return AnswerStream(
            id: id, buffer: buffer, taken: { count in io.post { driver.taken(id, of: buffer, tokenCount: count) } },
            cancel: { io.post { driver.cancel(id, of: buffer) } })
    }

    /// Cancels what is open and leaves the mesh. Cancellations get a quarter of a second to go out.
    public func close() {
        guard
            isClosed.withLock({ isClosed in
                defer { isClosed = true }
                return !isClosed
            })
        else { return }
        let driver = driver
        _ = io.sync { driver.close() }
        io.stop()
    }
}
