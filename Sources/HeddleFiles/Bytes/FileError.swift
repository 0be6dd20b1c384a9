/// Why a file could not be opened and mapped.
public enum FileError: Error, Hashable, Sendable {
    case missing(path: String)
    case notRegular(path: String)
    case tooLarge(path: String, byteCount: Int, byteCountMax: Int)
    case unreadable(path: String, reason: String)
}

extension FileError: CustomStringConvertible {
    /// One sentence that names the file.
    public var description: String {
        switch self {
        case .missing(let path): "there is no file \(path)"
        case .notRegular(let path): "\(path) is not a regular file"
        case .tooLarge(let path, let count, let max): "\(path) has \(count) bytes; at most \(max) are read"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        }
    }
}
