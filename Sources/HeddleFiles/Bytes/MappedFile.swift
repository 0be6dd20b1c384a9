import Glibc

// Safety: `@unchecked` because of the pointer; the bytes are written by `init` alone and live exactly as long as the object.
/// Owns the bytes of a whole file, mapped or copied.
///
/// Opening a mapping costs page faults, and processes that map the same file share its pages. But a file that another
/// program shortens while it is mapped ends this process with SIGBUS when the lost pages are read: a model's files are
/// replaced by renaming new ones over the old, never by writing into them. What people write into at any time is copied.
public final class MappedFile: @unchecked Sendable {
    /// The path as it was given.
    public let path: String
    /// The file's size when it was opened, in bytes.
    public let byteCount: Int
    /// Which file it was when it was opened.
    package let identity: FileIdentity
    private let use: Use
    private let base: UnsafeRawPointer?

    /// Whether the file may be written into while it is used.
    package enum Use: Sendable {
        case mapped
        /// Read once, whole. A file that has become shorter meanwhile is unreadable.
        case copied
    }

    /// Maps the regular file at `path`; nothing is read yet.
    public convenience init(path: String, byteCountMax: Int = .max) throws(FileError) {
        try self.init(path: path, byteCountMax: byteCountMax, use: .mapped)
    }

    /// Maps or copies the regular file at `path`.
    package init(path: String, byteCountMax: Int, use: Use) throws(FileError) {
        guard !path.utf8.contains(0) else {
            throw .unreadable(path: path, reason: "the path contains a zero byte")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { throw .missing(path: path) }
            throw .unreadable(path: path, reason: Self.reason(code))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: Self.reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path) }
        let byteCount = Int(status.st_size)
        guard byteCount <= byteCountMax else {
            throw .tooLarge(path: path, byteCount: byteCount, byteCountMax: byteCountMax)
        }
        self.path = path
        self.byteCount = byteCount
        self.use = use
        identity = FileIdentity(status)
        guard byteCount > 0 else {
            // An empty mapping is an error to mmap.
            base = nil
            return
        }
        let address =
            switch use {
            case .mapped: mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)
            case .copied: mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            }
        guard let address, address != MAP_FAILED else { throw .unreadable(path: path, reason: Self.reason(errno)) }
        if use == .copied, let reason = Self.fill(address, byteCount, from: descriptor) {
            munmap(address, byteCount)
            throw .unreadable(path: path, reason: reason)
        }
        base = UnsafeRawPointer(address)
    }

    /// Nil, or why not all bytes could be read.
    private static func fill(_ address: UnsafeMutableRawPointer, _ byteCount: Int, from descriptor: Int32) -> String? {
        var done = 0
        while done < byteCount {
            // Safety: `done` stays below the size of what `address` points to.
            let count = pread(descriptor, address + done, byteCount - done, off_t(done))
            if count < 0, errno == EINTR { continue }
            if count < 0 { return reason(errno) }
            if count == 0 { return "it had \(byteCount) bytes when it was opened, and ends after \(done) now" }
            done += count
        }
        return nil
    }

    deinit {
        guard let base else { return }
        munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
    }

    /// Lends the file's bytes for the length of the call.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Safety: `self` outlives the call, and with it the mapping.
        try withExtendedLifetime(self) { () throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(start: base, count: byteCount))
        }
    }

    /// Lets go of the pages of a range that this process has mapped, and that it will hardly read again; what is read all the
    /// same comes from the system's cache or the disk. So a process that reads a whole checkpoint does not grow by it.
    package func forget(_ range: Range<Int>) {
        guard use == .mapped, let base else { return }
        let page = 4096
        let first = (range.lowerBound + page - 1) / page * page
        // The last page of the file may be cut short.
        let end = range.upperBound == byteCount ? byteCount : range.upperBound / page * page
        if first < end { madvise(UnsafeMutableRawPointer(mutating: base) + first, end - first, MADV_DONTNEED) }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
