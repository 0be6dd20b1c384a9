import HeddleCore
import HeddleTransport

/// How a node ends.
extension MeshActorSystem {
    /// Ends everything: calls of ours fail with `shuttingDown`, calls of others are cancelled and waited for
    /// (`MeshLimits.shutdownPatience`), sockets close, actors are let go, threads end. Shutting down twice is harmless.
    public func shutdown() async {
        let isFirst = registry.withLock { registry in
            defer { registry.isShutDown = true }
            return !registry.isShutDown
        }
        guard isFirst else { return }
        let patience = limits.shutdownPatience
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let once = Locked<CheckedContinuation<Void, Never>?>(continuation)
            let resume: @Sendable () -> Void = { once.withLock { $0.take() }?.resume() }
            if !self.io.post({ [self] in meshNode.shutDown(onIdle: resume) }) { resume() }
            Task {
                try? await Task.sleep(for: patience)
                resume()
            }
        }
        let (names, threads) = registry.withLock { registry in (Array(registry.hosted.values), registry.threads) }
        for hosted in names { resignID(hosted.ledger.identity) }
        let (io, onEvent) = (io, onEvent)
        // Threads are joined from a thread of their own: the caller may be on one of them.
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            _ = NamedThread(name: "heddle-end") {
                io.stop()
                let stuck = threads.filter { !$0.stop(timeout: patience) }.map(\.name)
                if !stuck.isEmpty { onEvent(.threadsLeftBehind(names: stuck)) }
                continuation.resume()
            }
        }
    }

    /// Returns once no call of another node is under way here.
    public func waitUntilIdle() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let posted = io.post { [self] in
                if meshNode.incoming.isEmpty {
                    continuation.resume()
                } else {
                    meshNode.onIdle.append { continuation.resume() }
                }
            }
            if !posted { continuation.resume() }
        }
    }
}

extension MeshNode {
    /// Fails our calls, cancels the others', and calls back when none is left.
    func shutDown(onIdle resume: @escaping () -> Void) {
        isClosing = true
        for peer in peers.keys { peers[peer]?.parked = [] }
        let ours = outgoing.values.sorted { $0.number < $1.number }
        outgoing = [:]
        for call in ours { call.end(.failure(RemoteCallError.shuttingDown(name))) }
        for streams in watches.values { for stream in streams.values { stream.finish() } }
        watches = [:]
        for call in incoming.values { call.task?.cancel() }
        if incoming.isEmpty { resume() } else { onIdle.append(resume) }
    }
}
