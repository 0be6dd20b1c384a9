import HeddleCore
import HeddleWire

/// One of each message, with every field away from its default.
enum RoleSamples {
    static let request = RequestID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
    static let group = GroupEpoch(group: GroupName("g0"), epoch: Epoch(17))
    static let router = RouterRef(node: NodeName("front"), incarnation: Incarnation(high: 5, low: 6))
    static let adapter = AdapterRef(
        name: AdapterName("sql"), digest: Digest((0..<32).map { UInt8($0) })!, rank: 16)
    static let ticket = Ticket(
        request: request, attempt: Attempt(2), tenant: TenantName("acme"), model: ModelName("demo"), adapter: adapter,
        promptTokenCount: 7, tokenCountMax: 64, choiceCount: 2, generatedTokenCount: 3, router: router,
        timeLeft: .milliseconds(1500))
    static let parameters = SamplingParameters(
        temperature: 0.7, topK: 40, topP: 0.9, minP: 0.05, typicalP: 0.95, repetitionPenalty: 1.2,
        presencePenalty: -0.5,
        frequencyPenalty: 0.25, logitBias: [.init(token: 3, bias: -100), .init(token: 9, bias: 2.5)], seed: 42,
        choiceCount: 2, bestOf: 4, tokenCountMax: 64, tokenCountMin: 5, stopStrings: ["\n", "END"], stopTokens: [1, 2],
        ignoresEndTokens: true, logprobCount: 3, promptLogprobCount: 1, constraint: .jsonObject)
    static let assignment = Assignment(
        request: request, attempt: Attempt(2), tenant: TenantName("acme"), model: ModelName("demo"), adapter: adapter,
        promptTokens: [0, 5, 6], parameters: parameters,
        choices: [.init(number: 0, tokens: [9]), .init(number: 1, tokens: [])], scoredFrom: 2, router: router,
        timeLeft: .seconds(3))
    static let delivery = Delivery(
        from: group, request: request, attempt: Attempt(2), choice: 1, firstIndex: 4, tokens: [11, 12],
        logprobs: [
            TokenLogprobs(token: 11, logprob: -0.5, top: [.init(token: 11, logprob: -0.5)]),
            TokenLogprobs(token: 12, logprob: -1.5, top: []),
        ], finish: .length, cachedTokenCount: 48)
    static let presence = RankPresence(
        rank: 1, node: NodeName("worker-1"), incarnation: Incarnation(high: 1, low: 2),
        capabilities: RankCapabilities(
            model: Digest(Array(repeating: 7, count: 32))!, instructionSet: "f32-lanes16", contract: 99, rankCount: 2))
    static let shardFile = AdapterShardFile(adapter: adapter, path: "/run/heddle/adapters/x.heddle", byteCount: 4096)
    static let hold = AdapterHold(group: group, slot: AdapterSlot(3), incarnation: Incarnation(high: 5, low: 6))
    static let addresses = [
        CollectiveAddress(kind: .sharedMemory, address: "/run/heddle"),
        CollectiveAddress(kind: .zeroMQ, address: "tcp://127.0.0.1:9000"),
    ]
    static let queueMessages: [QueueMessage] = [
        .enqueue(ticket), .reregister(ticket, running: group), .progressed(request, Attempt(2), generatedTokenCount: 5),
        .finished(request, Attempt(3), generatedTokenCount: 6),
    ]
    static let queueAnswers: [QueueAnswer] = [
        .assigned(request, Attempt(1), to: group), .rejected(request, Attempt(1), .tenantLaneFull(depthMax: 9)),
        .gaveBack(request, Attempt(1), lost: group, .lost), .gaveBack(request, Attempt(1), lost: group, .givenUp),
    ]
    static let groupMessages: [GroupMessage] = {
        guard
            let capacity = try? GroupCapacity(
                sequenceCountMax: 32, kvTokenCountMax: 65_536, sequenceTokenCountMax: 1024, adapterSlotCount: 8)
        else { preconditionFailure("the sample is within its limits") }
        return [
            .up(group, capacity, ModelName("demo"), Incarnation(high: 5, low: 6)), .lost(group, .givenUp),
        ]
    }()
    static let workerMessages: [WorkerMessage] = [
        .run(assignment, on: group), .cancel(request, Attempt(2), choice: nil, on: group),
        .cancel(request, Attempt(2), choice: 1, on: group), .over(group, last: Epoch(9)),
    ]
    static let workerAnswers: [WorkerAnswer] = [
        .delivered(delivery), .failed(request, Attempt(2), .workerLost(losses: 1), on: group),
        .refused(request, Attempt(2)),
        .promptScored(
            PromptScores(
                from: group, request: request, attempt: Attempt(2), firstIndex: 1,
                logprobs: [TokenLogprobs(token: 5, logprob: -0.75, top: [.init(token: 6, logprob: -0.5)])])),
    ]

    static let allBytes: [[UInt8]] =
        queueMessages.map { $0.wireBytes() } + queueAnswers.map { $0.wireBytes() }
        + groupMessages.map { $0.wireBytes() }
        + workerMessages.map { $0.wireBytes() } + workerAnswers.map { $0.wireBytes() }
        + addresses.map { $0.wireBytes() }
        + [presence.wireBytes(), shardFile.wireBytes(), hold.wireBytes()]

    static let digestOfVersion3 = "5453bf3aedc99c18"
}
