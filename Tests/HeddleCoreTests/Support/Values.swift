import HeddleCore

/// Short ways to write the values that tests are about.
func request(_ number: UInt64) -> RequestID { RequestID(high: 0, low: number) }
func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

func digest(_ number: UInt8) -> Digest {
    guard let digest = Digest([UInt8](repeating: number, count: Digest.byteCount)) else {
        preconditionFailure("32 bytes are a digest")
    }
    return digest
}

func adapter(_ number: UInt8, rank: Int = 8) -> AdapterRef {
    AdapterRef(name: AdapterName("adapter-\(number)"), digest: digest(number), rank: rank)
}

func group(_ name: String, _ epoch: UInt64 = 1) -> GroupEpoch {
    GroupEpoch(group: GroupName(name), epoch: Epoch(epoch))
}

let router = RouterRef(node: NodeName("front"), incarnation: Incarnation(high: 1, low: 1))
let otherRouter = RouterRef(node: NodeName("front"), incarnation: Incarnation(high: 2, low: 2))

func sequence(
    _ number: UInt64, request id: UInt64? = nil, attempt: UInt32 = 1, choice: Int = 0, tenant: String = "a",
    adapter: AdapterRef? = nil, prompt: [TokenID] = [1, 2, 3], replayed: [TokenID] = [], max: Int = 4,
    stop: [TokenID] = [],
    scoredFrom: Int? = nil, deadline: Instant? = nil
) -> SequenceRequest {
    SequenceRequest(
        sequence: SequenceID(number), request: request(id ?? number), attempt: Attempt(attempt), choice: choice,
        tenant: TenantName(tenant), adapter: adapter, promptTokens: prompt, replayedTokens: replayed,
        tokenCountMax: max,
        stopTokens: stop, scoredFrom: scoredFrom, deadline: deadline)
}

func ticket(
    _ number: UInt64, attempt: UInt32 = 1, tenant: String = "a", adapter: AdapterRef? = nil, prompt: Int = 10,
    max: Int = 10, choices: Int = 1, generated: Int = 0, router owner: RouterRef = router,
    timeLeft: Duration = .seconds(60)
) -> Ticket {
    Ticket(
        request: request(number), attempt: Attempt(attempt), tenant: TenantName(tenant), model: ModelName("base"),
        adapter: adapter, promptTokenCount: prompt, tokenCountMax: max, choiceCount: choices,
        generatedTokenCount: generated, router: owner, timeLeft: timeLeft)
}

func submission(
    _ number: UInt64, tenant: String = "a", adapter: AdapterRef? = nil, prompt: [TokenID] = [1, 2, 3],
    parameters: SamplingParameters = SamplingParameters(tokenCountMax: 4), deadline: Duration = .seconds(10)
) -> Submission {
    Submission(
        id: request(number), tenant: TenantName(tenant), model: ModelName("base"), adapter: adapter,
        promptTokens: prompt, parameters: parameters, deadline: deadline)
}
