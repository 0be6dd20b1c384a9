import Distributed
import HeddleCore
import HeddleTransport

/// How actors come to be and end.
extension MeshActorSystem {
    /// Identities that the actor being made right now takes, instead of an anonymous one.
    @TaskLocal static var reserved: ActorIdentity?

    /// This node's identity for a role and name, to be hosted under.
    public func identity(role: RoleName, name: ActorName) -> ActorIdentity {
        ActorIdentity(node: node, role: role, name: name, incarnation: incarnation)
    }

    /// Makes an actor under a name that others can resolve, and keeps it until `retire` or `shutdown`.
    ///
    /// The actor must declare
    /// `nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.executor(of: id) }`,
    /// which is how it gets to its place and how its account sees its work. A name that is taken is a programmer's error.
    @discardableResult
    public func host<Act: DistributedActor>(
        role: RoleName, name: ActorName, on place: ActorPlace = .ownThread, _ make: () throws -> Act
    ) rethrows -> Act where Act.ActorSystem == MeshActorSystem {
        let identity = reserve(role: role, name: name, place: place)
        do {
            return keep(try Self.$reserved.withValue(identity, operation: make), as: identity)
        } catch {
            resignID(identity)
            throw error
        }
    }

    /// As above, for an actor whose init is async.
    @discardableResult
    public func host<Act: DistributedActor>(
        role: RoleName, name: ActorName, on place: ActorPlace = .ownThread, _ make: () async throws -> Act
    ) async rethrows -> Act where Act.ActorSystem == MeshActorSystem {
        let identity = reserve(role: role, name: name, place: place)
        do {
            return keep(try await Self.$reserved.withValue(identity, operation: make), as: identity)
        } catch {
            resignID(identity)
            throw error
        }
    }

    /// Lets go of a hosted actor: calls to it fail with `noActor`, watchers hear that it is lost; calls under way end.
    public func retire(_ identity: ActorIdentity) { resignID(identity) }

    /// Where a hosted actor runs; the I/O thread for any other.
    public func executor(of identity: ActorIdentity) -> UnownedSerialExecutor {
        guard identity.node == node, let hosted = hosted(LocalName(identity)), let executor = hosted.executor else {
            return io.serialExecutor.asUnownedSerialExecutor()
        }
        hosted.executorWasAsked.store(true, ordering: .relaxed)
        return executor.asUnownedSerialExecutor()
    }

    private func reserve(role: RoleName, name: ActorName, place: ActorPlace) -> ActorIdentity {
        precondition(
            RoleName.isValid(role.text) && ActorName.isValid(name.text), "an actor needs a valid role and name")
        let identity = identity(role: role, name: name)
        let target: ActorExecutor.Target
        let placeName: String
        switch place {
        case .ioThread:
            target = .io(io.serialExecutor)
            placeName = "I/O thread"
        case .thread(let thread):
            target = .thread(thread)
            placeName = "thread \(thread.name)"
        case .ownThread:
            let thread = DedicatedThreadExecutor(name: "\(role)-\(name)")
            registry.withLock { $0.threads.append(thread) }
            target = .thread(thread)
            placeName = "thread \(thread.name)"
        }
        let ledger = ActorLedger(identity: identity, place: placeName, limits: limits)
        let hosted = HostedActor(
            ledger: ledger, executor: ActorExecutor(target: target, ledger: ledger, starting: starting))
        let taken = registry.withLock { registry in
            guard registry.hosted[LocalName(identity)] == nil else { return true }
            registry.hosted[LocalName(identity)] = hosted
            registry.executors.append(hosted)
            return false
        }
        precondition(!taken, "node “\(node)” already hosts \(identity)")
        return identity
    }

    private func keep<Act: DistributedActor>(_ actor: Act, as identity: ActorIdentity) -> Act
    where Act.ActorSystem == MeshActorSystem {
        precondition(actor.id == identity, "host's closure must make and return exactly one actor")
        _ = actor.unownedExecutor
        precondition(
            hosted(LocalName(identity))?.executorWasAsked.load(ordering: .relaxed) != false,
            "\(Act.self) must declare: nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.executor(of: id) }"
        )
        hosted(LocalName(identity))?.keep()
        return actor
    }

    public func assignID<Act: DistributedActor>(_ actorType: Act.Type) -> ActorIdentity where Act.ID == ActorIdentity {
        if let identity = Self.reserved {
            let ledger = hosted(LocalName(identity))?.ledger
            ledger?.named("\(Act.self)")
            return identity
        }
        return registry.withLock { registry in
            registry.anonymousLast += 1
            return identity(role: RoleName("anonymous"), name: ActorName("\(registry.anonymousLast)"))
        }
    }

    public func actorReady<Act: DistributedActor>(_ actor: Act) where Act.ID == ActorIdentity {
        let name = LocalName(actor.id)
        registry.withLock { registry in
            if registry.hosted[name] == nil {
                let ledger = ActorLedger(identity: actor.id, place: "I/O thread", limits: limits)
                ledger.named("\(Act.self)")
                registry.hosted[name] = HostedActor(ledger: ledger, executor: nil)
            }
            return registry.hosted[name]
        }?.ready(actor)
    }

    public func resignID(_ id: ActorIdentity) {
        let name = LocalName(id)
        guard let hosted = registry.withLock({ $0.hosted.removeValue(forKey: name) }) else { return }
        io.post { [self] in meshNode.actorEnded(name) }
        hosted.release()
    }
}
