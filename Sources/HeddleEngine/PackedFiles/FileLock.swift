import Glibc

/// Holds a lock file: one process at a time, and nobody once the holder has ended, whatever ended it.
struct FileLock {
    private let path: String
    private let file: Int32

    /// Waits until the lock is free.
    init(path: String) throws(PackedFileError) {
        while true {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            if file < 0 { throw .failed("open", path, code: errno) }
            while flock(file, LOCK_EX) != 0 {
                if errno == EINTR { continue }
                let code = errno
                close(file)
                throw .failed("flock", path, code: code)
            }
            // The one before may have removed the file as it let go: then this lock locks out nobody.
            var (held, named) = (stat(), stat())
            if fstat(file, &held) == 0, lstat(path, &named) == 0, held.st_ino == named.st_ino,
                held.st_dev == named.st_dev
            {
                self.path = path
                self.file = file
                return
            }
            close(file)
        }
    }

    /// Removes the file and lets the next one in.
    func release() {
        unlink(path)
        close(file)
    }
}
