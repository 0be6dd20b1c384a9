import CHeddleLinux
import Glibc

/// Owns a sleeping thread that learns from the kernel, at once, when the process of another rank ends.
///
/// A descriptor of a process becomes readable when it ends, also while nobody has reaped it; a signal sent to number 0
/// would still find it then, or find another process with its number.
package final class PeerWatch: @unchecked Sendable {
    // Safety: everything is set before the thread starts and not changed after; `deinit` joins the thread before it
    // closes what the thread polls.

    private let stop: Int32
    private let thread: pthread_t
    private let peers: [Peer]

    /// Another rank's process.
    package struct Peer {
        package var rank: Int
        package var process: pid_t
        fileprivate var descriptor: Int32 = -1

        package init(rank: Int, process: pid_t) {
            self.rank = rank
            self.process = process
        }
    }

    private final class Watched {
        let peers: [Peer]
        let stop: Int32
        let lost: @Sendable (Int) -> Void
        init(peers: [Peer], stop: Int32, lost: @escaping @Sendable (Int) -> Void) {
            self.peers = peers
            self.stop = stop
            self.lost = lost
        }
    }

    /// Calls `lost` on the watch's thread with the rank whose process ended; for one of them, once.
    package init(_ peers: [Peer], lost: @escaping @Sendable (Int) -> Void) throws(CollectiveError) {
        var opened: [Peer] = []
        func close(_ error: CollectiveError) -> CollectiveError {
            for peer in opened { Glibc.close(peer.descriptor) }
            return error
        }
        for peer in peers {
            let descriptor = heddle_pidfd_open(peer.process)
            guard descriptor >= 0 else {
                throw close(descriptor == -ESRCH ? .rankLost(peer.rank) : .systemCall("pidfd_open", -descriptor))
            }
            var peer = peer
            peer.descriptor = descriptor
            opened.append(peer)
        }
        let stop = heddle_event_create()
        guard stop >= 0 else { throw close(.systemCall("eventfd", -stop)) }
        let watched = Unmanaged.passRetained(Watched(peers: opened, stop: stop, lost: lost))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                // Safety: the argument is the retained object that `pthread_create` was given just below.
                guard let argument else { return nil }
                PeerWatch.run(Unmanaged<Watched>.fromOpaque(argument).takeRetainedValue())
                return nil
            }, watched.toOpaque())
        guard code == 0 else {
            watched.release()
            Glibc.close(stop)
            throw close(.systemCall("pthread_create", code))
        }
        self.peers = opened
        self.stop = stop
        self.thread = thread
    }

    deinit {
        var one: UInt64 = 1
        write(stop, &one, MemoryLayout.size(ofValue: one))
        pthread_join(thread, nil)
        for peer in peers { close(peer.descriptor) }
        close(stop)
    }

    private static func run(_ watched: Watched) {
        var descriptors = watched.peers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        descriptors.append(pollfd(fd: watched.stop, events: Int16(POLLIN), revents: 0))
        while true {
            let count = poll(&descriptors, nfds_t(descriptors.count), -1)
            if count < 0 { continue }
            if descriptors[watched.peers.count].revents != 0 { return }
            for (index, peer) in watched.peers.enumerated() where descriptors[index].revents != 0 {
                watched.lost(peer.rank)
                return
            }
        }
    }
}
