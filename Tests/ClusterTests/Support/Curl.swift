import Foundation
import Testing

/// Calls of a gateway by `curl`.
enum Curl {
    struct Answer: Sendable {
        var status: Int
        /// Lower-case names.
        var headers: [String: String]
        var body: String

        /// A member of the error object.
        func error(_ member: String) throws -> String? {
            let json = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
            return (json?["error"] as? [String: Any])?[member] as? String
        }
    }

    static let path = "/usr/bin/curl"

    /// The words of a call: with a body it is a POST.
    static func words(_ url: String, key: String? = "demo-acme", body: String? = nil) -> [String] {
        ["-sSN", "--max-time", "60", url] + (key.map { ["-H", "Authorization: Bearer \($0)"] } ?? [])
            + (body.map { ["-d", $0] } ?? [])
    }

    static func call(
        _ url: String, key: String? = "demo-acme", body: String? = nil, options: [String] = []
    ) async throws -> Answer {
        let process = try StartedProcess(path, words(url, key: key, body: body) + ["-i"] + options)
        let ended = try await process.ended(within: .seconds(70))
        guard ended.code == 0, let gap = ended.output.range(of: "\r\n\r\n") else {
            throw StartedProcess.Failed("curl \(url): \(ended.errors)")
        }
        let lines = ended.output[..<gap.lowerBound].split(separator: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        return Answer(status: status, headers: headers, body: String(ended.output[gap.upperBound...]))
    }
}
