import HeddleCore
import Testing

@Suite struct TenantQueueCoreTests {
    private let model = ModelName("base")

    private func queue(depth: Int = 8, policy: PlacementPolicy = .pack) throws -> TenantQueueCore {
        var queue = TenantQueueCore(
            model: model, limits: try TenancyLimits(promptTokenCost: 1, generatedTokenCost: 2), policy: policy)
        for tenant in ["a", "b"] {
            try queue.setShare(TenantShare(tenant: TenantName(tenant), laneDepthMax: depth))
        }
        return queue
    }

    private func capacity(sequences: Int = 1, kv: Int = 1600) throws -> GroupCapacity {
        try GroupCapacity(
            sequenceCountMax: sequences, kvTokenCountMax: kv, sequenceTokenCountMax: min(kv, 800), adapterSlotCount: 4)
    }

    private func up(_ queue: inout TenantQueueCore, _ id: GroupEpoch, sequences: Int = 1, now: UInt64 = 0) throws
        -> [TenantQueueCore.Action]
    {
        queue.groupUp(id, capacity: try capacity(sequences: sequences), model: model, now: at(now))
    }

    private func counters(_ queue: TenantQueueCore) -> [UInt64] { queue.report().tenants.map(\.counter) }

    @Test func aTicketWaitsForAGroupAndIsAssignedWithTheTimeThatIsLeft() throws {
        var queue = try queue()
        #expect(queue.enqueue(ticket(1, timeLeft: .milliseconds(500)), now: at(0)) == [])
        #expect(queue.report().tenants[0].head?.reason == .noGroup)
        let actions = try up(&queue, group("g"), now: 100)
        #expect(actions == [.assign(ticket(1, timeLeft: .milliseconds(400)), to: group("g"))])
        #expect(counters(queue) == [10, 0])
    }

    @Test func tenantsTakeTurnsByWhatTheyUsed() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        var order: [RequestID] = []
        for number in 1...3 as ClosedRange<UInt64> {
            _ = queue.enqueue(ticket(number, tenant: "a"), now: at(0))
            _ = queue.enqueue(ticket(number + 10, tenant: "b"), now: at(0))
        }
        // The first of a runs already.
        var current = request(1)
        for _ in 0..<5 {
            let actions = queue.finished(current, attempt: Attempt(1), generatedTokenCount: 10, now: at(1))
            guard case .assign(let next, _)? = actions.first else { break }
            current = next.request
            order.append(current)
        }
        #expect(order == [11, 2, 12, 3, 13].map(request))
    }

    @Test func theTicketWhoseTurnItIsIsNotPassedBySmallerOnes() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"), sequences: 4)
        _ = queue.enqueue(ticket(1, choices: 3), now: at(0))
        #expect(queue.enqueue(ticket(2, choices: 2), now: at(0)) == [])
        #expect(queue.enqueue(ticket(3, choices: 1), now: at(0)) == [])
        #expect(queue.report().tenants[0].head?.reason == .noRoom)
        let actions = queue.finished(request(1), attempt: Attempt(1), generatedTokenCount: 0, now: at(1))
        #expect(actions.count == 2)
    }

    @Test func theSameAttemptAgainIsAnsweredAgainAndAnOlderOneDropped() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        #expect(queue.enqueue(ticket(1, attempt: 2), now: at(0)).count == 1)
        #expect(queue.enqueue(ticket(1, attempt: 2), now: at(0)) == [.assign(ticket(1, attempt: 2), to: group("g"))])
        #expect(queue.enqueue(ticket(1, attempt: 1), now: at(0)) == [])
        #expect(queue.enqueue(ticket(2), now: at(0)) == [])
        #expect(queue.enqueue(ticket(2), now: at(0)) == [])
        #expect(queue.waitingCount == 1 && queue.runningCount == 1)
        #expect(queue.report().counts.staleTickets == 1)
    }

    @Test func aLostGroupsAttemptsComeBackInFrontWithoutBeingChargedTwice() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        _ = queue.enqueue(ticket(1), now: at(0))
        _ = queue.enqueue(ticket(2), now: at(0))
        queue.progressed(request(1), attempt: Attempt(1), generatedTokenCount: 4)
        #expect(counters(queue) == [18, 0])
        let lost = queue.groupLost(group("g"), now: at(1))
        #expect(
            lost == [
                .giveBack(router: router, request: request(1), attempt: Attempt(1), lost: group("g"), end: .lost)
            ])
        _ = queue.enqueue(ticket(1, attempt: 2, generated: 5), now: at(1))
        #expect(queue.report().tenants[0].head?.request == request(1))
        let again = try up(&queue, group("g", 2), now: 2)
        #expect(again.count == 1)
        #expect(counters(queue) == [18, 0])
        queue.progressed(request(1), attempt: Attempt(2), generatedTokenCount: 7)
        #expect(counters(queue) == [24, 0])
        queue.progressed(request(1), attempt: Attempt(1), generatedTokenCount: 100)
        #expect(counters(queue) == [24, 0])
        _ = queue.finished(request(1), attempt: Attempt(2), generatedTokenCount: 10, now: at(3))
        // The second request was charged for its prompt when it was dispatched.
        #expect(counters(queue) == [40, 0])
    }

    @Test func aRouterThatHeardOfTheLossFirstTakesTheOlderAttemptsPlace() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        _ = try up(&queue, group("h"))
        #expect(queue.enqueue(ticket(1), now: at(0)) == [.assign(ticket(1), to: group("g"))])
        let actions = queue.enqueue(ticket(1, attempt: 2), now: at(0))
        #expect(actions == [.assign(ticket(1, attempt: 2), to: group("g"))])
        #expect(counters(queue) == [10, 0])
        #expect(queue.groupLost(group("g"), now: at(1)).count == 1)
        #expect(queue.groupLost(group("g"), now: at(1)) == [])
    }

    @Test func epochsOfAGroupThatAreOverAreDropped() throws {
        var queue = try queue()
        _ = try up(&queue, group("g", 5))
        _ = queue.enqueue(ticket(1), now: at(0))
        let later = try up(&queue, group("g", 7))
        #expect(
            later == [
                .giveBack(router: router, request: request(1), attempt: Attempt(1), lost: group("g", 5), end: .lost)
            ])
        #expect(try up(&queue, group("g", 6)) == [.outdate(group("g", 6), last: Epoch(6))])
        #expect(queue.groupLost(group("g", 5), now: at(0)) == [])
        #expect(queue.report().groups.map(\.id) == [group("g", 7)])
        #expect(queue.report().counts.staleGroups == 2)
    }

    /// Or the group would wait for requests that never come: its clock was put back, or its loss was heard of late.
    @Test func aGroupThatComesWithAnEpochThatIsOverIsToldTheLastOne() throws {
        var queue = try queue()
        _ = try up(&queue, group("g", 5))
        #expect(try up(&queue, group("g", 5)) == [])
        #expect(queue.groupLost(group("g", 7), now: at(0)) == [])
        #expect(try up(&queue, group("g", 5)) == [.outdate(group("g", 5), last: Epoch(7))])
        #expect(try up(&queue, group("g", 7)) == [.outdate(group("g", 7), last: Epoch(7))])
        #expect(try up(&queue, group("g", 8)) == [])
        #expect(try up(&queue, group("g", 8)) == [])
        #expect(queue.report().groups.map(\.id) == [group("g", 8)])
    }

    @Test func anEpochThatWasGivenUpIsNotCalledALoss() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        _ = queue.enqueue(ticket(1), now: at(0))
        #expect(
            queue.groupLost(group("g"), .givenUp, now: at(1)) == [
                .giveBack(router: router, request: request(1), attempt: Attempt(1), lost: group("g"), end: .givenUp)
            ])
    }

    @Test func aGroupOfAnotherModelIsRefused() throws {
        var queue = try queue()
        let actions = queue.groupUp(group("g"), capacity: try capacity(), model: ModelName("other"), now: at(0))
        #expect(
            actions == [.refuse(group("g"), reason: "the group serves model “other”; this queue is for “base”")])
    }

    @Test func withoutAGroupATicketWaitsUntilItsDeadlineAndThenHasNoCapacity() throws {
        var queue = try queue()
        _ = queue.enqueue(ticket(1, timeLeft: .milliseconds(100)), now: at(0))
        #expect(queue.nextTick == at(100))
        #expect(queue.tick(now: at(99)) == [])
        #expect(
            queue.tick(now: at(100)) == [
                .reject(
                    router: router, request: request(1), attempt: Attempt(1),
                    error: .noCapacity(reason: "no worker group is up"))
            ])
        #expect(queue.waitingCount == 0)
    }

    @Test func aTicketThatNoGroupCanHoldWaitsWithoutHoldingUpOthers() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        #expect(queue.enqueue(ticket(1, choices: 2, timeLeft: .milliseconds(100)), now: at(0)) == [])
        #expect(queue.enqueue(ticket(2), now: at(0)).count == 1)
        let reason = "2 choices of 10 + 10 tokens fit no group"
        #expect(queue.report().tenants[0].head?.reason == .fitsNoGroup(reason))
        #expect(
            queue.tick(now: at(100)) == [
                .reject(
                    router: router, request: request(1), attempt: Attempt(1), error: .noCapacity(reason: reason))
            ])
    }

    @Test func aDeadlineInTheLaneIsATypedErrorWithItsDuration() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        _ = queue.enqueue(ticket(1), now: at(0))
        _ = queue.enqueue(ticket(2, timeLeft: .milliseconds(30)), now: at(10))
        #expect(
            queue.tick(now: at(40)) == [
                .reject(
                    router: router, request: request(2), attempt: Attempt(1),
                    error: .deadlineExceeded(after: .milliseconds(30)))
            ])
    }

    @Test func whatARouterMayNotAskForIsRefusedByName() throws {
        var queue = try queue(depth: 1)
        _ = queue.enqueue(ticket(1), now: at(0))
        func error(_ ticket: Ticket) -> String? {
            guard case .reject(_, _, _, let error)? = queue.enqueue(ticket, now: at(0)).first else { return nil }
            return error.code
        }
        var other = ticket(3)
        other.model = ModelName("other")
        #expect(error(ticket(2)) == "tenant_lane_full")
        #expect(error(other) == "unknown_model")
        #expect(error(ticket(4, tenant: "z")) == "unknown_tenant")
        #expect(error(ticket(5, prompt: 0)) == "protocol_violation")
        #expect(error(ticket(6, choices: -1)) == "protocol_violation")
        #expect(error(ticket(7, max: .max)) == "no_capacity")
        #expect(error(ticket(8, timeLeft: .zero)) == "deadline_exceeded")
    }

    @Test func aLostRoutersTicketsLeaveAndItsGroupsAreTold() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        _ = queue.enqueue(ticket(1), now: at(0))
        _ = queue.enqueue(ticket(2), now: at(0))
        _ = queue.enqueue(ticket(3, router: otherRouter), now: at(0))
        let actions = queue.routerLost(router, now: at(1))
        #expect(actions.first == .abandon(request: request(1), attempt: Attempt(1), at: group("g")))
        #expect(actions.count == 2)
        #expect(queue.waitingCount == 0 && queue.runningCount == 1)
    }

    @Test func aRestartedQueueIsFilledAgainBeforeItsGroupsRegister() throws {
        var queue = try queue()
        #expect(queue.reregister(ticket(1, generated: 5), running: group("g", 3), now: at(0)) == [])
        #expect(queue.enqueue(ticket(2), now: at(0)) == [])
        #expect(try up(&queue, group("g", 3)) == [])
        #expect(queue.report().groups.map(\.sequenceCount) == [1])
        #expect(queue.finished(request(1), attempt: Attempt(1), generatedTokenCount: 9, now: at(1)).count == 1)
        // A router that is behind: that epoch is over.
        #expect(
            queue.reregister(ticket(3), running: group("g", 2), now: at(1)) == [
                .giveBack(router: router, request: request(3), attempt: Attempt(1), lost: group("g", 2), end: .lost)
            ])
    }

    @Test func aRunningTicketWhoseRouterNeverEndsItIsDroppedAfterAGrace() throws {
        var queue = try queue()
        _ = try up(&queue, group("g"))
        _ = queue.enqueue(ticket(1, timeLeft: .seconds(1)), now: at(0))
        #expect(queue.nextTick == at(6000))
        #expect(queue.tick(now: at(5999)) == [])
        #expect(queue.tick(now: at(6000)) == [.abandon(request: request(1), attempt: Attempt(1), at: group("g"))])
        #expect(queue.runningCount == 0 && queue.report().groups.map(\.sequenceCount) == [0])
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func twoBackloggedTenantsStayWithinTheVirtualTokenCounterBound(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let promptMax = random.number(4...200)
        let newMax = random.number(1...100)
        let sequences = random.number(1...6)
        let kv = sequences * KVBlocks.blockCount(forTokens: promptMax + newMax) * kvBlockTokens
        let promptCost = random.number(1...3)
        let newCost = promptCost + random.number(0...2)
        var queue = TenantQueueCore(
            model: model, limits: try TenancyLimits(promptTokenCost: promptCost, generatedTokenCost: newCost))
        for tenant in ["a", "b", "c"] { try queue.setShare(TenantShare(tenant: TenantName(tenant))) }
        let capacity = try GroupCapacity(
            sequenceCountMax: sequences, kvTokenCountMax: kv, sequenceTokenCountMax: promptMax + newMax,
            adapterSlotCount: 1)
        var running: [(Ticket, generated: Int, length: Int)] = []
        var served: [TenantName: Int] = [:]
        var next: UInt64 = 0
        func take(_ actions: [TenantQueueCore.Action]) {
            for case .assign(let ticket, _) in actions {
                served[ticket.tenant, default: 0] += promptCost * ticket.promptTokenCount
                running.append((ticket, 0, random.number(1...ticket.tokenCountMax)))
            }
        }
        func keepBacklogged() {
            // a sends long requests, b short ones, c comes and goes.
            for (tenant, isLong) in [("a", true), ("b", false), ("c", true)] {
                let name = TenantName(tenant)
                let waiting = queue.report().tenants.first { $0.tenant == name }?.waitingCount ?? 0
                guard tenant != "c" || random.chance(1), waiting < 3 else { continue }
                for _ in waiting..<3 {
                    next += 1
                    take(
                        queue.enqueue(
                            ticket(
                                next, tenant: tenant, prompt: isLong ? promptMax : random.number(1...promptMax),
                                max: isLong ? newMax : random.number(1...newMax)), now: at(0)))
                }
            }
        }
        keepBacklogged()
        take(queue.groupUp(group("g"), capacity: capacity, model: model, now: at(0)))
        var least = Int.max
        var most = Int.min
        for _ in 0..<4000 where !running.isEmpty {
            keepBacklogged()
            let index = random.number(0...running.count - 1)
            running[index].generated += 1
            let (ticket, generated, length) = running[index]
            served[ticket.tenant, default: 0] += newCost
            if generated == length {
                running.remove(at: index)
                take(
                    queue.finished(ticket.request, attempt: ticket.attempt, generatedTokenCount: generated, now: at(0)))
            } else {
                queue.progressed(ticket.request, attempt: ticket.attempt, generatedTokenCount: generated)
            }
            keepBacklogged()
            let difference = (served[TenantName("a")] ?? 0) - (served[TenantName("b")] ?? 0)
            least = min(least, difference)
            most = max(most, difference)
        }
        let bound = 2 * max(promptCost * promptMax, newCost * kv)
        #expect(most - least <= bound, "seed \(seed): \(most - least) is more than \(bound)")
        #expect((served[TenantName("a")] ?? 0) > 1000 && (served[TenantName("b")] ?? 0) > 1000, "seed \(seed)")
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func anyScheduleLosesAndDoublesNoTicket(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var queue = try queue(depth: random.number(2...10), policy: random.pick([.pack, .spread]))
        var epochs: [String: UInt64] = ["g": 0, "h": 0, "i": 0]
        var upGroups: [GroupEpoch] = []
        var capacities: [GroupEpoch: GroupCapacity] = [:]
        // What the router believes: the attempt of each request that has not ended, and where it runs.
        var attempts: [UInt64: UInt32] = [:]
        var places: [UInt64: GroupEpoch] = [:]
        var tickets: [UInt64: Ticket] = [:]
        var deadlines: [UInt64: UInt64] = [:]
        var now: UInt64 = 0
        func forget(_ id: UInt64) {
            attempts[id] = nil
            places[id] = nil
        }
        func take(_ actions: [TenantQueueCore.Action]) {
            for action in actions {
                switch action {
                case .assign(let ticket, let group):
                    #expect(upGroups.contains(group), "seed \(seed): \(group) is not up")
                    #expect(attempts[ticket.request.low] == ticket.attempt.number, "seed \(seed): a late attempt")
                    #expect(places[ticket.request.low] == nil, "seed \(seed): assigned twice")
                    places[ticket.request.low] = group
                case .reject(_, let request, let attempt, let error):
                    #expect(attempts[request.low] == attempt.number, "seed \(seed)")
                    if error.code == "deadline_exceeded" || error.code == "no_capacity" {
                        #expect(deadlines[request.low] ?? 0 <= now, "seed \(seed): too early")
                    }
                    forget(request.low)
                case .giveBack(_, let request, let attempt, let group, _):
                    #expect(places[request.low] == group && attempts[request.low] == attempt.number, "seed \(seed)")
                    places[request.low] = nil
                    attempts[request.low] = attempt.number + 1
                    guard var again = tickets[request.low] else { continue }
                    again.attempt = Attempt(attempt.number + 1)
                    again.timeLeft = .seconds(100)
                    pending.append(again)
                case .abandon(let request, _, _): forget(request.low)
                case .refuse, .outdate: Issue.record("seed \(seed): refused")
                }
            }
        }
        var pending: [Ticket] = []
        var count: UInt64 = 0
        for _ in 0..<1500 {
            now += UInt64(random.number(0...1))
            if !pending.isEmpty {
                let again = pending.removeFirst()
                deadlines[again.request.low] = now + 100_000
                take(queue.enqueue(again, now: at(now)))
            }
            switch random.number(0...9) {
            case 0...2:
                count += 1
                let adapter = random.chance(50) ? adapter(UInt8(random.number(1...5))) : nil
                let left = random.number(1...400)
                let new = ticket(
                    count, tenant: random.pick(["a", "b"]), adapter: adapter, prompt: random.number(1...300),
                    max: random.number(1...300), choices: random.pick([1, 1, 2, 5]), timeLeft: .milliseconds(left))
                (attempts[count], tickets[count], deadlines[count]) = (1, new, now + UInt64(left))
                take(queue.enqueue(new, now: at(now)))
            case 3...5:
                guard let id = places.keys.sorted().first(where: { _ in random.chance(30) }) else { continue }
                let attempt = Attempt(attempts[id] ?? 0)
                forget(id)
                take(
                    queue.finished(
                        request(id), attempt: attempt, generatedTokenCount: random.number(0...50), now: at(now)))
            case 6:
                guard let id = attempts.keys.sorted().first(where: { _ in random.chance(10) }) else { continue }
                let attempt = Attempt(attempts[id] ?? 0)
                forget(id)
                pending.removeAll { $0.request.low == id }
                take(queue.cancel(request(id), attempt: attempt, now: at(now)))
            case 7:
                let name = random.pick(["g", "h", "i"])
                guard !upGroups.contains(where: { $0.group.text == name }) else { continue }
                epochs[name, default: 0] += 1
                let id = group(name, epochs[name] ?? 0)
                upGroups.append(id)
                capacities[id] = try capacity(sequences: random.number(1...6), kv: 16 * random.number(20...100))
                guard let capacity = capacities[id] else { continue }
                take(queue.groupUp(id, capacity: capacity, model: model, now: at(now)))
            case 8 where random.chance(20) && !upGroups.isEmpty:
                take(queue.groupLost(upGroups.remove(at: random.number(0...upGroups.count - 1)), now: at(now)))
            default: take(queue.tick(now: at(now)))
            }
            for id in upGroups {
                let here = places.filter { $0.value == id }.compactMap { tickets[$0.key] }
                guard let capacity = capacities[id] else { continue }
                #expect(here.reduce(0) { $0 + $1.choiceCount } <= capacity.sequenceCountMax, "seed \(seed)")
                #expect(here.reduce(0) { $0 + $1.kvTokenCountMax } <= capacity.kvTokenCountMax, "seed \(seed)")
            }
            let known = attempts.count - pending.count
            #expect(queue.waitingCount + queue.runningCount == known, "seed \(seed): \(known) are known")
        }
        for (id, attempt) in attempts.sorted(by: { $0.key < $1.key }) {
            forget(id)
            _ = queue.cancel(request(id), attempt: Attempt(attempt), now: at(now))
        }
        #expect(queue.waitingCount == 0 && queue.runningCount == 0)
        #expect(queue.report().groups.allSatisfy { $0.sequenceCount == 0 && $0.kvTokenCount == 0 }, "seed \(seed)")
    }
}
