import HeddleCore
import HeddleTransport
import HeddleWire
import Synchronization

/// One call that this node made: what is sent, and who waits for the answer.
final class OutgoingCall: @unchecked Sendable {
    // Safety: `continuation` and `connection` belong to the I/O thread from the moment the call is posted; before that only
    // the caller's task touches them.
    let number: UInt64
    let target: ActorIdentity
    let method: ContractMethod
    let payload: [UInt8]
    let trace: TraceContext?
    let deadline: UInt64
    let patience: Duration
    let isCancelled = Atomic<Bool>(false)
    var continuation: UnsafeContinuation<[UInt8], any Error>?
    /// Where it was sent; nil while it waits for its node to appear.
    var connection: ConnectionID?

    init(
        number: UInt64, target: ActorIdentity, method: ContractMethod, payload: [UInt8], trace: TraceContext?,
        deadline: UInt64, patience: Duration
    ) {
        self.number = number
        self.target = target
        self.method = method
        self.payload = payload
        self.trace = trace
        self.deadline = deadline
        self.patience = patience
    }

    /// Ends the call; only the first end counts.
    func end(_ result: Result<[UInt8], any Error>) {
        // Safety: taken out before it is resumed, so that it resumes exactly once.
        let waiting = continuation
        continuation = nil
        waiting?.resume(with: result)
    }
}
