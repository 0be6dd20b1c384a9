import HeddleCore
import HeddleWire
import Testing

/// Any bytes end in a value or in a `WireError`; what decodes encodes to something that decodes to the same.
@Suite struct FuzzTests {
    @Test func everyDecoderBearsAnyBytes() throws {
        try fuzz(Bool.self, seeds: [true])
        try fuzz(String.self, seeds: ["Übung", ""])
        try fuzz([String?].self, seeds: [["a", nil]])
        try fuzz([Float].self, seeds: [[1, 2, 3]])
        try fuzz([[Int64]].self, seeds: [[[1], [2, 3]]])
        try fuzz(Duration.self, seeds: [.seconds(3), .milliseconds(-3)])
        try fuzz(NodeName.self, seeds: [NodeName("front")])
        try fuzz(Incarnation.self, seeds: [Incarnation(high: 1, low: 2)])
        try fuzz(Digest.self, seeds: [try #require(Digest([UInt8](repeating: 7, count: 32)))])
        try fuzz(SamplingParameters.self, seeds: [sampling])
        try fuzz(StepPlan.self, seeds: [plan])
        try fuzz(FinishReason.self, seeds: [.stop])
        try fuzz(RequestError.self, seeds: errors)
    }

    @Test func everyProtobufFrameBearsAnyBytes() {
        let envelope = MeshEnvelope(
            kind: .call, incarnation: Incarnation(high: 1, low: 2), call: 3, role: "router", name: "main", method: 4,
            deadlineMicroseconds: 5, trace: TraceContext(traceHigh: 1, traceLow: 2, span: 3, flags: 1))
        #expect((try? MeshEnvelope(unpacking: envelope.packed())) == envelope)
        let hello = MeshHello(node: "front", contractDigest: .max)
        #expect((try? MeshHello(unpacking: hello.packed())) == hello)
        let refusal = MeshRefusal(reason: .contract, ours: "0x1", theirs: "0x2")
        #expect((try? MeshRefusal(unpacking: refusal.packed())) == refusal)
        everyMutation(of: [envelope.packed(), hello.packed(), refusal.packed()], count: 20_000) { bytes in
            if let read = try? MeshEnvelope(unpacking: bytes) {
                #expect((try? MeshEnvelope(unpacking: read.packed())) == read)
            }
            if let read = try? MeshHello(unpacking: bytes) {
                #expect((try? MeshHello(unpacking: read.packed())) == read)
            }
            if let read = try? MeshRefusal(unpacking: bytes) {
                #expect((try? MeshRefusal(unpacking: read.packed())) == read)
            }
        }
        #expect(throws: WireError.self) { try MeshEnvelope(unpacking: [UInt8](repeating: 0, count: 513)) }
    }

    private func fuzz<Value: WireCodable & Equatable>(_ type: Value.Type, seeds: [Value]) throws {
        everyMutation(of: seeds.map { $0.wireBytes() }, count: 3000) { bytes in
            guard let value = try? Value(wireBytes: bytes) else { return }
            let again = value.wireBytes()
            guard let second = try? Value(wireBytes: again) else {
                Issue.record("\(type) does not decode what it encodes: \(again)")
                return
            }
            // Bytes, not values: a NaN does not equal itself.
            #expect(second.wireBytes() == again)
        }
    }

    /// Truncations, bit flips, and random bytes, from one seed.
    private func everyMutation(of seeds: [[UInt8]], count: Int, _ body: ([UInt8]) -> Void) {
        for seed in seeds {
            for end in 0...seed.count { body(Array(seed[..<end])) }
            for position in seed.indices {
                for bit in 0..<8 {
                    var bytes = seed
                    bytes[position] ^= 1 << UInt8(bit)
                    body(bytes)
                }
            }
        }
        var generator = SplitMix(state: 20_26)
        for _ in 0..<count {
            var bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            if Bool.random(using: &generator), let seed = seeds.randomElement(using: &generator), !seed.isEmpty {
                // A real beginning with a random rest reaches further into the decoder.
                bytes = seed[..<Int.random(in: 0..<seed.count, using: &generator)] + bytes
            }
            body(bytes)
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
