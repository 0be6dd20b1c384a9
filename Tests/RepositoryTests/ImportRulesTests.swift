import Foundation
import Testing

/// A target exists to forbid an import: what each may import is written here, and `Package.swift` says the same.
@Suite struct ImportRulesTests {
    /// Our own modules and other people's that each Swift target may import.
    static let table: [String: Set<String>] = [
        "HeddleCore": [],
        "HeddleWire": ["CHeddleWire", "HeddleCore"],
        "HeddleTransport": ["CZeroMQ"],
        "HeddleActors": ["HeddleCore", "HeddleWire", "HeddleTransport"],
        "HeddleClient": ["HeddleCore", "HeddleWire", "HeddleTransport"],
        "HeddleKernels": ["CHeddleKernels"],
        "HeddleCollective": ["CHeddleLinux", "HeddleCore", "HeddleTransport"],
        "HeddleFiles": ["HeddleCore", "Crypto"],
        "HeddleTemplates": ["HeddleFiles"],
        "HeddleGrammar": ["HeddleCore", "HeddleFiles"],
        "HeddleEngine": ["HeddleCore", "HeddleFiles", "HeddleGrammar", "HeddleKernels", "HeddleCollective"],
        "HeddleCluster": ["CHeddleLinux", "HeddleCore", "Yams", "Crypto"],
        "HeddleRoles": [
            "HeddleCore", "HeddleWire", "HeddleTransport", "HeddleActors", "HeddleEngine", "HeddleCollective",
            "HeddleFiles", "HeddleGrammar", "HeddleCluster", "Crypto", "Logging",
        ],
        "HeddleGateway": [
            "HeddleCore", "HeddleWire", "HeddleFiles", "HeddleTemplates", "HeddleCluster", "HeddleRoles", "Crypto",
            "HTTPTypes", "Hummingbird", "HummingbirdCore", "HummingbirdTLS", "Logging", "NIOCore", "ServiceLifecycle",
        ],
        "heddle": [
            "HeddleCore", "HeddleWire", "HeddleTransport", "HeddleActors", "HeddleEngine", "HeddleCollective",
            "HeddleFiles", "HeddleKernels", "HeddleTemplates", "HeddleGrammar", "HeddleCluster", "HeddleRoles",
            "HeddleGateway",
            "HeddleClient",
            "ArgumentParser", "Logging",
        ],
    ]

    /// The system library behind a C target's headers is imported with it.
    static let behind = ["CHeddleWire": "CProtobufC"]

    /// What comes with the toolchain.
    static let system: Set<String> = ["Foundation", "FoundationNetworking", "Glibc", "Synchronization", "Dispatch"]

    /// The core decides and does nothing else: it has not even a clock, a file or a lock to reach for.
    static let withoutSystem: Set<String> = ["HeddleCore"]
    static let withDistributed: Set<String> = ["HeddleActors", "HeddleRoles", "heddle"]

    static func mayImport(_ target: String) -> Set<String> {
        var modules = table[target] ?? []
        for module in modules { if let library = behind[module] { modules.insert(library) } }
        if !withoutSystem.contains(target) { modules.formUnion(system) }
        if withDistributed.contains(target) { modules.insert("Distributed") }
        return modules
    }

    @Test(arguments: table.keys.sorted())
    func everyFileImportsOnlyWhatItsTargetMay(target: String) throws {
        guard try Repository.folders(in: "Sources").contains(target) else { return }
        let allowed = Self.mayImport(target)
        for file in try Repository.files(below: "Sources/\(target)", endingIn: [".swift"]) {
            for (index, line) in try Repository.lines(file).enumerated() {
                guard let module = Self.importedModule(line) else { continue }
                #expect(allowed.contains(module), "\(file):\(index + 1) imports \(module)")
            }
        }
    }

    @Test func everySwiftTargetHasARule() throws {
        let swift = try Repository.folders(in: "Sources").filter {
            try !Repository.files(below: "Sources/\($0)", endingIn: [".swift"]).isEmpty
        }
        for target in swift { #expect(Self.table[target] != nil, "Sources/\(target) has no rule in ImportRulesTests") }
    }

    @Test func thePackageSaysTheSame() throws {
        let package = try Repository.text("Package.swift")
        for (target, modules) in Self.table.sorted(by: { $0.key < $1.key }) {
            guard let declared = Self.dependencies(of: target, in: package) else {
                #expect(try !Repository.folders(in: "Sources").contains(target), "Package.swift lacks \(target)")
                continue
            }
            #expect(declared == modules, "Package.swift and ImportRulesTests differ about \(target)")
        }
    }

    @Test func theRulesThemselvesAreReadRight() {
        #expect(Self.importedModule("import HeddleCore") == "HeddleCore")
        #expect(Self.importedModule("@preconcurrency public import struct Crypto.SHA256") == "Crypto")
        #expect(Self.importedModule("    import Yams // why") == "Yams")
        #expect(Self.importedModule("let important = 1") == nil)
        let package = """
            .target(
                name: "A", dependencies: ["B", .product(name: "C", package: "d")], swiftSettings: strict),
            .target(name: "B", swiftSettings: strict),
            """
        #expect(Self.dependencies(of: "A", in: package) == ["B", "C"])
        #expect(Self.dependencies(of: "B", in: package) == [])
        #expect(Self.dependencies(of: "E", in: package) == nil)
    }

    /// The module of an import declaration; nil for any other line.
    static func importedModule(_ line: Substring) -> String? {
        var words = line.split { $0 == " " || $0 == "\t" }[...]
        let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
        while let word = words.first, word.hasPrefix("@") || modifiers.contains(word) { words.removeFirst() }
        guard words.popFirst() == "import" else { return nil }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        if let kind = words.first, kinds.contains(kind) { words.removeFirst() }
        return words.first?.split(separator: ".").first.map(String.init)
    }

    /// The names in a target's list of dependencies; nil where the package has no such target.
    static func dependencies(of target: String, in package: String) -> Set<String>? {
        guard
            let name = package.range(of: "arget(name: \"\(target)\"")
                ?? package.range(
                    of: "arget\\(\\s*name: \"\(target)\"", options: .regularExpression)
        else { return nil }
        // The declaration ends where its parenthesis does.
        var depth = 1
        var end = name.upperBound
        while depth > 0, end < package.endIndex {
            if package[end] == "(" { depth += 1 }
            if package[end] == ")" { depth -= 1 }
            end = package.index(after: end)
        }
        let declaration = package[name.upperBound..<end]
        guard let list = declaration.range(of: "dependencies: [") else { return [] }
        let rest = declaration[list.upperBound...]
        let items = rest[..<(rest.firstIndex(of: "]") ?? rest.endIndex)]
        // A product is written `.product(name: "X", package: "y")`: the package's name is none of ours.
        let withoutPackages = items.replacing(/package: "[^"]*"/, with: "")
        return Set(withoutPackages.matches(of: /"([^"]+)"/).map { String($0.output.1) })
    }
}

extension ImportRulesTests {
    fileprivate static func importedModule(_ line: String) -> String? { importedModule(line[...]) }
}
