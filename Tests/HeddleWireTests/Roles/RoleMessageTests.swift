import HeddleCore
import HeddleWire
import Testing

/// What routers, queues, caches and workers say to each other, as bytes.
struct RoleMessageTests {
    @Test func everyMessageComesBackAsItWas() throws {
        func check<Value: WireCodable & Equatable>(_ values: [Value]) throws {
            for value in values { #expect(try Value(wireBytes: value.wireBytes()) == value) }
        }
        try check(RoleSamples.queueMessages)
        try check(RoleSamples.queueAnswers)
        try check(RoleSamples.groupMessages)
        try check(RoleSamples.workerMessages)
        try check(RoleSamples.workerAnswers)
        try check([RoleSamples.presence])
        try check([RoleSamples.shardFile])
        try check([RoleSamples.hold])
        try check(RoleSamples.addresses)
    }

    @Test func everyBeginningOfAMessageIsRefused() {
        for bytes in RoleSamples.allBytes {
            for count in 0..<bytes.count {
                let cut = Array(bytes[..<count])
                #expect(throws: WireError.self) { try [WorkerMessage](wireBytes: cut) }
                #expect(throws: WireError.self) { try [QueueMessage](wireBytes: cut) }
            }
        }
    }

    @Test(arguments: 0..<4)
    func noBytesTrap(seed: Int) {
        var random = SplitMix(state: UInt64(seed) &* 0x9E37_79B9 &+ 1)
        let samples = RoleSamples.allBytes
        for _ in 0..<5_000 {
            var bytes = samples[Int(random.next() % UInt64(samples.count))]
            for _ in 0...(random.next() % 4) where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = try? QueueMessage(wireBytes: bytes)
            _ = try? QueueAnswer(wireBytes: bytes)
            _ = try? GroupMessage(wireBytes: bytes)
            _ = try? WorkerMessage(wireBytes: bytes)
            _ = try? WorkerAnswer(wireBytes: bytes)
            _ = try? RankPresence(wireBytes: bytes)
            _ = try? AdapterShardFile(wireBytes: bytes)
            _ = try? CollectiveAddress(wireBytes: bytes)
        }
    }

    @Test func aNegativeCountIsRefused() throws {
        var ticket = RoleSamples.ticket
        ticket.promptTokenCount = -1
        #expect(throws: WireError.self) { try Ticket(wireBytes: ticket.wireBytes()) }
        ticket.promptTokenCount = 1 << 41
        #expect(throws: WireError.self) { try Ticket(wireBytes: ticket.wireBytes()) }
    }

    /// Two builds with one wire version must read each other. Whoever changes these bytes raises `WireVersion.current`, then this.
    @Test func theBytesAreThoseOfThisWireVersion() {
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for bytes in RoleSamples.allBytes {
            for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        }
        #expect(WireVersion.current == 3)
        #expect(String(digest, radix: 16) == RoleSamples.digestOfVersion3)
    }
}
