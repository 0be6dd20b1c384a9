import Distributed
import HeddleWire

/// How one method is served without the runtime's look-up: a closure that reads the arguments, calls, and writes the result.
///
/// A method without one is served through `executeDistributedTarget`, which takes the method's symbol apart and finds its
/// types anew for every call: 5 to 6 µs, half of what a call costs its callee. Methods that are called for every step or
/// token deserve the line; the compiler holds it to the method, and the table to the name.
public struct ContractServing: Sendable {
    let name: String
    let run: @Sendable (any DistributedActor, inout MeshInvocationDecoder) async throws -> [UInt8]

    /// - Parameters:
    ///   - name: the method's name in the table, as `Type.method(labels:)`.
    ///   - serve: takes each argument with `arguments.decodeNextArgument()`, in order; returns the result's `wireBytes()`.
    public init<Act: DistributedActor>(
        _ name: String, on type: Act.Type,
        _ serve: @escaping @Sendable (Act, inout MeshInvocationDecoder) async throws -> [UInt8]
    ) where Act.ActorSystem == MeshActorSystem {
        self.name = name
        run = { actor, arguments in
            guard let actor = actor as? Act else {
                throw RemoteCallError.argumentsUnreadable(reason: "the actor is no \(Act.self)")
            }
            return try await serve(actor, &arguments)
        }
    }
}
