import Glibc
import HeddleKernels

/// A packed file as it was found: mapped read-only, and not trusted until every number in it was checked.
///
/// The mapping is shared: all processes of a host that map the file read the same pages of memory. Packed files are replaced by
/// renaming new ones over them, never written into, so that what is mapped stays what was checked.
struct MappedPackedFile {
    let path: String
    let memory: PackedMemory

    /// - Parameter headerByteCount: what a file must have at least.
    init(path: String, headerByteCount: Int) throws(PackedFileError) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if file < 0 { throw .failed("open", path, code: errno) }
        defer { close(file) }
        var status = stat()
        if fstat(file, &status) != 0 { throw .failed("fstat", path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .otherKind(path: path, expected: "a regular file") }
        let count = Int(status.st_size)
        if count < headerByteCount { throw .tooShort(path: path, byteCount: count, expected: headerByteCount) }
        guard let base = mmap(nil, count, PROT_READ, MAP_SHARED, file, 0), base != MAP_FAILED else {
            throw .failed("mmap", path, code: errno)
        }
        // Where the file system keeps files in large pages, they are mapped as such: weights are read from end to end.
        if count >= 4 << 20 { madvise(base, count, MADV_HUGEPAGE) }
        self.path = path
        memory = PackedMemory(adopting: UnsafeRawBufferPointer(start: base, count: count)) {
            munmap(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
        }
    }

    var bytes: UnsafeRawBufferPointer { memory.bytes }

    func number<Number: FixedWidthInteger>(at offset: Int, _ type: Number.Type) -> Number {
        Number(littleEndian: memory.bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// Magic and layout version, which every packed file begins with.
    func checkKind(magic: [UInt8], version: UInt32, kind: String) throws(PackedFileError) {
        guard bytes[..<8].elementsEqual(magic) else { throw .otherKind(path: path, expected: kind) }
        let found = number(at: 8, UInt32.self)
        guard found == version else { throw .otherLayout(path: path, found: found, expected: version) }
    }

    /// The file's byte count beside the one that its header has at `place`.
    func checkByteCount(at place: Int) throws(PackedFileError) {
        guard let byteCount = Int(exactly: number(at: place, UInt64.self)) else {
            throw .invalidTable(path: path, field: "byte count", value: .max)
        }
        if bytes.count < byteCount { throw .tooShort(path: path, byteCount: bytes.count, expected: byteCount) }
        if bytes.count > byteCount { throw .tooLong(path: path, byteCount: bytes.count, expected: byteCount) }
    }

    /// The head's checksum, which stands at `place` and was taken while its eight bytes were zero.
    func checkSeal(headByteCount: Int, at place: Int) throws(PackedFileError) {
        var head = Array(bytes[..<headByteCount])
        head.replaceSubrange(place..<(place + 8), with: repeatElement(0, count: 8))
        guard head.withUnsafeBytes({ PackedChecksum.sum(of: $0) }) == number(at: place, UInt64.self) else {
            throw .corrupt(path: path, part: "header")
        }
    }
}
