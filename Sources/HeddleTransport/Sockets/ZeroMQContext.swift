import CZeroMQ

/// One libzmq context: its threads start with the first socket and end when the last reference goes.
public final class ZeroMQContext: @unchecked Sendable {
    // Safety: libzmq's contexts may be used from any thread.
    let handle: UnsafeMutableRawPointer

    public init() {
        guard let handle = zmq_ctx_new() else { preconditionFailure("libzmq has no memory for a context") }
        self.handle = handle
    }

    // Waits for the sockets to be closed; none lingers, so this takes milliseconds.
    deinit { while zmq_ctx_term(handle) != 0 && zmq_errno() == EINTR {} }
}
