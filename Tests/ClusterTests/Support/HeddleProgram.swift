import Foundation

/// The program under test: built beside this test bundle, or what `HEDDLE_TEST_PROGRAM` names.
enum HeddleProgram {
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["HEDDLE_TEST_PROGRAM"] { return named }
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let path = bundle.deletingLastPathComponent().appendingPathComponent("heddle").path
        precondition(
            FileManager.default.isExecutableFile(atPath: path), "the cluster tests run \(path), which is not built")
        return path
    }()

    /// Runs one command to its end.
    static func run(
        _ arguments: [String], input: [UInt8]? = nil, environment: [String: String] = [:],
        within limit: Duration = .seconds(30)
    ) async throws -> StartedProcess.Ended {
        let process = try StartedProcess(path, arguments, input: input, environment: environment)
        return try await process.ended(within: limit)
    }
}
