import Distributed
import HeddleActors
import HeddleCore
import HeddleFiles
import HeddleWire

/// Owns the requests that clients gave it, from acceptance to their one terminal event (law 3).
///
/// `RequestTable` decides; this carries out. Text is made here: prompts become tokens on the way in, tokens become text and
/// are searched for stop strings on the way out.
public distributed actor Router {
    public typealias ActorSystem = MeshActorSystem
    public nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.executor(of: id) }

    let place: RouterPlace
    let port: ClientPort
    let log: RoleLog
    let board: InspectionBoard
    let reference: RouterRef

    var admission: Admission
    var sessions: ClientSessions
    var table: RequestTable
    /// What the table does not know of a request: how its text stands, and when things happened, for its client.
    var streams: [RequestID: Stream] = [:]
    /// Submissions that are being tokenised or wait for their adapter's description.
    var admitting: [RequestID: Admitting] = [:]
    let encoder: PromptEncoder
    /// Checks schemas, for which no prompt waits.
    let schemaReader = PromptEncoder(threadName: "schemas")
    /// Whether the submission that is being taken in asked for its prompt's tokens.
    var echoesPrompt = false
    /// When it was heard.
    var submissionHeard: Instant?
    /// Clients that could not be reached; the next tick gives up what they had open.
    var gone: [ClientRef] = []
    /// When an adapter was last described by its cache.
    var described: [AdapterName: Instant] = [:]
    /// Adapters of the cluster file that are not offered.
    var withdrawn: Set<AdapterName> = []

    var queues: [ModelName: Outbox<QueueMessage>] = [:]
    var workers: [GroupName: Outbox<WorkerMessage>] = [:]
    var tasks: [Task<Void, Never>] = []
    var published = Instant(nanoseconds: 0)
    var usageByTenant: [TenantName: TenantUsage] = [:]

    struct Stream {
        var texts: [ChoiceText]
        let started: Instant
        var dispatched: Instant?
        var firstToken: Instant?
        var trace: RequestTrace
        /// Tokens and reason of each choice that was sent to its end.
        var finishes: [FinishedRequest.Choice?]
    }

    struct Admitting {
        let client: ClientRef
        let tenant: TenantName
        var isCancelled = false
    }

    struct TenantUsage {
        var tokensIn: UInt64 = 0
        var tokensOut: UInt64 = 0
        var refusedCount: UInt64 = 0
    }

    init(
        place: RouterPlace, admission: Admission, limits: RequestTableLimits, port: ClientPort, encoder: PromptEncoder,
        log: RoleLog, board: InspectionBoard, actorSystem: MeshActorSystem
    ) {
        self.actorSystem = actorSystem
        self.place = place
        self.admission = admission
        self.port = port
        self.encoder = encoder
        self.log = log
        self.board = board
        reference = RouterRef(node: actorSystem.node, incarnation: actorSystem.incarnation)
        sessions = ClientSessions(limits: place.clientLimits)
        table = RequestTable(limits: limits, router: reference)
        for (model, queue) in place.queues {
            queues[model] = Outbox(
                send: { [actorSystem, reference] messages in
                    try await TenantQueue.resolve(id: queue, using: actorSystem).receive(messages, from: reference)
                },
                gaveUp: { count, reason in
                    log.warn("the tenant-queue of \(model) did not take \(count) messages: \(reason)")
                })
        }
        for (group, worker) in place.workers {
            workers[group] = Outbox(
                send: { [actorSystem, reference] messages in
                    try await GPUWorker.resolve(id: worker, using: actorSystem).receive(messages, from: reference)
                },
                gaveUp: { count, reason in log.warn("group \(group) did not take \(count) messages: \(reason)") })
        }
    }

    // MARK: What others say

    /// From the tenant-queue of a model: where attempts may go.
    distributed func receive(_ answers: [QueueAnswer], fromQueueOf model: ModelName) {
        for answer in answers {
            switch answer {
            case .assigned(let request, let attempt, let group):
                carry(table.assigned(request, attempt: attempt, to: group, now: now()), about: model)
            case .rejected(let request, let attempt, let error):
                carry(table.failed(request, attempt: attempt, error: error, now: now()))
            case .gaveBack(_, _, let lost, let end):
                carry(table.workerLost(lost, end, now: now()))
            }
        }
        publishIfDue()
    }

    /// From a group's rank 0: tokens, and attempts that ended without theirs.
    distributed func receive(_ answers: [WorkerAnswer], fromGroup group: GroupName) {
        for answer in answers {
            switch answer {
            case .delivered(let delivery):
                if !delivery.tokens.isEmpty, streams[delivery.request]?.firstToken == nil {
                    streams[delivery.request]?.firstToken = now()
                    streams[delivery.request]?.trace.tokenCame(now: now())
                }
                carry(table.delivered(delivery, now: now()))
            case .promptScored(let scores): carry(table.promptScored(scores, now: now()))
            case .failed(let request, let attempt, let error, _):
                carry(table.failed(request, attempt: attempt, error: error, now: now()))
            case .refused(let request, let attempt):
                carry(table.dispatchRefused(request, attempt: attempt, now: now()))
            }
        }
        publishIfDue()
    }

    // MARK: Carrying out

    /// - Parameter model: whose tenant-queue is meant where the request is no longer known.
    func carry(_ actions: [RequestTable.Action], about model: ModelName? = nil) {
        // Carrying out a scan answers the table, whose actions come behind those that are here.
        var waiting = actions[...]
        while let action = waiting.popFirst() {
            switch action {
            case .accept(let client, let request, _): accept(client, request)
            case .refuse(let client, let request, let error): send(client, ClientReply(id: request, error: error))
            case .detach(let client, let request):
                if let routingID = sessions.routingID(of: client) { port.detach(routingID, request) }
            case .enqueue(let ticket):
                noteEnqueued(ticket)
                queues[ticket.model]?.post(.enqueue(ticket))
            case .reregister(let ticket, let group): queues[ticket.model]?.post(.reregister(ticket, running: group))
            case .endAtQueue(let request, let attempt, let count):
                log.journal.put(streams[request]?.trace.generated(now: now()) ?? [])
                queue(of: request, or: model)?.post(.finished(request, attempt, generatedTokenCount: count))
            case .report(let request, let attempt, let count):
                queue(of: request, or: model)?.post(.progressed(request, attempt, generatedTokenCount: count))
            case .dispatch(let assignment, let group):
                if streams[assignment.request]?.dispatched == nil { streams[assignment.request]?.dispatched = now() }
                noteDispatched(assignment, to: group)
                workers[group.group]?.post(.run(assignment, on: group))
            case .cancelAtWorker(let group, let request, let attempt, let choice):
                workers[group.group]?.post(.cancel(request, attempt, choice: choice, on: group))
            case .outdate(let group, let last): workers[group.group]?.post(.over(group, last: last))
            case .scan(let request, let choice, _, _, let isLast):
                waiting += scan(request, choice: choice, isLast: isLast)[...]
            case .choose(let request, let choices):
                guard let texts = streams[request]?.texts else { continue }
                streams[request]?.texts = choices.map { texts[$0] }
            case .score(let client, let chunk):
                send(
                    client,
                    .promptLogprobs(
                        DeliveredPromptLogprobs(
                            id: chunk.request, firstIndex: chunk.firstIndex, logprobs: chunk.logprobs)))
            case .send(let client, let chunk): send(client, chunk)
            case .finish(let client, let request, let usage): finish(client, request, usage)
            case .fail(let client, let request, let error): send(client, ClientReply(id: request, error: error))
            case .settle(let settlement): settle(settlement)
            case .forget(let request): streams[request] = nil
            }
        }
    }

    private func queue(of request: RequestID, or model: ModelName?) -> Outbox<QueueMessage>? {
        (table.submission(request)?.model ?? model).flatMap { queues[$0] }
    }

    private func accept(_ client: ClientRef, _ request: RequestID) {
        guard let submission = table.submission(request), let model = place.models[submission.model] else { return }
        if streams[request] == nil {
            let parameters = submission.parameters
            streams[request] = Stream(
                texts: (0..<parameters.runCount).map { _ in
                    ChoiceText(
                        model.tokenizer, stops: parameters.stopStrings, stopFreeTokenCount: parameters.tokenCountMin)
                },
                started: now(),
                trace: RequestTrace(
                    request, tenant: submission.tenant, model: submission.adapter?.name.text ?? submission.model.text,
                    promptTokenCount: submission.promptTokens.count, at: log.actor, started: submissionHeard ?? now()),
                finishes: Array(repeating: nil, count: parameters.choiceCount))
        }
        send(
            client,
            .accepted(
                AcceptedRequest(
                    id: request, promptTokenCount: submission.promptTokens.count, model: submission.model,
                    modelDigest: model.digest, adapter: submission.adapter, router: reference.node,
                    promptTokens: echoesPrompt ? submission.promptTokens : [])))
    }

    /// Looks for stop strings in what a choice has now.
    private func scan(_ request: RequestID, choice: Int, isLast: Bool) -> [RequestTable.Action] {
        guard var text = streams[request]?.texts[choice] else { return [] }
        let tokens = table.tokens(of: request, choice: choice)
        let verdict = text.scan(tokens, isLast: isLast)
        streams[request]?.texts[choice] = text
        switch verdict {
        case .safe(let count): return table.scanned(request, choice: choice, safeTokenCount: count, now: now())
        case .stopped(let count): return table.stopMatched(request, choice: choice, keepTokenCount: count, now: now())
        }
    }

    private func send(_ client: ClientRef, _ chunk: RequestTable.Chunk) {
        guard var stream = streams[chunk.request] else { return }
        let end = chunk.firstIndex + chunk.tokens.count
        let tokens = table.tokens(of: chunk.request, choice: chunk.choice)
        let text = stream.texts[chunk.choice].text(
            of: chunk.firstIndex..<end, in: tokens, isEnd: chunk.finish != nil)
        if let finish = chunk.finish {
            stream.finishes[chunk.choice] = FinishedRequest.Choice(finish: finish, tokenCount: end)
        }
        streams[chunk.request] = stream
        send(
            client,
            .tokens(
                DeliveredTokens(
                    id: chunk.request, choice: chunk.choice, firstIndex: chunk.firstIndex, tokens: chunk.tokens,
                    text: text, logprobs: chunk.logprobs, finish: chunk.finish)))
    }

    private func finish(_ client: ClientRef, _ request: RequestID, _ usage: Usage) {
        guard let stream = streams[request] else { return }
        let present = now()
        let timings = FinishedRequest.Timings(
            queue: (stream.dispatched ?? present).duration(since: stream.started),
            firstToken: (stream.firstToken ?? present).duration(since: stream.started),
            total: present.duration(since: stream.started))
        send(
            client,
            .finished(
                FinishedRequest(
                    id: request, choices: stream.finishes.compactMap(\.self), usage: usage, timings: timings)))
    }

    private func settle(_ settlement: Settlement) {
        usageByTenant[settlement.tenant, default: TenantUsage()].tokensIn += UInt64(settlement.usage.promptTokenCount)
        usageByTenant[settlement.tenant, default: TenantUsage()].tokensOut += UInt64(
            settlement.usage.generatedTokenCount)
        noteSettled(settlement)
    }
}
