/// Why a packed adapter cannot be written or used.
public enum PackedAdapterError: Error, Hashable, Sendable {
    case system(call: String, path: String, code: Int32, reason: String)
    case tooShort(path: String, byteCount: Int, expected: Int)
    case tooLong(path: String, byteCount: Int, expected: Int)
    case notPackedAdapter(path: String)
    case otherLayout(path: String, found: UInt32, expected: UInt32)
    case otherDigest(path: String, found: String, expected: String)
    case otherShard(path: String, found: String, expected: String)
    /// A field of the table is outside what the file or the shard allows.
    case invalidTable(path: String, field: String, value: Int)
    /// The bytes are not those that were written.
    case corrupt(path: String, part: String)
    case tensorUnreadable(name: String, reason: String)
    case outOfMemory(byteCount: Int)
}

extension PackedAdapterError: CustomStringConvertible {
    /// One sentence that names what is wrong, with its numbers.
    public var description: String {
        switch self {
        case .system(let call, let path, let code, let reason):
            "\(call) of \(path) failed with error \(code): \(reason)"
        case .tooShort(let path, let count, let expected): "\(path) has \(count) bytes; its header says \(expected)"
        case .tooLong(let path, let count, let expected): "\(path) has \(count) bytes; its header says \(expected)"
        case .notPackedAdapter(let path): "\(path) is not a packed adapter"
        case .otherLayout(let path, let found, let expected):
            "\(path) has layout \(found); this program reads \(expected)"
        case .otherDigest(let path, let found, let expected): "\(path) holds adapter \(found), not \(expected)"
        case .otherShard(let path, let found, let expected): "\(path) is packed for shard \(found), not \(expected)"
        case .invalidTable(let path, let field, let value): "\(path): \(field) \(value) in the table is not valid"
        case .corrupt(let path, let part): "\(path): the \(part) does not match its checksum"
        case .tensorUnreadable(let name, let reason): "tensor \(name) cannot be read: \(reason)"
        case .outOfMemory(let count): "the system has no \(count) bytes left for a packed adapter"
        }
    }
}
