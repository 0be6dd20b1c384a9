import HeddleCore

/// A router, a tenant queue and worker groups, all of them the real cores, with clients that check what they are sent.
///
/// Each link delivers in order and takes as long as it likes; a group that dies leaves its last words on its links.
struct ScriptedMesh {
    enum ToQueue {
        case enqueue(Ticket)
        case reregister(Ticket, GroupEpoch)
        case end(RequestID, Attempt, Int)
        case report(RequestID, Attempt, Int)
        case up(GroupEpoch)
        case lost(GroupEpoch)
    }

    enum ToRouter {
        case assign(Ticket, GroupEpoch)
        case reject(RequestID, Attempt, RequestError)
        case deliver(Delivery)
        case failed(RequestID, Attempt, RequestError)
        case refused(RequestID, Attempt)
        case lost(GroupEpoch)
    }

    enum ToWorker {
        case assignment(Assignment, GroupEpoch)
        case cancel(GroupEpoch, RequestID, Attempt, Int?)
        case loaded
    }

    struct Worker {
        var id: GroupEpoch
        var group: ScriptedGroup
        var isUp = true
        var nextSequence = SequenceID(1)
    }

    struct Client {
        let reference: ClientRef
        let submission: Submission
        var received: [[TokenID]]
        var finishes: [FinishReason?]
        var terminals: [String] = []
        var isGone = false
    }

    /// Stands for a stop string that begins in the token of this number.
    static let stopStringToken: TokenID = 17

    var now: UInt64 = 0
    var table: RequestTable
    var queue: TenantQueueCore
    var workers: [Worker]
    var clients: [Client] = []
    var settlements: [Settlement] = []
    var faults: [String] = []
    /// Links from the router, from membership, from the queue and from each group.
    var routerToQueue: [ToQueue] = []
    var membershipToQueue: [ToQueue] = []
    var queueToRouter: [ToRouter] = []
    var membershipToRouter: [ToRouter] = []
    var routerToWorker: [[ToWorker]]
    var workerToRouter: [[ToRouter]]
    let limits: BatchLimits

    init(groupCount: Int, batch: BatchLimits, table limits: RequestTableLimits, queue queueLimits: TenancyLimits) throws
    {
        table = RequestTable(limits: limits, router: router)
        queue = TenantQueueCore(model: ModelName("base"), limits: queueLimits)
        for tenant in ["a", "b", "c"] {
            try queue.setShare(TenantShare(tenant: TenantName(tenant), weight: tenant == "c" ? 3 : 1))
        }
        self.limits = batch
        workers = (0..<groupCount).map { Worker(id: group("group-\($0)"), group: ScriptedGroup(batch)) }
        routerToWorker = Array(repeating: [], count: groupCount)
        workerToRouter = Array(repeating: [], count: groupCount)
        membershipToQueue = workers.map { .up($0.id) }
    }

    var time: Instant { at(now) }

    // MARK: What clients and faults do

    mutating func submit(_ submission: Submission, credit: Int, resuming: Client? = nil) {
        let reference = ClientRef(UInt64(clients.count) + 1)
        let count = submission.parameters.choiceCount
        clients.append(
            Client(
                reference: reference, submission: submission,
                received: resuming?.received ?? Array(repeating: [], count: count),
                finishes: Array(repeating: nil, count: count)))
        apply(
            table.submit(
                submission, client: reference, credit: credit, resumeFrom: resuming?.received.map(\.count) ?? [],
                tenantRequestCountMax: 1000, now: time))
    }

    mutating func disconnect(_ client: Int) {
        guard !clients[client].isGone else { return }
        clients[client].isGone = true
        apply(table.clientGone(clients[client].reference, now: time))
    }

    mutating func loseGroup(_ index: Int) {
        guard workers[index].isUp else { return }
        workers[index].isUp = false
        routerToWorker[index] = routerToWorker[index].filter {
            if case .loaded = $0 { false } else { true }
        }
        membershipToQueue.append(.lost(workers[index].id))
        membershipToRouter.append(.lost(workers[index].id))
    }

    mutating func formGroup(_ index: Int) {
        guard !workers[index].isUp else { return }
        faults += workers[index].group.faults
        workers[index] = Worker(
            id: GroupEpoch(group: workers[index].id.group, epoch: workers[index].id.epoch.next),
            group: ScriptedGroup(limits))
        membershipToQueue.append(.up(workers[index].id))
    }

    mutating func restartQueue(_ limits: TenancyLimits) throws {
        var fresh = TenantQueueCore(model: ModelName("base"), limits: limits)
        for tenant in ["a", "b", "c"] { try fresh.setShare(TenantShare(tenant: TenantName(tenant))) }
        queue = fresh
        routerToQueue = []
        queueToRouter = []
        membershipToQueue = workers.filter(\.isUp).map { .up($0.id) }
        apply(table.queueUp(model: ModelName("base"), now: time))
    }

    mutating func tick() {
        apply(table.tick(now: time))
        apply(queue.tick(now: time))
    }

    // MARK: Links

    /// Links with something on them; each number stands for one.
    var busyLinks: [Int] {
        var links: [Int] = []
        if !routerToQueue.isEmpty { links.append(0) }
        if !membershipToQueue.isEmpty { links.append(1) }
        if !queueToRouter.isEmpty { links.append(2) }
        if !membershipToRouter.isEmpty { links.append(3) }
        for index in workers.indices {
            if !routerToWorker[index].isEmpty { links.append(4 + 2 * index) }
            if !workerToRouter[index].isEmpty { links.append(5 + 2 * index) }
        }
        return links
    }

    mutating func deliver(link: Int) {
        switch link {
        case 0: takeAtQueue(routerToQueue.removeFirst())
        case 1: takeAtQueue(membershipToQueue.removeFirst())
        case 2: takeAtRouter(queueToRouter.removeFirst())
        case 3: takeAtRouter(membershipToRouter.removeFirst())
        default:
            let index = (link - 4) / 2
            if link % 2 == 0 {
                takeAtWorker(index, routerToWorker[index].removeFirst())
            } else {
                takeAtRouter(workerToRouter[index].removeFirst())
            }
        }
    }

    private mutating func takeAtQueue(_ message: ToQueue) {
        switch message {
        case .enqueue(let ticket): apply(queue.enqueue(ticket, now: time))
        case .reregister(let ticket, let group): apply(queue.reregister(ticket, running: group, now: time))
        case .end(let request, let attempt, let count):
            apply(queue.finished(request, attempt: attempt, generatedTokenCount: count, now: time))
        case .report(let request, let attempt, let count):
            queue.progressed(request, attempt: attempt, generatedTokenCount: count)
        case .up(let group):
            guard let capacity = try? GroupCapacity(limits) else { return faults.append("no capacity") }
            apply(queue.groupUp(group, capacity: capacity, model: ModelName("base"), now: time))
        case .lost(let group): apply(queue.groupLost(group, now: time))
        }
        check(queue.report())
    }

    private mutating func takeAtRouter(_ message: ToRouter) {
        switch message {
        case .assign(let ticket, let group):
            apply(table.assigned(ticket.request, attempt: ticket.attempt, to: group, now: time))
        case .reject(let request, let attempt, let error), .failed(let request, let attempt, let error):
            apply(table.failed(request, attempt: attempt, error: error, now: time))
        case .deliver(let delivery): apply(table.delivered(delivery, now: time))
        case .refused(let request, let attempt):
            apply(table.dispatchRefused(request, attempt: attempt, now: time))
        case .lost(let group): apply(table.workerLost(group, now: time))
        }
    }

    private mutating func takeAtWorker(_ index: Int, _ message: ToWorker) {
        switch message {
        case .assignment(let assignment, let group):
            guard workers[index].isUp, workers[index].id == group else {
                workerToRouter[index].append(.refused(assignment.request, assignment.attempt))
                return
            }
            let sequences = assignment.sequences(numberedFrom: &workers[index].nextSequence, now: time)
            workers[index].group.admit(sequences, now: time)
        case .cancel(let group, let request, let attempt, let choice):
            guard workers[index].isUp, workers[index].id == group else { return }
            workers[index].group.cancel(request, attempt: attempt, choice: choice)
        case .loaded: workers[index].group.finishLoad()
        }
        speak(index)
    }

    mutating func step(_ index: Int) -> Bool {
        guard workers[index].isUp else { return false }
        let ran = workers[index].group.step(now: time)
        speak(index)
        return ran
    }

    private mutating func speak(_ index: Int) {
        let id = workers[index].id
        workerToRouter[index] += workers[index].group.takeDelivered().map { delivery in
            .deliver(
                Delivery(
                    from: id, request: delivery.request, attempt: delivery.attempt, choice: delivery.choice,
                    firstIndex: delivery.firstIndex, tokens: delivery.tokens, finish: delivery.finish))
        }
        workerToRouter[index] += workers[index].group.takeFailures().map { .failed($0.0, $0.1, $0.2) }
    }

    // MARK: Shells

    private mutating func apply(_ actions: [TenantQueueCore.Action]) {
        for action in actions {
            switch action {
            case .assign(let ticket, let group): queueToRouter.append(.assign(ticket, group))
            case .reject(_, let request, let attempt, let error):
                queueToRouter.append(.reject(request, attempt, error))
            case .giveBack(_, _, _, let group, _): queueToRouter.append(.lost(group))
            case .abandon(let request, let attempt, let group):
                sendToWorker(group, .cancel(group, request, attempt, nil))
            // The group that it tells of is down already.
            case .outdate: break
            case .refuse(let group, let reason): faults.append("\(group) is refused: \(reason)")
            }
        }
    }

    private mutating func sendToWorker(_ group: GroupEpoch, _ message: ToWorker) {
        guard let index = workers.firstIndex(where: { $0.id.group == group.group }) else {
            return faults.append("no group \(group)")
        }
        routerToWorker[index].append(message)
    }

    mutating func apply(_ actions: [RequestTable.Action]) {
        for action in actions {
            switch action {
            case .accept, .forget, .outdate: break
            case .detach(let client, _):
                for index in clients.indices where clients[index].reference == client { clients[index].isGone = true }
            case .refuse(let client, _, let error): endClient(client, "refuse \(error.code)")
            case .enqueue(let ticket): routerToQueue.append(.enqueue(ticket))
            case .reregister(let ticket, let group): routerToQueue.append(.reregister(ticket, group))
            case .endAtQueue(let request, let attempt, let count): routerToQueue.append(.end(request, attempt, count))
            case .report(let request, let attempt, let count): routerToQueue.append(.report(request, attempt, count))
            case .dispatch(let assignment, let group): sendToWorker(group, .assignment(assignment, group))
            case .cancelAtWorker(let group, let request, let attempt, let choice):
                sendToWorker(group, .cancel(group, request, attempt, choice))
            case .scan(let request, let choice, let firstIndex, let tokens, let isLast):
                scan(request, choice, firstIndex, tokens, isLast)
            case .send(let client, let chunk): take(client, chunk)
            case .finish(let client, _, let usage): finish(client, usage)
            case .fail(let client, _, let error): endClient(client, "fail \(error.code)")
            case .settle(let settlement): settlements.append(settlement)
            }
        }
    }

    /// Holds back the last token until the next one comes, as a detokeniser does.
    private mutating func scan(
        _ request: RequestID, _ choice: Int, _ firstIndex: Int, _ tokens: [TokenID], _ isLast: Bool
    ) {
        if let offset = tokens.firstIndex(of: Self.stopStringToken) {
            apply(table.stopMatched(request, choice: choice, keepTokenCount: firstIndex + offset, now: time))
        } else {
            let safe = firstIndex + tokens.count - (isLast ? 0 : 1)
            apply(table.scanned(request, choice: choice, safeTokenCount: max(0, safe), now: time))
        }
    }

    private mutating func take(_ reference: ClientRef, _ chunk: RequestTable.Chunk) {
        guard let index = clients.firstIndex(where: { $0.reference == reference }) else { return }
        if clients[index].isGone { faults.append("client \(reference) is spoken to after it has gone") }
        if !clients[index].terminals.isEmpty { faults.append("client \(reference) is sent tokens after its end") }
        if chunk.firstIndex != clients[index].received[chunk.choice].count {
            faults.append("client \(reference) has a gap at \(chunk.firstIndex)")
        }
        if clients[index].finishes[chunk.choice] != nil {
            faults.append("choice \(chunk.choice) goes on after its end")
        }
        clients[index].received[chunk.choice] += chunk.tokens
        clients[index].finishes[chunk.choice] = chunk.finish
    }

    private mutating func finish(_ reference: ClientRef, _ usage: Usage) {
        endClient(reference, "finish")
        guard let client = clients.first(where: { $0.reference == reference }) else { return }
        for choice in client.received.indices {
            let answer = Self.answer(client.submission, choice: choice)
            if client.received[choice] != answer.tokens || client.finishes[choice] != answer.finish {
                faults.append("client \(reference) has \(client.received[choice]), not \(answer)")
            }
        }
        if usage.generatedTokenCount != client.received.reduce(0, { $0 + $1.count }) {
            faults.append("usage \(usage) is not what client \(reference) has")
        }
    }

    private mutating func endClient(_ reference: ClientRef, _ terminal: String) {
        guard let index = clients.firstIndex(where: { $0.reference == reference }) else { return }
        if clients[index].isGone { faults.append("client \(reference) is told of its end after it has gone") }
        clients[index].terminals.append(terminal)
        if clients[index].terminals.count > 1 { faults.append("client \(reference): \(clients[index].terminals)") }
    }

    static func answer(_ submission: Submission, choice: Int) -> (tokens: [TokenID], finish: FinishReason) {
        let parameters = submission.parameters
        var stop = parameters.stopTokens
        if !parameters.stopStrings.isEmpty { stop.append(stopStringToken) }
        return ScriptedModel.answer(
            adapter: submission.adapter?.digest, prompt: submission.promptTokens, choice: choice,
            max: parameters.tokenCountMax, stop: stop)
    }

    private mutating func check(_ report: QueueReport) {
        for group in report.groups where group.sequenceCount < 0 || group.kvTokenCount < 0 {
            faults.append("\(group.id) is promised less than nothing")
        }
    }
}
