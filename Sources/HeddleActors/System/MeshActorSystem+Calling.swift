import Distributed
import HeddleCore
import HeddleTransport
import HeddleWire

/// How a call leaves this node and its answer comes back.
extension MeshActorSystem {
    public func remoteCall<Act: DistributedActor, Failure: Error, Success: WireCodable>(
        on actor: Act, target: RemoteCallTarget, invocation: inout MeshInvocationEncoder, throwing: Failure.Type,
        returning: Success.Type
    ) async throws -> Success where Act.ID == ActorIdentity {
        let bytes = try await call(actor.id, target: target, invocation: invocation)
        do throws(WireError) {
            return try Success(wireBytes: bytes)
        } catch {
            throw RemoteCallError.resultUnreadable(reason: error.description)
        }
    }

    public func remoteCallVoid<Act: DistributedActor, Failure: Error>(
        on actor: Act, target: RemoteCallTarget, invocation: inout MeshInvocationEncoder, throwing: Failure.Type
    ) async throws where Act.ID == ActorIdentity {
        _ = try await call(actor.id, target: target, invocation: invocation)
    }

    private func call(
        _ identity: ActorIdentity, target: RemoteCallTarget, invocation: MeshInvocationEncoder
    ) async throws -> [UInt8] {
        guard !invocation.isGeneric else { throw RemoteCallError.genericMethod(target: target.identifier) }
        guard let method = contracts.method(of: target.identifier) else {
            throw RemoteCallError.notInContract(target: target.identifier)
        }
        let context = CallContext.current
        let now = MonotonicClock.nanoseconds()
        let deadline = context.deadline?.nanoseconds ?? now.addingClamped(UInt64(nanosecondsOf: limits.deadlineDefault))
        let patience = Duration.nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))
        let call = OutgoingCall(
            number: numberLast.add(1, ordering: .relaxed).newValue, target: identity, method: method,
            payload: invocation.arguments.bytes, trace: context.trace, deadline: deadline, patience: patience)
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                call.continuation = continuation
                begin(call)
            }
        } onCancel: {
            // Set before the post: a call that has not begun yet sees the flag, one that has is found by the post.
            call.isCancelled.store(true, ordering: .releasing)
            onIOThread { $0.cancel(call) }
        }
    }

    private func begin(_ call: OutgoingCall) {
        if io.isCurrent { return meshNode.begin(call) }
        let posted = io.post { [self] in meshNode.begin(call) }
        if !posted { call.end(.failure(RemoteCallError.shuttingDown(node))) }
    }

    /// Runs on the I/O thread: at once if that is the current one.
    func onIOThread(_ body: @escaping @Sendable (MeshNode) -> Void) {
        if io.isCurrent { body(meshNode) } else { io.post { [self] in body(meshNode) } }
    }

    /// A served call's task is through.
    func ended(_ call: IncomingCall) {
        starting.end()
        onIOThread { $0.ended(call) }
    }

    public func invokeHandlerOnReturn(
        handler: MeshResultHandler, resultBuffer: UnsafeRawPointer, metatype: any Any.Type
    ) async throws {
        guard let type = metatype as? any WireCodable.Type else {
            throw RemoteCallError.resultUnreadable(reason: "\(metatype) does not cross the wire")
        }
        func load<Value: WireCodable>(_ type: Value.Type) async throws {
            // Safety: the runtime hands over a buffer that holds a value of exactly this type.
            try await handler.onReturn(value: resultBuffer.assumingMemoryBound(to: type).pointee)
        }
        try await load(type)
    }
}
