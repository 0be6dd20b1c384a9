/// Why bytes are not a value: where the reader stood, and what it found there.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Bytes from the start of the frame.
    public let offset: Int
    public let reason: Reason

    public init(offset: Int, reason: Reason) {
        self.offset = offset
        self.reason = reason
    }

    /// What is wrong at the offset.
    public enum Reason: Hashable, Sendable {
        /// The frame ends before the value does.
        case truncated(byteCountNeeded: Int, byteCountLeft: Int)
        /// A count that the rest of the frame cannot hold.
        case countTooLarge(count: Int, countMax: Int)
        /// A byte that names no case of the type.
        case unknownCase(type: String, tag: Int)
        case notUTF8
        /// A value outside what its type allows.
        case outOfRange(type: String, rule: String)
        case bytesLeftOver(byteCount: Int)
        /// A protobuf message that protobuf-c refuses.
        case notAMessage(type: String)
    }

    public var description: String {
        switch reason {
        case .truncated(let needed, let left): "at byte \(offset): \(needed) bytes are needed and \(left) are left"
        case .countTooLarge(let count, let max): "at byte \(offset): a count of \(count), where at most \(max) fit"
        case .unknownCase(let type, let tag): "at byte \(offset): \(tag) is no case of \(type)"
        case .notUTF8: "at byte \(offset): a text that is not UTF-8"
        case .outOfRange(let type, let rule): "at byte \(offset): no \(type): \(rule)"
        case .bytesLeftOver(let count): "at byte \(offset): \(count) bytes are left over"
        case .notAMessage(let type): "no \(type) message"
        }
    }
}
