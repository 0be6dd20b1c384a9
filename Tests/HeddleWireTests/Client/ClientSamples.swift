import HeddleCore
import HeddleWire

/// A generator whose whole sequence follows from its seed, so that a failure names the seed and can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// One message of each kind with every field set.
enum ClientSamples {
    static let id = RequestID(high: 0x0102_0304_0506_0708, low: 0x1112_1314_1516_1718)
    static let digest = Digest((0..<32).map { UInt8($0) }) ?? Digest(words: 0)
    static let incarnation = Incarnation(high: 7, low: 9)

    static let submission = ClientSubmission(
        id: id, key: "secret", tenant: TenantName("acme"), model: "base:sql", prompt: .text("größte Städte? 🌍\u{0}"),
        sampling: RequestedSampling(
            temperature: 0.7, topK: 40, topP: 0.9, minP: 0.05, typicalP: 0.95, repetitionPenalty: 1.2,
            presencePenalty: -0.5, frequencyPenalty: 0.25,
            logitBias: [.init(token: 0, bias: -100), .init(token: 2_147_483_647, bias: 2.5)], seed: .max,
            choiceCount: 2, bestOf: 5, tokenCountMax: 33, tokenCountMin: 3, stopStrings: ["\n\n", "ende"],
            stopTokens: [2, 2_147_483_647], ignoresEndTokens: true, logprobCount: 3, promptLogprobCount: 0),
        deadline: .milliseconds(1500), creditTokens: 64, resumeFrom: [3, 0], echoesPrompt: true)

    static let messages: [ClientMessage] = [
        .submit(submission),
        .submit(ClientSubmission(id: id, prompt: .tokens([0, 1, 2_147_483_647]))),
        .submit(
            ClientSubmission(
                id: id, prompt: .text("x"), sampling: RequestedSampling(seed: id.low, constraint: .jsonObject))),
        .submit(
            ClientSubmission(
                id: id, prompt: .text("x"),
                sampling: RequestedSampling(seed: id.low, constraint: .jsonSchema("{\"title\": \"größte\"}")))),
        .cancel(id), .credit(id, tokenCount: 17), .ping(number: .max),
    ]

    static let replies: [ClientReply] = [
        .accepted(
            AcceptedRequest(
                id: id, promptTokenCount: 12, model: ModelName("base"), modelDigest: digest,
                adapter: AdapterRef(name: AdapterName("sql"), digest: digest, rank: 8), router: NodeName("front"),
                promptTokens: [1, 2])),
        .accepted(
            AcceptedRequest(
                id: id, promptTokenCount: 1, model: ModelName("base"), modelDigest: digest, adapter: nil,
                router: NodeName("front"))),
        .tokens(
            DeliveredTokens(
                id: id, choice: 1, firstIndex: 5, tokens: [9, 10], text: "ß🌍",
                logprobs: [
                    TokenLogprobs(
                        token: 9, logprob: -0.25, top: [.init(token: 9, logprob: -0.25), .init(token: 1, logprob: -2)]),
                    TokenLogprobs(token: 10, logprob: -.infinity, top: []),
                ], finish: .stop)),
        .tokens(DeliveredTokens(id: id, choice: 0, firstIndex: 0, tokens: [], text: "", finish: .length)),
        .finished(
            FinishedRequest(
                id: id, choices: [.init(finish: .stop, tokenCount: 7), .init(finish: .length, tokenCount: 33)],
                usage: Usage(promptTokenCount: 12, generatedTokenCount: 40, cachedTokenCount: 4),
                timings: .init(queue: .milliseconds(2), firstToken: .milliseconds(30), total: .seconds(1)))),
        .failed(
            RequestFailure(
                id: id, code: "unknown_model", message: "no model", parameter: "model", retryAfter: .seconds(2))),
        .failed(RequestFailure(id: nil, code: "protocol_violation", message: "what?")),
        .busy(id, retryAfter: .milliseconds(250)),
        .pong(number: 3, incarnation: incarnation, session: ClientRef(4)),
        .promptLogprobs(
            DeliveredPromptLogprobs(
                id: id, firstIndex: 1,
                logprobs: [
                    TokenLogprobs(token: 9, logprob: -0.25, top: [.init(token: 1, logprob: -0.125)]),
                    TokenLogprobs(token: 10, logprob: -.infinity, top: []),
                ])),
    ]
}

extension Digest {
    /// A digest of equal words, for samples.
    init(words word: UInt8) {
        guard let digest = Digest(Array(repeating: word, count: Digest.byteCount)) else {
            preconditionFailure("32 bytes are a digest")
        }
        self = digest
    }
}

/// A node's report with every field set.
enum ReportSamples {
    static let report = NodeReport(
        name: NodeName("front"), incarnation: ClientSamples.incarnation, processID: 4711, version: "0.1.0",
        host: "höst",
        roles: ["router", "tenant-queue"], state: StateReport("serving", reason: "", since: .seconds(5)),
        uptime: .seconds(60),
        endpoints: [.init(purpose: "client", address: "tcp://127.0.0.1:4710")],
        peers: [.init(node: NodeName("w0"), state: StateReport("connected", since: .seconds(2)))],
        processorTime: .milliseconds(1234), residentBytes: 1 << 30,
        actors: [
            ActorReport(
                id: "front/router", role: "router", node: NodeName("front"),
                state: StateReport("waiting", reason: "no group has room", since: .milliseconds(3)), mailboxDepth: 3,
                mailboxDepthMax: 64, oldestAge: .microseconds(12),
                calls: [.init(method: "submit", elapsed: .milliseconds(4), caller: "w0")],
                methods: [
                    .init(
                        method: "submit", callCount: 10, errorCount: 1, p50: .microseconds(90), p99: .milliseconds(2),
                        callsPerSecond: 12.5)
                ], restarts: 1,
                fields: [
                    ReportField("open", 3, unit: "requests"), ReportField("share", 0.5), ReportField("leader", "front"),
                    ReportField("delta", -4),
                ],
                tables: [ReportTable(title: "lanes", columns: ["tenant", "waiting"], rows: [["acme", "3"]])])
        ],
        tenants: [
            TenantReport(
                name: TenantName("acme"), waitingCount: 1, runningCount: 2, counter: 12.5, tokensIn: 100, tokensOut: 50,
                refusedCount: 3)
        ],
        adapters: [
            AdapterReport(
                name: AdapterName("sql"), digest: ClientSamples.digest, rank: 8, byteCount: 1000, residency: .failed,
                reason: "no such file", since: .seconds(1), places: ["g0"], runningCount: 2),
            AdapterReport(name: AdapterName("json")),
        ],
        workers: [
            WorkerReport(
                group: GroupName("g0"), rank: 1, rankCount: 2, node: NodeName("w1"), epoch: Epoch(3),
                state: StateReport("running"), runningCount: 4, waitingCount: 1, rowCount: 5,
                stepTime: .milliseconds(3),
                tokensPerSecond: 321.5, blocksUsed: 12, blockCount: 100, adapters: [AdapterName("sql")])
        ],
        requests: [
            OpenRequestReport(
                id: ClientSamples.id, tenant: TenantName("acme"), model: "sql",
                state: StateReport("queued", reason: "no group has room", since: .seconds(1)), age: .seconds(2),
                promptTokenCount: 5, generatedTokenCount: 6, attempt: Attempt(2), group: GroupName("g0"),
                router: NodeName("front"))
        ],
        events: [
            NoticeReport(
                number: 7, age: .seconds(1),
                notice: Notice(
                    .warning, .epochEnded, actor: "w0/gpu-worker/g0.0", subject: "g0", request: ClientSamples.id,
                    text: "rank 1 is lost"))
        ],
        lines: [
            NoticeReport(number: 9, age: .zero, notice: Notice(.info, actor: "front/node", text: "node front serves"))
        ],
        spans: [
            SpanReport(
                request: ClientSamples.id, id: SpanID(.run, of: ClientSamples.id),
                parent: SpanID(.request, of: ClientSamples.id), name: .run, actor: "front/router/0", reason: "at g0",
                startAge: .seconds(2), duration: .seconds(1), isOpen: true, fields: [ReportField("attempt", 1)],
                error: "given up"),
            SpanReport(
                request: ClientSamples.id, id: SpanID(.request, of: ClientSamples.id), parent: nil, name: .request,
                actor: "front/router/0", startAge: .seconds(2), duration: .seconds(1), isOpen: false),
        ], missedCount: 3,
        omittedCount: 2)
}
