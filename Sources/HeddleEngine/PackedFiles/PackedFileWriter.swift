import Glibc

/// Owns a packed file while it is written: a temporary one beside its path, flushed and renamed when it is whole, gone otherwise.
struct PackedFileWriter: ~Copyable {
    /// What temporary names end with.
    static let temporarySuffix = ".part"

    private let path: String
    private let temporary: String
    private let file: Int32
    private var isRenamed = false

    init(path: String) throws(PackedFileError) {
        self.path = path
        temporary = "\(path).\(getpid()).\(UInt64.random(in: 0 ... .max))\(Self.temporarySuffix)"
        file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0 { throw .failed("open", temporary, code: errno) }
    }

    deinit {
        close(file)
        if !isRenamed { unlink(temporary) }
    }

    /// Writes all bytes at a place of the file.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(PackedFileError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(file, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw .failed("write", temporary, code: count == 0 ? ENOSPC : errno) }
            done += count
        }
    }

    /// Flushes the file and gives it its name; afterwards the path has all of it, whatever happens to the machine.
    mutating func commit() throws(PackedFileError) {
        if fsync(file) != 0 { throw .failed("fsync", temporary, code: errno) }
        if rename(temporary, path) != 0 { throw .failed("rename", path, code: errno) }
        isRenamed = true
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { String(path[..<$0]) } ?? "."
        let directory = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory < 0 { return }
        // The name may be lost with the machine, the content not: whoever misses the file packs it again.
        fsync(directory)
        close(directory)
    }
}
