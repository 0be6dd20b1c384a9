import HeddleCore
import HeddleWire
import Testing

@Suite struct CodingTests {
    @Test func valuesComeBack() throws {
        try roundTrip(UInt8.max)
        try roundTrip(Int64.min)
        try roundTrip(-1)
        try roundTrip(Float(-0.0))
        try roundTrip(Double.greatestFiniteMagnitude)
        try roundTrip(true)
        try roundTrip("Übung 🧵")
        try roundTrip([[1, 2], [], [3]] as [[Int32]])
        try roundTrip(["a", nil, "b"] as [String?])
        try roundTrip(Duration.milliseconds(-1500))
        try roundTrip(NodeName("front-1"))
        try roundTrip(Incarnation(high: 1, low: .max))
        try roundTrip(RequestID(high: .max, low: 0))
        try roundTrip(try #require(Digest(Array(0..<32))))
        try roundTrip(sampling)
        try roundTrip(plan)
        try roundTrip(FinishReason.length)
        for error in errors { try roundTrip(error) }
    }

    @Test func numbersAreLittleEndianAndArraysHaveA32BitCount() {
        #expect(UInt32(0x0102_0304).wireBytes() == [4, 3, 2, 1])
        #expect(([1, 2] as [UInt16]).wireBytes() == [2, 0, 0, 0, 1, 0, 2, 0])
        #expect("ab".wireBytes() == [2, 0, 0, 0, 0x61, 0x62])
    }

    @Test func aCountThatCannotBeThereIsRefusedBeforeAnythingIsAllocated() {
        #expect(throws: WireError(offset: 0, reason: .countTooLarge(count: 0xFFFF_FFFF, countMax: 0))) {
            try [UInt64](wireBytes: [255, 255, 255, 255])
        }
        #expect(throws: WireError(offset: 0, reason: .countTooLarge(count: 2, countMax: 1))) {
            try [UInt64](wireBytes: [2, 0, 0, 0] + [UInt8](repeating: 0, count: 15))
        }
    }

    @Test func leftOverBytesAreRefused() {
        #expect(throws: WireError(offset: 1, reason: .bytesLeftOver(byteCount: 1))) { try Bool(wireBytes: [1, 0]) }
    }

    @Test func textThatIsNotUTF8IsRefused() {
        #expect(throws: WireError(offset: 4, reason: .notUTF8)) { try String(wireBytes: [2, 0, 0, 0, 0xC3, 0x28]) }
    }

    @Test func aNameThatNobodyMayBearIsRefused() {
        #expect(throws: WireError.self) { try NodeName(wireBytes: "a/b".wireBytes()) }
        #expect(throws: WireError.self) { try NodeName(wireBytes: "".wireBytes()) }
    }

    @Test func aTextInAnErrorIsCutAtACharacter() throws {
        let long = String(repeating: "ü", count: 3000)
        let error = try RequestError(wireBytes: RequestError.unknownModel(long).wireBytes())
        #expect(error == .unknownModel(String(repeating: "ü", count: 2048)))
    }

    private func roundTrip<Value: WireCodable & Equatable>(_ value: Value) throws {
        #expect(try Value(wireBytes: value.wireBytes()) == value)
    }
}

let sampling = SamplingParameters(
    temperature: 0.7, topK: 40, topP: 0.9, minP: 0.05, typicalP: 0.95, repetitionPenalty: 1.2, presencePenalty: -0.5,
    frequencyPenalty: 0.25, logitBias: [.init(token: 3, bias: -100), .init(token: 9, bias: 2.5)], seed: 7,
    choiceCount: 2, bestOf: 3, tokenCountMax: 100, tokenCountMin: 4, stopStrings: ["\n\n", "END"], stopTokens: [2, 3],
    ignoresEndTokens: true, logprobCount: 5, promptLogprobCount: 2, constraint: .jsonSchema("{\"type\": \"ä\"}"))

let plan = StepPlan(
    step: 9,
    segments: [
        StepPlan.Segment(
            sequence: SequenceID(1), adapter: nil, tokens: [1, 2, 3], firstPosition: 0, blocks: [BlockID(4)],
            logits: .none),
        StepPlan.Segment(
            sequence: SequenceID(2), adapter: AdapterSlot(3), tokens: [7], firstPosition: 16,
            promptTokenCount: 12, blocks: [BlockID(5), BlockID(6)], realm: 77, logits: .last),
    ], givenUp: [BlockID(9), BlockID(8)])

let errors: [RequestError] = [
    .wrongKey, .unknownTenant(TenantName("no such/tenant")), .unknownModel("m"), .unknownAdapter("a"),
    .notPermitted(tenant: TenantName("t"), model: "m"), .emptyPrompt, .promptTooLong(tokenCount: 9, tokenCountMax: 8),
    .promptTextTooLong(byteCount: 9, byteCountMax: 8), .promptNotUTF8(byteOffset: 3),
    .promptTokenOutOfRange(token: -1, vocabularyCount: 5), .invalidParameter(name: "n", value: "0", rule: "1 to 16"),
    .adapterInvalid(adapter: "a", reason: "r"), .schemaInvalid(reason: "/a/not"), .tenantLaneFull(depthMax: 512), .busy(retryAfter: .seconds(1)),
    .noCapacity(reason: "none"), .deadlineExceeded(after: .milliseconds(1)), .cancelled, .workerLost(losses: 2),
    .protocolViolation(reason: "p"), .shuttingDown,
]
