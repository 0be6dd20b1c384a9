import HeddleCore
import HeddleTransport
import HeddleWire

/// How a connection begins and ends.
extension MeshNode {
    func opened(_ id: ConnectionID, dial: DialID?) {
        guard connections.count < limits.connectionsMax else { return }
        let dialed = dial.flatMap { dials[$0] }
        connections[id] = MeshConnection(dialed: dialed, state: .greeting)
        if dialed != nil { greet(id) }
    }

    private func greet(_ id: ConnectionID) {
        let hello = MeshHello(node: name.text, contractDigest: contracts.digest)
        sendUrgent(.hello, on: id, payload: hello.packed())
    }

    /// A hello came: accept the peer, or refuse it with both sides' values.
    func greeted(_ envelope: MeshEnvelope, _ payload: [UInt8], on id: ConnectionID) {
        guard let connection = connections[id], case .greeting = connection.state else {
            return count { $0.messagesUngreeted += 1 }
        }
        let hello: MeshHello
        do throws(WireError) {
            hello = try MeshHello(unpacking: payload)
        } catch {
            return unreadable("hello: \(error)")
        }
        let peer = NodeName(hello.node)
        if let refusal = refusal(of: hello, peer: peer, incarnation: envelope.incarnation, dialed: connection.dialed) {
            count { $0.handshakesRefused += 1 }
            connections[id]?.state = .refused
            sendUrgent(.refused, on: id, payload: refusal.packed())
            if let dialed = connection.dialed { refuse(dialed, on: id, refusal) }
            tell(.handshakeRefused(refusal, node: peers[peer] == nil ? nil : peer, byPeer: false))
            return
        }
        connections[id]?.state = .up(peer, envelope.incarnation)
        if connection.dialed == nil { greet(id) }
        nodeUp(peer, envelope.incarnation, on: id)
    }

    private func refusal(
        of hello: MeshHello, peer: NodeName, incarnation: Incarnation, dialed: NodeName?
    ) -> MeshRefusal? {
        func hexadecimal(_ digest: UInt64) -> String { "0x" + String(digest, radix: 16) }
        if isClosing {
            return MeshRefusal(reason: .shuttingDown, ours: name.text, theirs: hello.node.cut(byteCountMax: 128))
        }
        if hello.version != WireVersion.current {
            return MeshRefusal(reason: .version, ours: "\(WireVersion.current)", theirs: "\(hello.version)")
        }
        if hello.contractDigest != contracts.digest {
            return MeshRefusal(
                reason: .contract, ours: hexadecimal(contracts.digest), theirs: hexadecimal(hello.contractDigest))
        }
        guard let known = peers[peer], dialed == nil || dialed == peer else {
            return MeshRefusal(reason: .unknownNode, ours: name.text, theirs: hello.node.cut(byteCountMax: 128))
        }
        if known.incarnationsReplaced.contains(incarnation), let present = known.incarnationLast {
            return MeshRefusal(reason: .staleIncarnation, ours: present.description, theirs: incarnation.description)
        }
        return nil
    }

    func refusedByPeer(_ payload: [UInt8], on id: ConnectionID) {
        guard let connection = connections[id], case .greeting = connection.state else {
            return count { $0.messagesUngreeted += 1 }
        }
        let refusal: MeshRefusal
        do throws(WireError) {
            refusal = try MeshRefusal(unpacking: payload)
        } catch {
            return unreadable("refusal: \(error)")
        }
        connections[id]?.state = .refused
        if let dialed = connection.dialed { refuse(dialed, on: id, refusal) }
        tell(.handshakeRefused(refusal, node: connection.dialed, byPeer: true))
    }

    /// Calls to the node fail from now on, until a connection that is accepted.
    private func refuse(_ peer: NodeName, on id: ConnectionID, _ refusal: MeshRefusal) {
        // A connection that is up is not disturbed by another one that is refused.
        if peers[peer]?.connection != nil { return }
        peers[peer]?.state = .refused(id, refusal)
        failParked(of: peer, with: .handshakeRefused(refusal))
    }

    private func nodeUp(_ peer: NodeName, _ incarnation: Incarnation, on id: ConnectionID) {
        if let old = peers[peer]?.connection, old != id { lose(old) }
        guard var known = peers[peer] else { return }
        if let last = known.incarnationLast, last != incarnation {
            known.incarnationsReplaced.append(last)
            let surplus = known.incarnationsReplaced.count - limits.incarnationsRememberedMax
            if surplus > 0 { known.incarnationsReplaced.removeFirst(surplus) }
        }
        known.incarnationLast = incarnation
        known.state = .up(id, incarnation)
        let parked = known.parked
        known.parked = []
        peers[peer] = known
        tell(.nodeUp(peer, incarnation))
        for (target, streams) in watches where target.node == peer {
            for stream in streams.values { stream.yield(.up(incarnation)) }
            if let actor = target.actor { sendUrgent(.watch, on: id, name: actor) }
        }
        for number in parked {
            guard let call = outgoing[number] else { continue }
            transmit(call, on: id, incarnation: incarnation)
        }
    }

    func closed(_ id: ConnectionID) {
        guard let connection = connections[id] else { return }
        lose(id)
        if let dialed = connection.dialed, case .refused(let refused, _)? = peers[dialed]?.state, refused == id {
            let wasSeen = peers[dialed]?.incarnationLast != nil
            peers[dialed]?.state = wasSeen ? .lost : .neverSeen
        }
    }

    /// Ends everything that was under way on the connection.
    private func lose(_ id: ConnectionID) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        for key in watchers.keys { watchers[key]?.remove(id) }
        for (key, call) in incoming where key.connection == id { call.task?.cancel() }
        guard case .up(let peer, let incarnation) = connection.state, peers[peer]?.connection == id else { return }
        peers[peer]?.state = .lost
        count { $0.nodesLost += 1 }
        let failed = outgoing.values.filter { $0.connection == id }.sorted { $0.number < $1.number }
        for call in failed {
            outgoing.removeValue(forKey: call.number)
            call.end(.failure(RemoteCallError.nodeLost(peer)))
        }
        for (target, streams) in watches where target.node == peer {
            for stream in streams.values { stream.yield(.lost(incarnation)) }
        }
        tell(.nodeLost(peer, incarnation))
    }
}
