import Glibc

/// Why a packed file, of an adapter or of a shard's weights, cannot be written or used.
public enum PackedFileError: Error, Hashable, Sendable {
    case system(call: String, path: String, code: Int32, reason: String)
    case tooShort(path: String, byteCount: Int, expected: Int)
    case tooLong(path: String, byteCount: Int, expected: Int)
    /// It is no packed file of this kind at all.
    case otherKind(path: String, expected: String)
    case otherLayout(path: String, found: UInt32, expected: UInt32)
    /// It was made of another adapter or model.
    case otherDigest(path: String, found: String, expected: String)
    case otherShard(path: String, found: String, expected: String)
    /// A field of the table is outside what the file or the shard allows.
    case invalidTable(path: String, field: String, value: Int)
    /// The bytes are not those that were written.
    case corrupt(path: String, part: String)
    case tensorUnreadable(name: String, reason: String)
    case outOfMemory(byteCount: Int)
    /// The file would not fit what the cache may take.
    case overBudget(directory: String, byteCount: Int, byteCountMax: Int)
    /// The file system has less room than the file needs.
    case noRoom(directory: String, byteCount: Int, freeByteCount: Int)
    /// Others could write what is mapped from here.
    case notPrivate(directory: String, reason: String)
}

extension PackedFileError: CustomStringConvertible {
    /// One sentence that names what is wrong, with its numbers.
    public var description: String {
        switch self {
        case .system(let call, let path, let code, let reason):
            "\(call) of \(path) failed with error \(code): \(reason)"
        case .tooShort(let path, let count, let expected): "\(path) has \(count) bytes; its header says \(expected)"
        case .tooLong(let path, let count, let expected): "\(path) has \(count) bytes; its header says \(expected)"
        case .otherKind(let path, let expected): "\(path) is not \(expected)"
        case .otherLayout(let path, let found, let expected):
            "\(path) has layout \(found); this program reads \(expected)"
        case .otherDigest(let path, let found, let expected): "\(path) holds \(found), not \(expected)"
        case .otherShard(let path, let found, let expected): "\(path) is packed for shard \(found), not \(expected)"
        case .invalidTable(let path, let field, let value): "\(path): \(field) \(value) in the table is not valid"
        case .corrupt(let path, let part): "\(path): the \(part) does not match its checksum"
        case .tensorUnreadable(let name, let reason): "tensor \(name) cannot be read: \(reason)"
        case .outOfMemory(let count): "the system has no \(count) bytes left for packed weights"
        case .overBudget(let directory, let count, let max):
            "\(directory) may hold \(max) bytes of packed weights; this shard alone has \(count)"
        case .noRoom(let directory, let count, let free):
            "\(directory) has \(free) bytes free; this shard's packed weights have \(count)"
        case .notPrivate(let directory, let reason): "\(directory) is not used: \(reason)"
        }
    }

    /// What the last failed system call says.
    static func failed(_ call: String, _ path: String, code: Int32) -> PackedFileError {
        .system(call: call, path: path, code: code, reason: String(cString: strerror(code)))
    }
}
