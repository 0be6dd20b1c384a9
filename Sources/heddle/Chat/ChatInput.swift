import Foundation
import HeddleCore

/// Reads lines from standard input as they were typed: what is not UTF-8 is refused, not repaired.
struct ChatInput {
    private var bytes: [UInt8] = []
    private var isAtEnd = false
    private let byteCountMax: Int

    init(limits: RequestLimits = RequestLimits()) { byteCountMax = limits.promptByteCountMax }

    /// The next line without its end, with those that it goes on in; nil at the end of input.
    ///
    /// - Parameter goesOn: called before each further line of the same text.
    mutating func next(goesOn: () -> Void) throws -> String? {
        guard var text = try line() else { return nil }
        while text.hasSuffix("\\") {
            text.removeLast()
            text += "\n"
            goesOn()
            guard let more = try line() else { break }
            text += more
            guard text.utf8.count <= byteCountMax else { throw tooLong(text.utf8.count) }
        }
        return text
    }

    private mutating func line() throws -> String? {
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(bytes[..<end])
                bytes.removeSubrange(...end)
                return try text(line.last == UInt8(ascii: "\r") ? Array(line.dropLast()) : line)
            }
            if isAtEnd {
                defer { bytes = [] }
                return bytes.isEmpty ? nil : try text(bytes)
            }
            guard bytes.count <= byteCountMax else { throw tooLong(bytes.count) }
            try readMore()
        }
    }

    private mutating func readMore() throws {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0 {
            if errno == EINTR { return }
            throw CommandFailure("standard input cannot be read: \(String(cString: strerror(errno)))")
        }
        if count == 0 { isAtEnd = true }
        bytes += buffer[..<count]
    }

    private func text(_ line: [UInt8]) throws -> String {
        if let offset = UTF8Check.firstInvalidOffset(line) {
            throw CommandFailure(RequestError.promptNotUTF8(byteOffset: offset).description)
        }
        return String(decoding: line, as: UTF8.self)
    }

    private func tooLong(_ count: Int) -> CommandFailure {
        CommandFailure(RequestError.promptTextTooLong(byteCount: count, byteCountMax: byteCountMax).description)
    }
}
