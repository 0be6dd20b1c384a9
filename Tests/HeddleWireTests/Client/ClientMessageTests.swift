import CHeddleWire
import HeddleCore
import HeddleWire
import Testing

@Suite struct ClientMessageTests {
    @Test(arguments: ClientSamples.messages)
    func aClientsMessageComesBackAsItWas(message: ClientMessage) throws {
        #expect(try ClientMessage(frames: message.frames()) == message)
    }

    @Test(arguments: ClientSamples.replies)
    func aRoutersReplyComesBackAsItWas(reply: ClientReply) throws {
        #expect(try ClientReply(frames: reply.frames()) == reply)
    }

    @Test func theHeaderIsFourBytes() {
        #expect(ClientMessage.ping(number: 1).frames()[0] == [0x48, 0x43, 1, 4])
        #expect(ClientSamples.replies[0].frames()[0] == [0x48, 0x43, 1, 16])
    }

    @Test func anAbsentSeedFollowsFromTheRequestID() throws {
        // request_id, and a prompt of one byte: nothing else is said.
        let id: [UInt8] = (0..<8).map { _ in 0 } + [0, 0, 0, 0, 0, 0, 1, 2]
        let frames: [[UInt8]] = [[0x48, 0x43, 1, 1], [0x0A, 16] + id + [0x2A, 1, 0x61]]
        let expected = ClientSubmission(
            id: RequestID(high: 0, low: 258), prompt: .text("a"), sampling: RequestedSampling(seed: 258))
        #expect(try ClientMessage(frames: frames) == .submit(expected))
    }

    @Test func aFieldThatIsNotKnownIsPassedOver() throws {
        var frames = ClientMessage.cancel(ClientSamples.id).frames()
        frames[1] += [0xF8, 0x01, 0x05]
        #expect(try ClientMessage(frames: frames) == .cancel(ClientSamples.id))
    }

    @Test func busyIsAnswerOfItsOwn() {
        let id = ClientSamples.id
        #expect(ClientReply(id: id, error: .busy(retryAfter: .seconds(1))) == .busy(id, retryAfter: .seconds(1)))
        #expect(
            ClientReply(id: nil, error: .busy(retryAfter: .seconds(1)))
                == .failed(RequestFailure(id: nil, .busy(retryAfter: .seconds(1)))))
    }

    @Test func aLongSentenceIsCutAtACharacter() throws {
        var limits = ClientLimits()
        limits.failureByteCountMax = 5
        let failure = RequestFailure(id: nil, code: "x", message: "aßßß")
        let reply = try ClientReply(frames: ClientReply.failed(failure).frames(limits: limits))
        #expect(reply == .failed(RequestFailure(id: nil, code: "x", message: "aßß")))
    }
}
