// swift-tools-version: 6.2
import PackageDescription

// A target exists to forbid an import: the list of dependencies beside each name is the whole of what it may import.
// RepositoryTests/ImportRulesTests holds the sources to it.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]
let strictCXX: [CXXSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "heddle",
    products: [
        .executable(name: "heddle", targets: ["heddle"]),
        .library(name: "HeddleClient", targets: ["HeddleClient", "HeddleCore"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // System libraries and C.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CProtobufC", providers: [.apt(["libprotobuf-c-dev"])]),
        .target(name: "CHeddleWire", dependencies: ["CProtobufC"]),
        .target(name: "CHeddleLinux", cSettings: strictC),
        .target(name: "CHeddleKernels", exclude: ["kernels"], cxxSettings: strictCXX),

        // Values and decisions.
        .target(name: "HeddleCore", swiftSettings: strict),

        // Bytes, sockets, actors.
        .target(name: "HeddleWire", dependencies: ["CHeddleWire", "HeddleCore"], swiftSettings: strict),
        .target(name: "HeddleTransport", dependencies: ["CZeroMQ"], swiftSettings: strict),
        .target(
            name: "HeddleActors", dependencies: ["HeddleCore", "HeddleWire", "HeddleTransport"],
            swiftSettings: strict),

        // What a program outside the mesh needs to use it.
        .target(
            name: "HeddleClient", dependencies: ["HeddleCore", "HeddleWire", "HeddleTransport"],
            swiftSettings: strict),

        // Arithmetic and model files.
        .target(name: "HeddleKernels", dependencies: ["CHeddleKernels"], swiftSettings: strict),
        .target(
            name: "HeddleCollective", dependencies: ["CHeddleLinux", "HeddleCore", "HeddleTransport"],
            swiftSettings: strict),
        .target(
            name: "HeddleFiles",
            dependencies: ["HeddleCore", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(name: "HeddleTemplates", dependencies: ["HeddleFiles"], swiftSettings: strict),
        .target(name: "HeddleGrammar", dependencies: ["HeddleCore", "HeddleFiles"], swiftSettings: strict),
        .target(
            name: "HeddleEngine",
            dependencies: ["HeddleCore", "HeddleFiles", "HeddleGrammar", "HeddleKernels", "HeddleCollective"],
            swiftSettings: strict),

        // The mesh.
        .target(
            name: "HeddleCluster",
            dependencies: [
                "CHeddleLinux", "HeddleCore", .product(name: "Yams", package: "Yams"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(
            name: "HeddleRoles",
            dependencies: [
                "HeddleCore", "HeddleWire", "HeddleTransport", "HeddleActors", "HeddleEngine", "HeddleCollective",
                "HeddleFiles", "HeddleGrammar", "HeddleCluster", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "HeddleGateway",
            dependencies: [
                "HeddleCore", "HeddleWire", "HeddleFiles", "HeddleTemplates", "HeddleCluster", "HeddleRoles",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "heddle",
            dependencies: [
                "HeddleCore", "HeddleWire", "HeddleTransport", "HeddleActors", "HeddleEngine", "HeddleCollective",
                "HeddleFiles", "HeddleKernels", "HeddleTemplates", "HeddleGrammar", "HeddleCluster", "HeddleRoles",
                "HeddleGateway",
                "HeddleClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        // One folder per target, beside whole-repository and whole-cluster tests.
        .testTarget(name: "HeddleCoreTests", dependencies: ["HeddleCore"], swiftSettings: strict),
        .testTarget(
            name: "HeddleWireTests", dependencies: ["HeddleWire", "CHeddleWire", "HeddleCore"], swiftSettings: strict),
        .testTarget(name: "HeddleTransportTests", dependencies: ["HeddleTransport"], swiftSettings: strict),
        .testTarget(
            name: "HeddleActorsTests", dependencies: ["HeddleActors", "HeddleWire", "HeddleTransport", "HeddleCore"],
            swiftSettings: strict),
        .testTarget(
            name: "HeddleClientTests",
            dependencies: ["HeddleClient", "HeddleCore", "HeddleWire", "HeddleTransport", "CZeroMQ"],
            swiftSettings: strict),
        .testTarget(
            name: "HeddleKernelsTests", dependencies: ["HeddleKernels", "CHeddleKernels"], swiftSettings: strict),
        .testTarget(
            name: "HeddleCollectiveTests", dependencies: ["HeddleCollective", "HeddleTransport", "HeddleCore"],
            swiftSettings: strict),
        .testTarget(
            name: "HeddleFilesTests", dependencies: ["HeddleFiles", "HeddleCore"], resources: [.copy("Goldens")],
            swiftSettings: strict),
        .testTarget(
            name: "HeddleTemplatesTests", dependencies: ["HeddleTemplates", "HeddleFiles"],
            resources: [.copy("Goldens")], swiftSettings: strict),
        .testTarget(
            name: "HeddleGrammarTests", dependencies: ["HeddleGrammar", "HeddleFiles", "HeddleCore"],
            resources: [.copy("Goldens")], swiftSettings: strict),
        .testTarget(
            name: "HeddleEngineTests",
            dependencies: [
                "HeddleEngine", "HeddleGrammar", "HeddleCollective", "HeddleFiles", "HeddleKernels", "HeddleCore",
            ],
            resources: [.copy("Goldens")], swiftSettings: strict),
        .testTarget(name: "HeddleClusterTests", dependencies: ["HeddleCluster", "HeddleCore"], swiftSettings: strict),
        .testTarget(
            name: "HeddleRolesTests",
            dependencies: [
                "HeddleRoles", "HeddleActors", "HeddleTransport", "HeddleEngine", "HeddleFiles", "HeddleCore",
                "HeddleWire",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HeddleGatewayTests",
            dependencies: ["HeddleGateway", "HeddleCore", "HeddleFiles", "HeddleTemplates", "HeddleWire"],
            swiftSettings: strict),
        .testTarget(name: "RepositoryTests", swiftSettings: strict),
        .testTarget(
            name: "ClusterTests",
            dependencies: [
                "HeddleClient", "HeddleCluster", "HeddleFiles", "HeddleTransport", "HeddleWire", "HeddleCore",
                "CHeddleLinux",
            ],
            exclude: ["Python"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11,
    cxxLanguageStandard: .cxx17
)
