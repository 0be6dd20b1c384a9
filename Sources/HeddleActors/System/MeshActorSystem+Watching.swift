import HeddleCore

/// How the end of a node or an actor is noticed.
extension MeshActorSystem {
    /// What happens to a node: `up` at once if it is connected now, then every loss and return. The stream keeps the last 64
    /// events that nobody has read.
    public func watch(node: NodeName) -> AsyncStream<WatchEvent> { watch(WatchTarget(node: node, actor: nil)) }

    /// What happens to an actor: `up` when its node is connected, `lost` when the node is lost, or when the actor ends or was
    /// never there.
    public func watch(_ identity: ActorIdentity) -> AsyncStream<WatchEvent> {
        watch(WatchTarget(node: identity.node, actor: LocalName(identity)))
    }

    /// Returns once the node is connected; throws `nodeUnreachable` when it is not within this time.
    public func waitUntilUp(_ peer: NodeName, within timeout: Duration = .seconds(5)) async throws {
        guard peer != node else { return }
        let events = watch(node: peer)
        let isUp = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await event in events { if case .up = event { return true } }
                return false
            }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
        guard isUp else { throw RemoteCallError.nodeUnreachable(peer) }
    }

    private func watch(_ target: WatchTarget) -> AsyncStream<WatchEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self, bufferingPolicy: .bufferingNewest(64))
        let number = numberLast.add(1, ordering: .relaxed).newValue
        continuation.onTermination = { [weak self] _ in
            self?.onIOThread { $0.unwatch(target, number: number) }
        }
        let posted = io.post { [self] in meshNode.watch(target, number: number, stream: continuation) }
        if !posted { continuation.finish() }
        return stream
    }
}
