import Foundation
import Testing

/// What every file of the repository keeps to, and where files may lie.
@Suite struct SourceStyleTests {
    /// Text that people write; what tools made is not held to it.
    private static func writtenFiles() throws -> [String] {
        let suffixes = [
            ".swift", ".c", ".h", ".cpp", ".inc", ".cu", ".py", ".md", ".txt", ".yaml", ".yml", ".proto", ".sh",
            ".modulemap",
        ]
        return try ["Sources", "Tests", "Cluster", "Docs", "Protos"].filter {
            FileManager.default.fileExists(atPath: "\(Repository.root)/\($0)")
        }.flatMap { try Repository.files(below: $0, endingIn: suffixes) }.filter { path in
            !path.hasSuffix(".pb-c.c") && !path.hasSuffix(".pb-c.h") && !path.contains("/Goldens/")
                && !path.hasPrefix("Cluster/demo/model/") && !path.hasPrefix("Cluster/demo/adapters/")
        }
    }

    /// Files of `Sources` that are longer than `lineCountMax`, each with its reason.
    private static let longFiles: [String: String] = [
        "Sources/HeddleFiles/Tokenizer/Unicode/NormalFormTables.swift": "a table that the Unicode consortium wrote",
        "Sources/HeddleFiles/Tokenizer/Unicode/CompatibilityTables.swift": "a table that the Unicode consortium wrote",
        "Sources/HeddleFiles/Tokenizer/Unicode/ScalarKindRuns.swift": "a table that the Unicode consortium wrote",
    ]
    private static let lineCountMax = 400

    @Test func onlyKnownFoldersLieAtTheTop() throws {
        let known: Set<String> = [
            ".ci", ".gitignore", ".swift-format", "Cluster", "Docs", "LICENSE", "Makefile", "Package.swift", "Protos",
            "README.md", "Sources", "Tests",
        ]
        let found = try FileManager.default.contentsOfDirectory(atPath: Repository.root).filter {
            !Repository.ignored.contains($0) && !$0.hasPrefix(".build-")
        }
        #expect(Set(found).subtracting(known).sorted() == [])
    }

    @Test func everyTargetOfTestsBelongsToATarget() throws {
        let sources = Set(try Repository.folders(in: "Sources"))
        let whole: Set<String> = ["RepositoryTests", "ClusterTests", "SimulationTests"]
        for folder in try Repository.folders(in: "Tests") where !whole.contains(folder) {
            #expect(sources.contains(String(folder.dropLast("Tests".count))), "Tests/\(folder) tests no target")
        }
    }

    @Test func nothingIsLeftForLater() throws {
        // In two parts, so that this file may lie here.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for file in try Self.writtenFiles() {
            for (index, line) in try Repository.lines(file).enumerated() {
                for word in words { #expect(!line.contains(word), "\(file):\(index + 1) says \(word)") }
            }
        }
    }

    @Test func linesEndWithoutSpacesAndFilesWithOneNewline() throws {
        for file in try Self.writtenFiles() {
            let lines = try Repository.lines(file)
            for (index, line) in lines.enumerated() {
                #expect(
                    line.last != " " && line.last != "\t" && line.last != "\r", "\(file):\(index + 1) ends in a space")
            }
            #expect(lines.count < 2 || (lines.last == "" && lines[lines.count - 2] != ""), "\(file) ends badly")
        }
    }

    @Test func sourcesAreShort() throws {
        for file in try Repository.files(below: "Sources", endingIn: [".swift", ".c", ".cpp", ".h", ".inc"]) {
            guard !file.hasSuffix(".pb-c.c"), !file.hasSuffix(".pb-c.h"), Self.longFiles[file] == nil else { continue }
            let count = try Repository.lines(file).count - 1
            #expect(count <= Self.lineCountMax, "\(file) has \(count) lines; at most \(Self.lineCountMax)")
        }
        for file in Self.longFiles.keys where FileManager.default.fileExists(atPath: "\(Repository.root)/\(file)") {
            #expect(
                try Repository.lines(file).count - 1 > Self.lineCountMax,
                "\(file) is short by now: take it off the list")
        }
    }

    @Test func noTestReachesForWhatItsTargetHides() throws {
        let word = "@test" + "able"
        for file in try Repository.files(below: "Tests", endingIn: [".swift"]) {
            #expect(try !Repository.text(file).contains("\(word) import"), "\(file): tests run in release")
        }
    }
}
