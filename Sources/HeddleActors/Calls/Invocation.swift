import Distributed
import HeddleWire

/// Collects a call's arguments, one after the other, in Heddle's own coding.
public struct MeshInvocationEncoder: DistributedTargetInvocationEncoder {
    public typealias SerializationRequirement = WireCodable

    var arguments = WireWriter()
    var isGeneric = false

    public mutating func recordGenericSubstitution<T>(_ type: T.Type) throws { isGeneric = true }

    public mutating func recordArgument<Value: WireCodable>(_ argument: RemoteCallArgument<Value>) throws {
        argument.value.encode(into: &arguments)
    }

    public mutating func recordErrorType<Failure: Error>(_ type: Failure.Type) throws {}
    public mutating func recordReturnType<Value: WireCodable>(_ type: Value.Type) throws {}
    public mutating func doneRecording() throws {}
}

/// Hands a call's arguments out in order. The types are those of the method that the contract's index named; the bytes
/// decide values alone.
public struct MeshInvocationDecoder: DistributedTargetInvocationDecoder {
    public typealias SerializationRequirement = WireCodable

    var arguments: WireReader

    public mutating func decodeGenericSubstitutions() throws -> [any Any.Type] { [] }

    public mutating func decodeNextArgument<Argument: WireCodable>() throws -> Argument {
        try Argument(from: &arguments)
    }

    public mutating func decodeErrorType() throws -> (any Any.Type)? { nil }
    public mutating func decodeReturnType() throws -> (any Any.Type)? { nil }
}

/// Keeps how a method ended until the I/O thread sends it.
public struct MeshResultHandler: DistributedTargetInvocationResultHandler {
    public typealias SerializationRequirement = WireCodable

    let call: IncomingCall

    public func onReturn<Success: WireCodable>(value: Success) async throws {
        call.outcome = .success(value.wireBytes())
    }
    public func onReturnVoid() async throws { call.outcome = .success([]) }
    public func onThrow<Failure: Error>(error: Failure) async throws {
        call.outcome = .failure(IncomingCall.reason(error))
    }
}
