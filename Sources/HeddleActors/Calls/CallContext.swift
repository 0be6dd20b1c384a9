import HeddleCore
import HeddleTransport
import HeddleWire

/// What travels beside a call's arguments: until when its caller waits, and which trace it belongs to.
///
/// Inside a method that was called remotely both are the caller's, so that the calls it makes inherit them.
public struct CallContext: Hashable, Sendable {
    /// On this process's monotonic clock; nil means `MeshLimits.deadlineDefault` from the moment of each call.
    public var deadline: Instant?
    public var trace: TraceContext?

    public init(deadline: Instant? = nil, trace: TraceContext? = nil) {
        self.deadline = deadline
        self.trace = trace
    }

    /// The context of the running task.
    @TaskLocal public static var current = CallContext()

    /// This moment on the clock that deadlines are on.
    public static var now: Instant { Instant(nanoseconds: MonotonicClock.nanoseconds()) }
}

/// Runs the operation with a deadline for every remote call in it, or with the deadline that is already there if that is
/// nearer. Calls that are late throw `RemoteCallError.deadlineExceeded`; the operation itself is not interrupted.
public func withDeadline<Result>(
    _ duration: Duration, isolation: isolated (any Actor)? = #isolation, _ operation: () async throws -> Result
) async rethrows -> Result {
    var context = CallContext.current
    let deadline = CallContext.now.advanced(by: duration)
    context.deadline = min(context.deadline ?? deadline, deadline)
    return try await CallContext.$current.withValue(context, operation: operation, isolation: isolation)
}

/// Runs the operation as part of a trace, which every remote call in it carries along.
public func withTrace<Result>(
    _ trace: TraceContext?, isolation: isolated (any Actor)? = #isolation, _ operation: () async throws -> Result
) async rethrows -> Result {
    var context = CallContext.current
    context.trace = trace
    return try await CallContext.$current.withValue(context, operation: operation, isolation: isolation)
}
