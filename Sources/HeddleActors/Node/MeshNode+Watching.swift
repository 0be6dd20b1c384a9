import HeddleCore
import HeddleTransport
import HeddleWire

/// Who wants to know when a node or an actor ends.
extension MeshNode {
    /// Starts a watch of ours; its stream hears the present state first, if there is one.
    func watch(_ target: WatchTarget, number: UInt64, stream: AsyncStream<WatchEvent>.Continuation) {
        watches[target, default: [:]][number] = stream
        if target.node == name {
            guard let actor = target.actor else { return }
            stream.yield(system.hosted(actor) == nil ? .lost(incarnation) : .up(incarnation))
            return
        }
        guard case .up(let connection, let present)? = peers[target.node]?.state else { return }
        stream.yield(.up(present))
        if let actor = target.actor { sendUrgent(.watch, on: connection, name: actor) }
    }

    func unwatch(_ target: WatchTarget, number: UInt64) {
        watches[target]?.removeValue(forKey: number)
        if watches[target]?.isEmpty == true { watches.removeValue(forKey: target) }
    }

    /// Another node watches an actor of ours.
    func watched(_ actor: LocalName, by connection: ConnectionID) {
        guard system.hosted(actor) != nil else { return sendUrgent(.ended, on: connection, name: actor) }
        guard watchers[actor] != nil || watchers.count < limits.watchesMax else {
            // Beyond the limit the watcher is told the only safe thing.
            return sendUrgent(.ended, on: connection, name: actor)
        }
        watchers[actor, default: []].insert(connection)
    }

    /// An actor of ours ended.
    func actorEnded(_ actor: LocalName) {
        for connection in watchers.removeValue(forKey: actor) ?? [] { sendUrgent(.ended, on: connection, name: actor) }
        for stream in (watches[WatchTarget(node: name, actor: actor)] ?? [:]).values {
            stream.yield(.lost(incarnation))
        }
    }

    /// An actor of a peer ended.
    func endedRemotely(_ envelope: MeshEnvelope, peer: NodeName, incarnation: Incarnation) {
        let target = WatchTarget(node: peer, actor: LocalName(role: envelope.role, name: envelope.name))
        for stream in (watches[target] ?? [:]).values { stream.yield(.lost(incarnation)) }
    }
}
