#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Safety: `@unchecked` because of the pointer; the mapping is never written and lives exactly as long as the object.
/// Owns one read-only mapping of a whole file: opening costs page faults, and processes that map the same file share its
/// pages.
///
/// A file that another program shortens while it is mapped ends this process with SIGBUS when the lost pages are read, as
/// with every mapped file: replace model files by renaming a new one over the old, never by writing into them.
public final class MappedFile: @unchecked Sendable {
    /// The path as it was given.
    public let path: String
    /// The file's size when it was opened, in bytes.
    public let byteCount: Int
    private let base: UnsafeRawPointer?

    /// Maps the regular file at `path`; nothing is read yet.
    public init(path: String, byteCountMax: Int = .max) throws(FileError) {
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
        guard byteCount > 0 else {
            // An empty mapping is an error to mmap.
            base = nil
            return
        }
        let address = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw .unreadable(path: path, reason: Self.reason(errno)) }
        base = UnsafeRawPointer(address)
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

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
