import CHeddleLinux
import Glibc
import HeddleCore

/// How the processes of a group find the memory that they share.
///
/// The memory has no name in any file system: rank 0 makes it with `memfd_create` and leaves a note with its process
/// and descriptor in the cluster's runtime directory; the others open `/proc/PROCESS/fd/DESCRIPTOR`, and rank 0 takes
/// the note away when all have come. So nothing outlives the processes, whatever kills them. (A name in `/dev/shm`
/// would stay behind when rank 0 is killed before it can unlink it.) A note that a killed rank 0 left leads nowhere and
/// is overwritten.
extension SharedMemoryCollective {
    /// Opens one rank of a group of processes on one host; returns when all ranks have.
    ///
    /// - Parameters:
    ///   - directory: the cluster's runtime directory on this host, only this user's.
    ///   - epoch: which forming of the group this is; ranks of different epochs never meet.
    ///   - coreCount: cores that the ranks of this host may use; waits spin only where there is one for every rank.
    ///   - interruption: ends the wait for the others early.
    public static func open(
        directory: String, group: GroupName, epoch: Epoch, rank: Int, rankCount: Int,
        limits: CollectiveLimits = CollectiveLimits(), coreCount: Int = onlineCoreCount,
        interruption: OpenInterruption = OpenInterruption()
    ) throws(CollectiveError) -> SharedMemoryCollective {
        limits.check()
        _ = ReductionTree.leaves(of: rank, rankCount: rankCount)
        precondition(GroupName.isValid(group.text), "“\(group)” cannot name a group")
        let title = SharedSegment.Title(
            group: group, epoch: epoch, rankCount: rankCount, slotByteCount: limits.slotByteCount)
        let deadline = OpenDeadline(after: limits.openMax, interruption)
        let note = RendezvousNote(directory: directory, group: group, epoch: epoch)

        let descriptor: Int32
        if rank == 0 {
            let byteCount = SharedSegment.byteCount(rankCount: rankCount, slotByteCount: limits.slotByteCount)
            descriptor = heddle_memory_create(note.memoryName, Int64(byteCount))
            guard descriptor >= 0 else { throw .systemCall("memfd_create", -descriptor) }
        } else {
            descriptor = try note.openMemory(
                byteCount: SharedSegment.byteCount(rankCount: rankCount, slotByteCount: limits.slotByteCount),
                title: title, deadline: deadline)
        }
        defer { close(descriptor) }
        let segment = try SharedSegment(
            rankCount: rankCount, slotByteCount: limits.slotByteCount, descriptor: descriptor)
        if rank == 0 {
            segment.title = title
            try note.write(descriptor: descriptor)
        } else if let mismatch = title.mismatch(segment.title) {
            throw mismatch
        }
        defer { if rank == 0 { note.remove(descriptor: descriptor) } }
        try attach(rank, to: segment, deadline: deadline)

        let own = getpid()
        let peers = (0..<rankCount).compactMap { other -> PeerWatch.Peer? in
            let process = pid_t(bitPattern: segment.process(other).pointee.load(ordering: .acquiring))
            return process == own ? nil : PeerWatch.Peer(rank: other, process: process)
        }
        var watch: PeerWatch?
        if !peers.isEmpty {
            do throws(CollectiveError) {
                watch = try PeerWatch(peers) { lost in segment.end(SharedSegment.lostCode + UInt32(lost)) }
            } catch {
                segment.end(SharedSegment.abortedCode)
                throw error
            }
        }
        return SharedMemoryCollective(rank: rank, segment: segment, limits: limits, coreCount: coreCount, watch: watch)
    }

    private static func attach(_ rank: Int, to segment: SharedSegment, deadline: OpenDeadline) throws(CollectiveError) {
        let own = UInt32(bitPattern: getpid())
        let claim = segment.process(rank).pointee.compareExchange(
            expected: 0, desired: own, ordering: .sequentiallyConsistent)
        guard claim.exchanged else { throw .rankTaken(rank) }
        segment.attached.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        segment.wake(segment.attached)
        while true {
            let count = segment.attached.pointee.load(ordering: .sequentiallyConsistent)
            if let error = segment.error { throw error }
            if count >= segment.rankCount { return }
            for other in 0..<segment.rankCount {
                let process = pid_t(bitPattern: segment.process(other).pointee.load(ordering: .acquiring))
                if process > 0, kill(process, 0) != 0, errno == ESRCH {
                    segment.end(SharedSegment.lostCode + UInt32(other))
                    throw .rankLost(other)
                }
            }
            if let interrupted = deadline.interrupted {
                segment.end(SharedSegment.abortedCode)
                throw interrupted
            }
            guard !deadline.hasPassed else {
                segment.end(SharedSegment.abortedCode)
                let missing = (0..<segment.rankCount).first {
                    segment.process($0).pointee.load(ordering: .acquiring) == 0
                }
                throw .timedOut(operation: "open", rank: missing ?? 0, after: deadline.limit)
            }
            // Short, so that a rank that died while it waited here is seen.
            segment.sleep(on: segment.attached, while: count, limitNanoseconds: 20_000_000)
        }
    }
}

/// When the ranks give up waiting for each other to open.
struct OpenDeadline {
    let limit: Duration
    private let end: UInt64
    private let interruption: OpenInterruption
    /// How long a wait may be before it must look whether it was interrupted.
    static let slice: Duration = .milliseconds(20)

    init(after limit: Duration, _ interruption: OpenInterruption) {
        self.limit = limit
        self.interruption = interruption
        end = monotonicNanoseconds() &+ limit.wholeNanoseconds
    }

    var hasPassed: Bool { monotonicNanoseconds() >= end }

    /// What to throw when somebody ended the wait.
    var interrupted: CollectiveError? { interruption.isRaised ? .aborted : nil }

    /// How long to wait before the next look.
    var next: Duration {
        let now = monotonicNanoseconds()
        return min(Self.slice, .nanoseconds(Int64(clamping: end > now ? end - now : 0)))
    }
}

/// The note by which rank 0 tells the other processes where the group's memory is.
package struct RendezvousNote {
    let path: String
    /// What `/proc/PROCESS/fd` calls the memory, so that a number that was used again is not opened.
    let memoryName: String

    package init(directory: String, group: GroupName, epoch: Epoch) {
        path = "\(directory)/\(group).collective"
        memoryName = "heddle-\(group)-\(epoch)"
    }

    /// Replaces the note by one that names this process's descriptor.
    package func write(descriptor: Int32) throws(CollectiveError) {
        // Two epochs of one process may write at the same time.
        let draft = "\(path).\(getpid()).\(descriptor)"
        let file = Glibc.open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .systemCall("open \(draft)") }
        let text = "\(getpid()) \(descriptor)\n"
        let written = Glibc.write(file, text, text.utf8.count)
        close(file)
        guard written == text.utf8.count, rename(draft, path) == 0 else {
            let error = CollectiveError.systemCall("write \(draft)")
            unlink(draft)
            throw error
        }
    }

    /// Takes the note away, if it still names this memory: a later epoch of the same process may have replaced it.
    package func remove(descriptor: Int32) {
        if let found = read(), found.process == getpid(), found.descriptor == descriptor { unlink(path) }
    }

    /// Waits for a note of the right epoch and opens what it names.
    func openMemory(
        byteCount: Int, title: SharedSegment.Title, deadline: OpenDeadline
    ) throws(CollectiveError) -> Int32 {
        while true {
            if let found = read(), let descriptor = open(found) {
                var status = stat()
                if fstat(descriptor, &status) == 0, status.st_size == byteCount { return descriptor }
                close(descriptor)
                throw .mismatch(field: "memory size", expected: "\(byteCount)", found: "\(status.st_size)")
            }
            if let interrupted = deadline.interrupted { throw interrupted }
            guard !deadline.hasPassed else { throw .timedOut(operation: "open", rank: 0, after: deadline.limit) }
            usleep(2000)
        }
    }

    private func read() -> (process: pid_t, descriptor: Int32)? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count > 0, bytes[count - 1] == UInt8(ascii: "\n") else { return nil }
        let words = String(decoding: bytes[..<(count - 1)], as: UTF8.self).split(separator: " ")
        guard words.count == 2, let process = pid_t(words[0]), let descriptor = Int32(words[1]) else { return nil }
        return (process, descriptor)
    }

    private func open(_ found: (process: pid_t, descriptor: Int32)) -> Int32? {
        let link = "/proc/\(found.process)/fd/\(found.descriptor)"
        var target = [CChar](repeating: 0, count: 512)
        let count = readlink(link, &target, target.count)
        let name = target.prefix(max(0, count)).map(UInt8.init(bitPattern:))
        guard String(decoding: name, as: UTF8.self).hasPrefix("/memfd:\(memoryName) ") else { return nil }
        let descriptor = Glibc.open(link, O_RDWR | O_CLOEXEC)
        return descriptor >= 0 ? descriptor : nil
    }
}
