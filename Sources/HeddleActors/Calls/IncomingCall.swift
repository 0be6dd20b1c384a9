import Distributed
import HeddleCore
import HeddleTransport
import HeddleWire
import Synchronization

/// One call that another node made: where its answer goes, and the task that runs it.
final class IncomingCall: @unchecked Sendable {
    // Safety: everything that changes is touched on the I/O thread or inside the call's own task, whose pieces there do not
    // overlap: `outcome` is written by the result handler before `ended` is posted.
    /// A call number is unique only among its connection's calls.
    struct Key: Hashable {
        let connection: ConnectionID
        let number: UInt64
    }

    let key: Key
    let hosted: HostedActor
    let method: ContractMethod
    let payload: [UInt8]
    let context: CallContext
    let ticket: UInt64
    var outcome: Result<[UInt8], any Error>?
    var task: Task<Void, Never>?

    init(key: Key, hosted: HostedActor, method: ContractMethod, payload: [UInt8], context: CallContext, ticket: UInt64)
    {
        self.key = key
        self.hosted = hosted
        self.method = method
        self.payload = payload
        self.context = context
        self.ticket = ticket
    }

    /// Runs the method and leaves its outcome. Runs on the I/O thread up to the hop onto the actor.
    func run(system: MeshActorSystem) async {
        guard let actor = hosted.actor else {
            outcome = .failure(RemoteCallError.noActor(hosted.ledger.identity))
            return
        }
        await execute(on: actor, system: system)
    }

    private func execute(on actor: some DistributedActor, system: MeshActorSystem) async {
        var decoder = MeshInvocationDecoder(arguments: WireReader(payload))
        do {
            try await CallContext.$current.withValue(context) {
                system.starting.begin(self)
                if let serving = system.contracts.serving(at: method.index) {
                    outcome = .success(try await serving.run(actor, &decoder))
                    return
                }
                try await system.executeDistributedTarget(
                    on: actor, target: RemoteCallTarget(method.target), invocationDecoder: &decoder,
                    handler: MeshResultHandler(call: self))
            }
        } catch {
            outcome = .failure(Self.reason(error))
        }
    }

    /// What the runtime throws before it reaches the method, in the terms of the wire.
    static func reason(_ error: any Error) -> any Error {
        switch error {
        case let error as WireError: RemoteCallError.argumentsUnreadable(reason: error.description)
        case let error as ExecuteDistributedTargetError: RemoteCallError.argumentsUnreadable(reason: error.message)
        default: error
        }
    }
}

/// One actor of this node that others can call.
final class HostedActor: @unchecked Sendable {
    // Safety: the references are behind a lock.
    let ledger: ActorLedger
    let executor: ActorExecutor?
    /// The actor's type declares the executor that it must.
    let executorWasAsked = Atomic<Bool>(false)
    private let kept = Locked<(strong: (any DistributedActor)?, weak: Weak)>((nil, Weak()))

    struct Weak { weak var actor: (any DistributedActor)? }

    init(ledger: ActorLedger, executor: ActorExecutor?) {
        self.ledger = ledger
        self.executor = executor
    }

    var actor: (any DistributedActor)? { kept.withLock { $0.strong ?? $0.weak.actor } }

    /// The actor's init is through; a hosted one is kept until it is retired, an unnamed one only as long as others keep it.
    func ready(_ actor: any DistributedActor) {
        kept.withLock { $0.weak = Weak(actor: actor) }
    }

    func keep() { kept.withLock { $0.strong = $0.weak.actor } }

    func release() {
        let last = kept.withLock { kept in
            defer { kept.strong = nil }
            return kept.strong
        }
        // The actor's own end may come here, outside the lock: it resigns its identity.
        _ = last
    }
}
