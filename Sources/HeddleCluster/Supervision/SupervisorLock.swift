import Foundation

/// Owns the right to run a cluster on this host: a locked file with the supervisor's process number.
///
/// The kernel drops the lock with the process, so a file that a killed supervisor left says nothing and is taken over.
public struct SupervisorLock: ~Copyable {
    private let directory: RuntimeDirectory
    private let file: Int32

    /// Another supervisor runs the cluster.
    public struct Held: Error, Hashable, Sendable {
        /// Its process number; 0 where it has only just begun.
        public var process: pid_t
    }

    /// Takes the lock at once or says who has it. The directory must be there.
    public init(_ directory: RuntimeDirectory) throws {
        var tryCount = 0
        while true {
            let file = open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard file >= 0 else { throw SystemError(call: "open \(directory.lock)") }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                defer { close(file) }
                guard code == EWOULDBLOCK else { throw SystemError(call: "lock \(directory.lock)", code: code) }
                // Who only looks (`holder`) has it for a moment too.
                tryCount += 1
                guard tryCount < 5 else { throw Held(process: Self.process(in: file)) }
                usleep(10_000)
                continue
            }
            // The last holder may have removed the file between our opening and locking it.
            var (named, held) = (stat(), stat())
            if stat(directory.lock, &named) == 0, fstat(file, &held) == 0, named.st_ino == held.st_ino {
                let text = "\(getpid())\n"
                guard ftruncate(file, 0) == 0, pwrite(file, text, text.utf8.count, 0) == text.utf8.count else {
                    let error = SystemError(call: "write \(directory.lock)")
                    close(file)
                    throw error
                }
                self.directory = directory
                self.file = file
                return
            }
            close(file)
        }
    }

    deinit {
        unlink(directory.lock)
        close(file)
    }

    /// The process that runs the cluster now; nil where none does.
    public static func holder(of directory: RuntimeDirectory) -> pid_t? {
        let file = open(directory.lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard flock(file, LOCK_SH | LOCK_NB) != 0 else { return nil }
        let process = process(in: file)
        return process > 0 ? process : nil
    }

    private static func process(in file: Int32) -> pid_t {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(file, &bytes, bytes.count, 0)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        return pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }
}
