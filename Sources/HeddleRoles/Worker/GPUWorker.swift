import Distributed
import HeddleActors
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleGrammar
import HeddleTransport

/// One rank of a worker group: holds one shard of the base model and runs steps.
///
/// Rank 0 repeats **schedule, run, deliver** (`work`): `BatchScheduler` decides the next step, every rank runs it, and the
/// tokens that were sampled go straight to the routers that own their requests. The other ranks obey (`Follower`).
///
/// The actor has a thread of its own, and a step runs on it. What arrives meanwhile, such as a cancel, waits for the end of
/// the step and takes effect before the next one.
public distributed actor GPUWorker {
    public typealias ActorSystem = MeshActorSystem
    public nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.executor(of: id) }

    let place: WorkerPlace
    let shard: Shard
    let log: RoleLog
    let board: InspectionBoard

    // The group (GPUWorker+Group).
    var formation: GroupFormation
    var session: Session?
    /// The session's engine, for whoever must end its waits from another thread.
    let presentEngine = Locked<Present?>(nil)
    /// The collective that is being opened.
    var opening: Opening?
    // At rank 0.
    var members: [RankPresence] = []
    var forming: Task<Void, Never>?
    // At the others.
    var attendance = GroupAttendance()
    var isEnding = false
    var watches: [Task<Void, Never>] = []
    /// Mapping and unmapping of one slot happen one after the other.
    var slotWork: [AdapterSlot: Task<Void, Never>] = [:]
    /// Which adapter each slot was given to last on this rank: a call that comes late maps nothing over another's.
    var slotOwners: [AdapterSlot: Digest] = [:]

    // Rank 0's work.
    var scheduler: BatchScheduler
    var nextSequence = SequenceID(1)
    /// What a sequence needs when one of its tokens is sampled.
    var sequences: [SequenceID: SequenceContext] = [:]
    let samplingMemory = SamplingMemory()
    let constraints: ConstraintCompiler
    /// What was said of requests whose constraint is being compiled, in order.
    var compiling: [RequestID: [WorkerMessage]] = [:]
    /// Who owns each attempt that is here.
    var owners: [RequestID: Owner] = [:]
    var outboxes: [RouterRef: Outbox<WorkerAnswer>] = [:]
    var isWorking = false
    var alarm: Task<Void, Never>?
    var meter = StepMeter()
    var meters = WorkerMeters()
    /// Preemptions that an event has told of.
    var preemptionsTold = 0
    var stepStarted = Instant(nanoseconds: 0)
    var published = Instant(nanoseconds: 0)
    let queueOutbox: Outbox<GroupMessage>

    /// One forming of the group, as this rank takes part in it.
    struct Session {
        let id: GroupEpoch
        let engine: RankEngine
        /// On every rank but 0.
        let follower: Follower?
    }

    /// What may be aborted from another thread, and by whose loss.
    struct Present {
        let engine: RankEngine
        let ranks: EpochRanks

        func abort(afterLossOf rank: Int, _ incarnation: Incarnation) {
            if ranks.end(withLossOf: rank, incarnation) { engine.abort() }
        }
    }

    /// Which epoch this rank meets the others for, and how that wait is ended.
    struct Opening {
        let id: GroupEpoch
        let interruption: OpenInterruption
    }

    struct SequenceContext {
        var sampler: SequenceSampler
        let request: RequestID
        let attempt: Attempt
        /// The prompt and what earlier attempts generated.
        let knownTokenCount: Int
        let admitted: Instant
        /// When its last token was delivered.
        var delivered: Instant?
        var trace: SequenceTrace
    }

    struct Owner {
        let router: RouterRef
        var attempt: Attempt
        var sequenceCount: Int
    }

    init(
        place: WorkerPlace, shard: Shard, batchLimits: BatchLimits, log: RoleLog, board: InspectionBoard,
        actorSystem: MeshActorSystem
    ) {
        self.actorSystem = actorSystem
        self.place = place
        self.shard = shard
        self.log = log
        self.board = board
        scheduler = BatchScheduler(limits: batchLimits)
        constraints = ConstraintCompiler(
            tokenizerPath: place.tokenizerPath, vocabularyCount: shard.configuration.vocabularyCount,
            endTokens: shard.configuration.endTokens)
        formation = GroupFormation(
            group: place.group, rankCount: place.ranks.count, after: place.epochFloor, now: now())
        let queue = place.queue
        queueOutbox = Outbox(
            send: { [actorSystem] messages in
                try await TenantQueue.resolve(id: queue, using: actorSystem).receive(messages)
            },
            gaveUp: { count, reason in log.warn("the tenant-queue did not take \(count) messages: \(reason)") })
    }

    // MARK: What others say

    /// From a router, or from the tenant-queue for a router that is lost: assignments and cancellations, in order.
    distributed func receive(_ messages: [WorkerMessage], from router: RouterRef) {
        for message in messages where !waitsForConstraint(message, from: router) { take(message, from: router) }
        wake()
    }

    func take(_ message: WorkerMessage, from router: RouterRef, matcher: ConstraintMatcher? = nil) {
        switch message {
        case .run(let assignment, let group): accept(assignment, on: group, from: router, matcher)
        case .cancel(let request, let attempt, let choice, let group):
            guard group == formation.formed else { return }
            carry(scheduler.cancel(request, attempt: attempt, choice: choice))
        case .over(let group, let last): heardOver(group, last: last)
        }
    }

    private func accept(
        _ assignment: Assignment, on group: GroupEpoch, from router: RouterRef, _ matcher: ConstraintMatcher?
    ) {
        guard let session, session.id == group, formation.formed == group else {
            return answer(router, .refused(assignment.request, assignment.attempt))
        }
        if let owner = owners[assignment.request], owner.attempt >= assignment.attempt { return }
        if let error = assignment.formError(vocabularyCount: shard.configuration.vocabularyCount) {
            return answer(router, .failed(assignment.request, assignment.attempt, error, on: group))
        }
        var answers: [Int: ConstrainedAnswer] = [:]
        if let constraint = assignment.parameters.constraint {
            // Where it was compiled and is forgotten again, the router sends the request anew.
            guard let matcher = matcher ?? constraints.kept(constraint) else {
                return answer(router, .refused(assignment.request, assignment.attempt))
            }
            for choice in assignment.choices {
                guard let begun = ConstrainedAnswer(matcher, generated: choice.tokens) else {
                    let error = RequestError.protocolViolation(reason: "the tokens so far break the constraint")
                    return answer(router, .failed(assignment.request, assignment.attempt, error, on: group))
                }
                answers[choice.number] = begun
            }
        }
        let requests = assignment.sequences(numberedFrom: &nextSequence, now: now())
        let earlier = owners[assignment.request]?.sequenceCount ?? 0
        owners[assignment.request] = Owner(
            router: router, attempt: assignment.attempt, sequenceCount: earlier + requests.count)
        for request in requests {
            sequences[request.sequence] = SequenceContext(
                sampler: SequenceSampler(
                    assignment.parameters, choice: request.choice, prompt: request.promptTokens,
                    generated: request.replayedTokens, scoredFrom: request.scoredFrom,
                    constrained: answers[request.choice]),
                request: request.request, attempt: request.attempt,
                knownTokenCount: request.promptTokens.count + request.replayedTokens.count, admitted: now(),
                trace: SequenceTrace(
                    request: request.request, attempt: request.attempt, choice: request.choice,
                    actor: log.actor, now: now()))
            meters.admitted(promptTokenCount: request.promptTokens.count)
        }
        carry(scheduler.admit(requests, now: now()))
    }

    // MARK: Schedule, run, deliver

    /// Starts the loop unless it runs.
    func wake() {
        guard !isWorking, session != nil, !scheduler.isIdle else { return }
        isWorking = true
        outliving { Task { await work() } }
    }

    private func work() async {
        defer { isWorking = false }
        while let session, formation.formed == session.id, !isEnding {
            let (plan, actions) = scheduler.schedule(now: now())
            carry(actions)
            noteWaits()
            guard let plan else { break }
            do {
                let started = now()
                stepStarted = started
                let logits = try session.engine.run(plan)
                deliver(plan, logits)
                meter.stepped(plan, took: now().duration(since: started), at: now())
                meters.stepped(now().duration(since: started))
            } catch {
                carry(scheduler.stepFailed(plan.step, now: now()))
                lose(session.id, because: error, otherwise: .stepFailed)
                break
            }
            publishIfDue()
            // What arrived during the step is taken in before the next one.
            await Task.yield()
        }
        publish()
        if let deadline = scheduler.nextDeadline(now: now()), session != nil { wakeUp(at: deadline) }
    }

    private func deliver(_ plan: StepPlan, _ logits: Logits) {
        var sampled: [SampledToken] = []
        var logprobs: [SequenceID: TokenLogprobs] = [:]
        var row = 0
        for segment in plan.segments {
            defer { row += segment.logitsRowCount }
            if let span = sequences[segment.sequence]?.ran(segment, from: stepStarted) { log.journal.put(span) }
            // A sequence that was cancelled while the step ran is gone; its rows are not read.
            guard
                let outcome = sequences[segment.sequence]?.sampler.read(
                    segment, logits, firstRow: row, memory: samplingMemory)
            else { continue }
            if let token = outcome.token { sampled.append(SampledToken(segment.sequence, token)) }
            logprobs[segment.sequence] = outcome.logprobs
            if !outcome.scores.isEmpty { send(outcome, of: segment.sequence) }
        }
        carry(scheduler.stepFinished(plan.step, sampled: sampled, now: now()), logprobs: logprobs)
    }

    /// What a segment told of the prompt goes before the tokens that follow it.
    private func send(_ outcome: SequenceSampler.Outcome, of sequence: SequenceID) {
        guard let (request, attempt) = sequences[sequence].map({ ($0.request, $0.attempt) }),
            let owner = owners[request], let group = session?.id
        else { return }
        answer(
            owner.router,
            .promptScored(
                PromptScores(
                    from: group, request: request, attempt: attempt, firstIndex: outcome.scoredFrom,
                    logprobs: outcome.scores)))
    }

    /// Asks for a schedule again when a sequence that waits may have to be told that its time is over.
    private func wakeUp(at moment: Instant) {
        alarm?.cancel()
        alarm = Task {
            guard (try? await Task.sleep(for: moment.duration(since: now()))) != nil else { return }
            wake()
        }
    }

    // MARK: Carrying out

    func carry(_ actions: [BatchScheduler.Action], logprobs: [SequenceID: TokenLogprobs] = [:]) {
        for action in actions {
            switch action {
            case .deliver(let part):
                guard let owner = owners[part.request], let group = session?.id else { continue }
                let reported = part.tokens.isEmpty ? nil : logprobs[part.sequence]
                answer(
                    owner.router,
                    .delivered(
                        Delivery(
                            from: group, request: part.request, attempt: part.attempt, choice: part.choice,
                            firstIndex: part.firstIndex, tokens: part.tokens, logprobs: reported.map { [$0] } ?? [],
                            finish: part.finish, cachedTokenCount: part.cachedTokenCount)))
                meter.delivered(part.tokens.count)
                noteDelivery(part)
            case .fail(let request, let attempt, let error):
                guard let owner = failing[request] ?? owners[request], let group = session?.id else { continue }
                answer(owner.router, .failed(request, attempt, error, on: group))
            case .release(let sequence): release(sequence)
            case .loadAdapter(let adapter, let slot): load(adapter, into: slot)
            case .unmapAdapter(let slot): unmap(slot)
            }
        }
        failing = [:]
    }

    /// Owners whose last sequence was released by the actions that are being carried out: a `.fail` comes behind its releases.
    private var failing: [RequestID: Owner] = [:]

    private func release(_ sequence: SequenceID) {
        guard var context = sequences.removeValue(forKey: sequence) else { return }
        log.journal.put(context.trace.ended(at: now()))
        guard var owner = owners[context.request] else { return }
        owner.sequenceCount -= 1
        owners[context.request] = owner.sequenceCount > 0 ? owner : nil
        failing[context.request] = owner
    }
}
