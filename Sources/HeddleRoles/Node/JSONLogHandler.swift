import Foundation
import Logging

/// Writes each line of a node's log as one JSON object to standard error: `time`, `level`, `node`, `message`, and whatever else
/// the line bears, such as `actor`, `incarnation`, `event`, `subject` and `request`.
public struct JSONLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel = Logger.Level.info
    private let label: String

    public init(label: String) { self.label = label }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var members: [String: String] = metadata.mapValues { "\($0)" }
        members.merge((event.metadata ?? [:]).mapValues { "\($0)" }) { _, new in new }
        let line = Self.line(
            time: Date(), level: event.level.rawValue, node: label, message: event.message.description, members: members
        )
        // One call, so that lines of several threads do not mix.
        FileHandle.standardError.write(Data(line.utf8))
    }

    static func line(time: Date, level: String, node: String, message: String, members: [String: String]) -> String {
        var line = "{\"time\":\"\(stamp(time))\",\"level\":\"\(level)\",\"node\":\(quoted(node))"
        for (key, value) in members.sorted(by: { $0.key < $1.key }) { line += ",\(quoted(key)):\(quoted(value))" }
        return line + ",\"message\":\(quoted(message))}\n"
    }

    /// RFC 3339 in UTC with milliseconds.
    private static func stamp(_ time: Date) -> String {
        let milliseconds = Int64((time.timeIntervalSince1970 * 1000).rounded(.down))
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: Int32, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return digits(parts.tm_year + 1900, 4) + "-" + digits(parts.tm_mon + 1, 2) + "-" + digits(parts.tm_mday, 2)
            + "T"
            + digits(parts.tm_hour, 2) + ":" + digits(parts.tm_min, 2) + ":" + digits(parts.tm_sec, 2) + "."
            + digits(Int32(milliseconds % 1000), 3) + "Z"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let hexadecimal = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
