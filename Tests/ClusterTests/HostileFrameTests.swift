import Foundation
import HeddleClient
import HeddleCore
import HeddleWire
import Testing

extension WholeMesh {
    /// Garbage on every socket while a good client streams on.
    @Suite(.mesh(.frontAndTwoRanks)) struct HostileFrameTests {
        let mesh = RunningMesh.current

        /// Streams while the body works; then the stream must be what it is without it, and the processes the same.
        private func whileStreaming(_ body: () async throws -> Void) async throws {
            let before = mesh.processes()
            let submission = ClientSubmission.long(model: "json", tenant: "cobalt", seed: 4, choiceCount: 4)
            let client = try mesh.client()
            defer { client.close() }
            let wanted = await client.answer(to: submission)
            #expect(wanted.failure == nil)
            async let found = client.answer(to: submission.again)
            do { try await body() } catch {
                _ = await found
                throw error
            }
            #expect(await found.choices == wanted.choices)
            try await mesh.idle()
            #expect(mesh.processes() == before)
        }

        @Test(.timeLimit(.minutes(1))) func theClientSocketRefusesGarbage() async throws {
            let good = ClientMessage.submit(.request()).frames()
            var wrongVersion = good
            wrongVersion[0][2] = 9
            var wrongSocket = good
            wrongSocket[0][1] = UInt8(ascii: "I")
            var wrongKind = good
            wrongKind[0][3] = 77
            let named: [(String, [[UInt8]])] = [
                ("version 9", wrongVersion), ("HC", wrongSocket), ("kind 77", wrongKind), ("2 frames", [good[0]]),
                ("2 frames", good + [[]]), ("4 bytes", [[], []]), ("4 bytes", [Array("garbage".utf8), good[1]]),
            ]
            let mesh = mesh
            try await whileStreaming {
                try await RawClient.with(mesh.endpoint) { client in
                    for (word, frames) in named {
                        try client.say(frames)
                        guard case .failed(let failure)? = try client.hear() else {
                            Issue.record("no refusal of \(word)")
                            continue
                        }
                        #expect(failure.code == "protocol_violation")
                        #expect(failure.message.contains(word), "\(failure.message)")
                        #expect(failure.id == nil)
                    }
                    // Every truncation is answered by something; none of them is an end of the router.
                    for count in stride(from: 0, to: good[1].count, by: 3) {
                        try client.say([good[0], Array(good[1].prefix(count))])
                    }
                    var noise = Noise(seed: 11)
                    for _ in 0..<500 { try client.say([good[0], noise.bytes(upTo: 200)]) }
                    for _ in 0..<500 { try client.say((0..<noise.below(5)).map { _ in noise.bytes(upTo: 40) } + [[1]]) }
                    let good = ClientSubmission.request(tenant: "beacon")
                    try client.say(.submit(good))
                    while let reply = try client.hear(within: .seconds(30)) {
                        if case .finished(let finished) = reply, finished.id == good.id { return }
                    }
                    Issue.record("the router answers no more")
                }
            }
        }

        @Test(.timeLimit(.minutes(1))) func aFrameThatIsTooLargeEndsItsConnection() async throws {
            let mesh = mesh
            try await whileStreaming {
                try await RawClient.with(mesh.endpoint) { client in
                    try client.say([Array("HC".utf8) + [1, 1], [UInt8](repeating: 7, count: 8 << 20)])
                    #expect(try client.hearFrames(within: .seconds(1)) == nil)
                }
            }
        }

        @Test(.timeLimit(.minutes(1))) func bytesThatAreNoZeroMQAreNoHarm() async throws {
            let mesh = mesh
            let port = try #require(UInt16(mesh.endpoint.split(separator: ":").last ?? ""))
            try await whileStreaming {
                try await onThread {
                    var noise = Noise(seed: 12)
                    for _ in 0..<50 { try sendPlain(noise.bytes(upTo: 4000), port: port) }
                    try sendPlain(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8), port: port)
                }
            }
        }

        @Test(.timeLimit(.minutes(1))) func theInspectionSocketRefusesGarbage() async throws {
            let mesh = mesh
            let endpoints = mesh.configuration.nodes.map(\.inspect)
            try await whileStreaming {
                for endpoint in endpoints {
                    try await RawClient.with(endpoint) { client in
                        let good = InspectRequest(
                            number: 7, query: InspectionQuery(.everything), deadline: .seconds(1)).frames()
                        var wrongVersion = good
                        wrongVersion[0][2] = 2
                        try client.say(wrongVersion)
                        let answer = try client.hearFrames()
                        let reply = try InspectReply(frames: answer ?? [])
                        guard case .refused(let reason) = reply.outcome else {
                            Issue.record("no refusal: \(reply)")
                            return
                        }
                        #expect(reason.contains("version 2"), "\(reason)")
                        var noise = Noise(seed: 13)
                        for _ in 0..<300 { try client.say([good[0], noise.bytes(upTo: 200)]) }
                        for _ in 0..<300 { try client.say([noise.bytes(upTo: 10), noise.bytes(upTo: 10)]) }
                        for count in 0..<good[1].count { try client.say([good[0], Array(good[1].prefix(count))]) }
                        try client.say(good)
                        while let frames = try client.hearFrames() {
                            let reply = try InspectReply(frames: frames)
                            if reply.number == 7, case .report = reply.outcome { return }
                        }
                        Issue.record("\(endpoint) answers no more")
                    }
                }
            }
        }

        @Test(.timeLimit(.minutes(1))) func theMeshSocketIgnoresStrangers() async throws {
            let mesh = mesh
            let endpoints = mesh.configuration.nodes.map(\.mesh)
            try await whileStreaming {
                for endpoint in endpoints {
                    try await RawClient.with(endpoint) { client in
                        var noise = Noise(seed: 14)
                        for count in 0..<300 {
                            try client.say((0...count % 4).map { _ in noise.bytes(upTo: 300) })
                        }
                        // What it answers, if anything, is a refusal; it is not looked at.
                        _ = try client.hearFrames(within: .milliseconds(200))
                    }
                }
            }
            try await mesh.whole()
        }
    }
}

/// The same noise from the same seed.
struct Noise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
    mutating func bytes(upTo count: Int) -> [UInt8] { (0..<below(count)).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// Sends bytes over a TCP connection of their own and closes it.
private func sendPlain(_ bytes: [UInt8], port: UInt16) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw StartedProcess.Failed("socket") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    // Safety: the address is a `sockaddr_in`, whose size the kernel is told.
    let isConnected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    guard isConnected else { throw StartedProcess.Failed("connect: \(String(cString: strerror(errno)))") }
    // The other end may close before all is said.
    _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
}
