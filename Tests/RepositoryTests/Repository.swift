import Foundation

/// The repository that this test was built from, as files.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// What building and working leave behind: `.gitignore` names it.
    static let ignored: Set<String> = [
        ".git", ".build", ".swiftpm", ".venv", ".index-build", ".vscode", "Package.resolved", "__pycache__",
        ".DS_Store",
    ]

    /// Paths of all files below a folder, from the root, in order; links are not followed.
    static func files(below folder: String, endingIn suffixes: [String] = [""]) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").sorted().flatMap { name -> [String] in
            guard !ignored.contains(name), !name.hasPrefix(".build-") else { return [] }
            let path = "\(folder)/\(name)"
            let kind = try FileManager.default.attributesOfItem(atPath: "\(root)/\(path)")[.type] as? FileAttributeType
            if kind == .typeDirectory { return try files(below: path, endingIn: suffixes) }
            return kind == .typeRegular && suffixes.contains { name.hasSuffix($0) } ? [path] : []
        }
    }

    static func folders(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").sorted().filter { name in
            var isDirectory: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: "\(root)/\(folder)/\(name)", isDirectory: &isDirectory)
            return exists && isDirectory.boolValue && !ignored.contains(name)
        }
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(path)")), as: UTF8.self)
    }

    static func lines(_ path: String) throws -> [Substring] {
        try text(path).split(separator: "\n", omittingEmptySubsequences: false)
    }
}
