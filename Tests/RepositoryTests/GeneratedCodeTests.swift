import Foundation
import Testing

/// The committed output of protoc-c is what `.ci/generate-wire` writes today.
@Suite struct GeneratedCodeTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The generator is a package of its own; where nobody promised it, its absence is not the repository's mistake.
    private static let canGenerate =
        ProcessInfo.processInfo.environment["CI"] != nil
        || (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/protoc-c")
        }

    private static func wireFiles(in folder: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for part in ["", "include/"] {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path + "/" + part) {
                guard name.hasSuffix(".c") || name.hasSuffix(".h") else { continue }
                files[part + name] = try Data(contentsOf: folder.appendingPathComponent(part + name))
            }
        }
        return files
    }

    @Test(.enabled(if: canGenerate, "protoc-c is not installed"))
    func theCommittedWireCodeIsFresh() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("heddle-wire-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let generator = Process()
        generator.executableURL = Self.root.appendingPathComponent(".ci/generate-wire")
        generator.arguments = [folder.path]
        try generator.run()
        generator.waitUntilExit()
        #expect(generator.terminationStatus == 0)
        let fresh = try Self.wireFiles(in: folder)
        let committed = try Self.wireFiles(in: Self.root.appendingPathComponent("Sources/CHeddleWire"))
        #expect(!fresh.isEmpty)
        #expect(committed.keys.sorted() == fresh.keys.sorted(), "run .ci/generate-wire")
        for (name, data) in fresh { #expect(committed[name] == data, "\(name) is stale: run .ci/generate-wire") }
    }
}
