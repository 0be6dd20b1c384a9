/// Why a safetensors file or its index cannot be used. Each case names the file and, where there is one, the tensor.
public enum SafetensorsError: Error, Hashable, Sendable {
    case file(FileError)
    /// The file is shorter than the eight bytes that count its header.
    case tooShort(file: String, byteCount: Int)
    case headerTooLong(file: String, byteCount: UInt64, byteCountMax: Int)
    /// The header reaches past the end: the file was cut, or it is no safetensors file.
    case headerTruncated(file: String, headerByteCount: UInt64, fileByteCount: Int)
    case headerNotJSON(file: String, JSONError)
    case headerMalformed(file: String, entry: String, reason: String)
    case unknownElementType(file: String, tensor: String, elementType: String)
    case tooManyDimensions(file: String, tensor: String, count: Int, countMax: Int)
    case sizeOverflow(file: String, tensor: String, shape: [Int])
    case extentReversed(file: String, tensor: String, begin: Int, end: Int)
    /// The tensor reaches past the end of the data: a truncated file, or a wrong header.
    case extentOutOfRange(file: String, tensor: String, begin: Int, end: Int, dataByteCount: Int)
    case extentMismatch(
        file: String, tensor: String, shape: [Int], elementType: ElementType, byteCount: Int, byteCountExpected: Int)
    case extentMisaligned(file: String, tensor: String, fileOffset: Int, elementType: ElementType)
    case extentsOverlap(file: String, tensor: String, begin: Int, other: String, otherEnd: Int)
    case extentsLeaveGap(file: String, tensor: String, begin: Int, beginExpected: Int)
    case trailingBytes(file: String, byteCount: Int)
    case indexNotJSON(file: String, JSONError)
    case indexMalformed(file: String, reason: String)
    case indexShardName(file: String, shard: String)
    case indexTensorMissing(file: String, tensor: String, shard: String)
    case indexTensorUnlisted(file: String, tensor: String, shard: String)
    case tooManyShards(file: String, count: Int, countMax: Int)
    case notReadAsFloat(file: String, tensor: String, elementType: ElementType)
    case notReadAsRows(file: String, tensor: String, shape: [Int])
}

extension SafetensorsError: CustomStringConvertible {
    /// One sentence that names what is wrong, where, and with which numbers.
    public var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .tooShort(let file, let count):
            "\(file) is truncated: it has \(count) bytes, and a safetensors file starts with 8 that count its header"
        case .headerTooLong(let file, let count, let max):
            "\(file) says that its header has \(count) bytes; at most \(max) are read (is it a safetensors file?)"
        case .headerTruncated(let file, let header, let count):
            "\(file) is truncated: its header has \(header) bytes, the whole file \(count)"
        case .headerNotJSON(let file, let error): "the header of \(file) is not JSON: \(error)"
        case .headerMalformed(let file, let entry, let reason): "\(file): header entry “\(entry)”: \(reason)"
        case .unknownElementType(let file, let tensor, let type):
            "\(file): tensor “\(tensor)” has the unknown element type “\(type)”"
        case .tooManyDimensions(let file, let tensor, let count, let max):
            "\(file): tensor “\(tensor)” has \(count) dimensions; at most \(max) are read"
        case .sizeOverflow(let file, let tensor, let shape):
            "\(file): tensor “\(tensor)” of shape \(shape) has more bytes than can be counted"
        case .extentReversed(let file, let tensor, let begin, let end):
            "\(file): tensor “\(tensor)” lies from byte \(begin) to \(end), which is no extent"
        case .extentOutOfRange(let file, let tensor, let begin, let end, let count):
            "\(file) is truncated or its header is wrong: tensor “\(tensor)” lies in bytes \(begin)..<\(end) of \(count)"
        case .extentMismatch(let file, let tensor, let shape, let type, let count, let expected):
            "\(file): tensor “\(tensor)” of shape \(shape) and type \(type) needs \(expected) bytes, its extent has \(count)"
        case .extentMisaligned(let file, let tensor, let offset, let type):
            "\(file): tensor “\(tensor)” starts at byte \(offset), which is no multiple of the \(type.byteCount) bytes of "
                + "\(type); write the file again with safetensors 0.3 or later"
        case .extentsOverlap(let file, let tensor, let begin, let other, let otherEnd):
            "\(file): tensor “\(tensor)” starts at byte \(begin), inside “\(other)”, which ends at \(otherEnd)"
        case .extentsLeaveGap(let file, let tensor, let begin, let expected):
            "\(file): tensor “\(tensor)” starts at byte \(begin) and leaves a gap from \(expected)"
        case .trailingBytes(let file, let count): "\(file): \(count) bytes follow the last tensor"
        case .indexNotJSON(let file, let error): "\(file) is not JSON: \(error)"
        case .indexMalformed(let file, let reason): "\(file): \(reason)"
        case .indexShardName(let file, let shard): "\(file): “\(shard)” is not the name of a file in the same folder"
        case .indexTensorMissing(let file, let tensor, let shard):
            "\(file) says that tensor “\(tensor)” is in \(shard), but it is not there"
        case .indexTensorUnlisted(let file, let tensor, let shard):
            "\(shard) holds tensor “\(tensor)”, which \(file) does not list there"
        case .tooManyShards(let file, let count, let max): "\(file) lists \(count) files; at most \(max) are read"
        case .notReadAsFloat(let file, let tensor, let type):
            "\(file): tensor “\(tensor)” has elements of type \(type), which are not read as floats"
        case .notReadAsRows(let file, let tensor, let shape):
            "\(file): tensor “\(tensor)” of shape \(shape) has no rows and columns"
        }
    }
}

/// What a safetensors file may hold at most.
public struct SafetensorsLimits: Hashable, Sendable {
    /// The longest header; the reference implementation has the same limit.
    public var headerByteCountMax = 100_000_000
    /// The most dimensions of a tensor.
    public var dimensionCountMax = 8
    /// The most files that one index may list.
    public var shardCountMax = 4096

    /// The limits of the reference implementation, and ours where it has none.
    public init() {}
}
