import HeddleCore
import HeddleWire

/// Which error types cross the wire as themselves, each under a fixed code; every other one arrives as
/// `RemoteCallError.remoteFailure(type:message:)`.
public struct WireErrorTable: Sendable {
    /// One error type and its code on the wire.
    public struct Entry: Sendable {
        let code: UInt32
        let typeName: String
        let encode: @Sendable (any Error) -> [UInt8]?
        let decode: @Sendable (inout WireReader) throws(WireError) -> any Error

        /// Codes below 16 are the actor system's own.
        public init<Failure: Error & WireCodable>(code: UInt32, _ type: Failure.Type) {
            precondition(code >= 16, "error codes below 16 are taken")
            self.code = code
            typeName = "\(type)"
            encode = { ($0 as? Failure)?.wireBytes() }
            decode = { (reader: inout WireReader) throws(WireError) in try Failure(from: &reader) }
        }
    }

    private let entries: [Entry]

    public init(_ entries: [Entry]) {
        precondition(Set(entries.map(\.code)).count == entries.count, "an error code names two types")
        self.entries = entries
    }

    /// `RequestError` under code 16.
    public static let standard = WireErrorTable([Entry(code: 16, RequestError.self)])

    /// The table with more types.
    public func adding(_ more: [Entry]) -> WireErrorTable { WireErrorTable(entries + more) }

    var lines: [String] { entries.sorted { $0.code < $1.code }.map { "\($0.code) \($0.typeName)" } }

    private static let codeOfSystem: UInt32 = 0
    private static let codeOfCancellation: UInt32 = 1
    private static let codeOfOthers: UInt32 = 2
    private static let messageByteCountMax = 4096

    /// The payload of a failure frame.
    func payload(of error: any Error) -> [UInt8] {
        var writer = WireWriter()
        if error is CancellationError {
            writer.write(Self.codeOfCancellation)
            return writer.bytes
        }
        if let error = error as? RemoteCallError {
            writer.write(Self.codeOfSystem)
            error.encode(into: &writer)
            return writer.bytes
        }
        for entry in entries {
            guard let bytes = entry.encode(error) else { continue }
            writer.write(entry.code)
            UInt8.encodeElements(bytes, into: &writer)
            return writer.bytes
        }
        writer.write(Self.codeOfOthers)
        writer.write("\(type(of: error))".cut(byteCountMax: 256))
        writer.write("\(error)".cut(byteCountMax: Self.messageByteCountMax))
        return writer.bytes
    }

    /// The error of a failure frame; what cannot be read is an error too.
    package func error(of payload: [UInt8]) -> any Error {
        var reader = WireReader(payload)
        do throws(WireError) {
            let code = try reader.read(UInt32.self)
            switch code {
            case Self.codeOfSystem: return try RemoteCallError(from: &reader)
            case Self.codeOfCancellation: return CancellationError()
            case Self.codeOfOthers:
                let type = try reader.readText(byteCountMax: 256)
                return RemoteCallError.remoteFailure(
                    type: type, message: try reader.readText(byteCountMax: Self.messageByteCountMax))
            default:
                guard let entry = entries.first(where: { $0.code == code }) else {
                    return RemoteCallError.resultUnreadable(reason: "error code \(code) is not in the table")
                }
                return try entry.decode(&reader)
            }
        } catch {
            return RemoteCallError.resultUnreadable(reason: error.description)
        }
    }
}

extension String {
    /// The longest beginning of whole characters that fits.
    func cut(byteCountMax: Int) -> String {
        guard utf8.count > byteCountMax else { return self }
        var end = startIndex
        var byteCount = 0
        for index in indices {
            byteCount += self[index].utf8.count
            guard byteCount <= byteCountMax else { break }
            end = self.index(after: index)
        }
        return String(self[..<end])
    }
}
