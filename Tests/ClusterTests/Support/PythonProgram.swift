import Foundation
import Testing

/// Programs in Python that drive a mesh as their users would: `Tests/ClusterTests/Python`.
enum PythonProgram {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// `HEDDLE_PYTHON`, or what `make test` installs.
    static let interpreter: String? = [
        ProcessInfo.processInfo.environment["HEDDLE_PYTHON"], root + "/.build/venv/bin/python",
    ].compactMap(\.self).first { FileManager.default.isExecutableFile(atPath: $0) }

    /// In CI its absence is a failure, elsewhere the tests are left out.
    static let canRun = interpreter != nil || ProcessInfo.processInfo.environment["CI"] != nil

    /// Runs one of the programs to its end and sees that all its cases passed.
    static func run(
        _ name: String, environment: [String: String], arguments: [String] = [], within limit: Duration = .seconds(240),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let interpreter = try #require(interpreter, "no Python: make test installs one, or set HEDDLE_PYTHON")
        let own = ["PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*", "HEDDLE_PROTOS": "\(root)/Protos"]
        let process = try StartedProcess(
            interpreter, ["\(root)/Tests/ClusterTests/Python/\(name)"] + arguments,
            environment: own.merging(environment) { _, given in given })
        let ended = try await process.ended(within: limit)
        #expect(ended.code == 0, "\(ended.output)\n\(ended.errors)", sourceLocation: sourceLocation)
    }
}

extension RunningMesh {
    /// Where the mesh's first gateway listens.
    var url: String { configuration.gateways[0].origin }

    /// What a Python program needs to know of this mesh.
    var pythonEnvironment: [String: String] {
        [
            "HEDDLE_URL": url, "HEDDLE_KEY": "demo-acme", "HEDDLE_OTHER_KEY": "demo-cobalt",
            "HEDDLE_ENDPOINTS": configuration.clientEndpoints.joined(separator: " "),
        ]
    }
}
