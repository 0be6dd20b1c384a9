import Distributed
import HeddleActors
import HeddleCore

/// Decides, by `TenantQueueCore`, whose request of one model goes to which worker group next.
///
/// It knows sizes and names, never a prompt, and nothing that routers and groups could not tell it again (law 3).
public distributed actor TenantQueue {
    public typealias ActorSystem = MeshActorSystem
    public nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.executor(of: id) }

    let model: ModelName
    /// Rank 0 of every group of the model.
    let workers: [GroupName: ActorIdentity]
    let log: RoleLog
    let board: InspectionBoard

    var core: TenantQueueCore
    var routers: [RouterRef: Outbox<QueueAnswer>] = [:]
    var groups: [GroupName: Outbox<WorkerMessage>] = [:]
    /// Which epoch of a group its node's loss would end.
    var groupsUp = GroupPresence()
    var usage: [TenantName: (tokensIn: UInt64, tokensOut: UInt64)] = [:]
    var standstill = Standstill(now: now())
    var tasks: [Task<Void, Never>] = []
    var published = Instant(nanoseconds: 0)
    /// Why the heads of the lanes wait, as spans that last.
    var waits: [RequestID: TraceSpan] = [:]

    init(
        model: ModelName, core: TenantQueueCore, workers: [GroupName: ActorIdentity], log: RoleLog,
        board: InspectionBoard,
        actorSystem: MeshActorSystem
    ) {
        self.actorSystem = actorSystem
        self.model = model
        self.core = core
        self.workers = workers
        self.log = log
        self.board = board
    }

    // MARK: What others say

    /// From a router: tickets, and what became of them.
    distributed func receive(_ messages: [QueueMessage], from router: RouterRef) {
        meet(router)
        for message in messages {
            switch message {
            case .enqueue(let ticket): carry(core.enqueue(ticket, now: now()))
            case .reregister(let ticket, let group): carry(core.reregister(ticket, running: group, now: now()))
            case .progressed(let request, let attempt, let count):
                core.progressed(request, attempt: attempt, generatedTokenCount: count)
            case .finished(let request, let attempt, let count):
                carry(core.finished(request, attempt: attempt, generatedTokenCount: count, now: now()))
            }
        }
        publishIfDue()
    }

    /// From a group's rank 0: the group takes requests, or its epoch is over.
    distributed func receive(_ messages: [GroupMessage]) {
        for message in messages {
            switch message {
            case .up(let group, let capacity, let model, let incarnation):
                guard workers[group.group] != nil else {
                    log.error("group \(group) is not in the cluster file")
                    continue
                }
                groupsUp.up(group, incarnation: incarnation)
                log.info(
                    .groupUp, about: group.group.text, "\(group) takes requests: \(capacity.sequenceCountMax) sequences"
                )
                carry(core.groupUp(group, capacity: capacity, model: model, now: now()))
            case .lost(let group, let end): lose(group, end)
            }
        }
        publish()
    }

    // MARK: Carrying out

    private func carry(_ actions: [TenantQueueCore.Action]) {
        for action in actions {
            switch action {
            case .assign(let ticket, let group):
                endWait(of: ticket.request)
                answer(ticket.router, .assigned(ticket.request, ticket.attempt, to: group))
            case .reject(let router, let request, let attempt, let error):
                endWait(of: request)
                answer(router, .rejected(request, attempt, error))
            case .giveBack(let router, let request, let attempt, let lost, let end):
                answer(router, .gaveBack(request, attempt, lost: lost, end))
            case .abandon(let request, let attempt, let group):
                outbox(for: group.group)?.post(.cancel(request, attempt, choice: nil, on: group))
            case .outdate(let group, let last):
                log.warn("\(group) is over here; the group may form again after epoch \(last)")
                outbox(for: group.group)?.post(.over(group, last: last))
            case .refuse(let group, let reason): log.error("group \(group) cannot serve \(model): \(reason)")
            }
        }
    }

    private func answer(_ router: RouterRef, _ answer: QueueAnswer) {
        meet(router)
        routers[router]?.post(answer)
    }

    /// Opens the way to a router and watches its node.
    private func meet(_ router: RouterRef) {
        guard routers[router] == nil else { return }
        let identity = ActorIdentity(node: router.node, role: .router, name: .only, incarnation: router.incarnation)
        routers[router] = Outbox(
            send: { [actorSystem, model] answers in
                try await Router.resolve(id: identity, using: actorSystem).receive(answers, fromQueueOf: model)
            },
            gaveUp: { [log] count, reason in log.warn("router \(router.node) did not take \(count) answers: \(reason)")
            })
        let (me, events) = (self, actorSystem.events(of: router.node))
        tasks.append(
            Task.detached {
                for await event in events {
                    guard event.isEnd(of: router.incarnation) else { continue }
                    await me.whenLocal { $0.lose(router) }
                    return
                }
            })
    }

    private func outbox(for group: GroupName) -> Outbox<WorkerMessage>? {
        if let outbox = groups[group] { return outbox }
        guard let worker = workers[group] else { return nil }
        let reference = RouterRef(node: actorSystem.node, incarnation: actorSystem.incarnation)
        let outbox = Outbox<WorkerMessage>(
            send: { [actorSystem] messages in
                try await GPUWorker.resolve(id: worker, using: actorSystem).receive(messages, from: reference)
            },
            gaveUp: { [log] count, reason in log.warn("group \(group) did not take \(count) messages: \(reason)") })
        groups[group] = outbox
        return outbox
    }

    private func lose(_ router: RouterRef) {
        log.warn(.routerLost, about: router.node.text, "router \(router.node) is lost")
        routers.removeValue(forKey: router)?.close()
        carry(core.routerLost(router, now: now()))
        publish()
    }

    /// The process that was rank 0 of the group is gone.
    private func lose(_ group: GroupName, _ incarnation: Incarnation) {
        guard let epoch = groupsUp.lost(incarnation, of: group) else { return }
        // What this process missed while it stood still is no group's fault.
        lose(epoch, standstill.isRecent(now: now()) ? .givenUp : .lost)
    }

    private func lose(_ group: GroupEpoch, _ end: EpochEnd) {
        log.warn(.groupLost, about: group.group.text, "\(group) is lost")
        groupsUp.ended(group)
        carry(core.groupLost(group, end, now: now()))
        publish()
    }

    // MARK: Life

    /// Starts to watch the groups and the clock.
    func begin() {
        for (group, worker) in workers.sorted(by: { $0.key < $1.key }) {
            let (me, events) = (self, actorSystem.events(of: worker.node))
            tasks.append(
                Task.detached {
                    for await event in events {
                        guard case .lost(let incarnation) = event else { continue }
                        await me.whenLocal { $0.lose(group, incarnation) }
                    }
                })
        }
        let me = self
        tasks.append(
            Task.detached {
                while (try? await Task.sleep(for: .milliseconds(100))) != nil { await me.whenLocal { $0.tick() } }
            })
        publish()
    }

    func stop() {
        for task in tasks { task.cancel() }
        for outbox in routers.values { outbox.close() }
        for outbox in groups.values { outbox.close() }
    }

    private func tick() {
        standstill.beat(now: now())
        carry(core.tick(now: now()))
        publish()
    }
}
