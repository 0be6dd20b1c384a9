import HeddleCore
import Testing

/// The reliability promises, by the cores of router, queue and groups together, under any schedule of faults.
@Suite struct MeshAnyScheduleTests {
    private func mesh(_ random: inout SplitMix64, queue: TenancyLimits) throws -> ScriptedMesh {
        let running = random.number(2...6)
        return try ScriptedMesh(
            groupCount: random.number(1...3),
            batch: BatchLimits(
                blockCount: random.number(8...30), runningCountMax: running, waitingCountMax: 12,
                stepTokenCountMax: running + random.number(1...30), chunkTokenCountMax: random.pick([1, 7, 64]),
                scoredRowCountMax: random.pick([1, 5, 64]), positionCountMax: 128,
                adapterSlotCount: random.number(1...3), passedOverStepCountMax: 5),
            table: RequestTableLimits(
                lossCountMax: random.number(2...6), clientGrace: random.pick([.zero, .milliseconds(50)]),
                rememberedTime: .seconds(3600), chunkTokenCountMax: random.pick([1, 3, 1024]),
                promptChunkTokenCountMax: random.pick([1, 4, 256]), reportTokenCount: random.number(1...5)),
            queue: queue)
    }

    private func submission(_ random: inout SplitMix64, number: Int) -> Submission {
        let choice = random.number(0...3)
        let choiceCount = random.pick([1, 1, 2])
        return HeddleCoreTests.submission(
            UInt64(number), tenant: random.pick(["a", "b", "c"]), adapter: choice == 0 ? nil : adapter(UInt8(choice)),
            prompt: (0..<random.number(1...40)).map { _ in TokenID(random.number(0...60)) },
            parameters: SamplingParameters(
                // No more than two sequences, which every group has room for.
                choiceCount: choiceCount, bestOf: random.chance(25) ? 2 : nil,
                tokenCountMax: random.number(1...20),
                stopStrings: random.chance(30) ? ["stop"] : [],
                stopTokens: random.chance(30) ? [TokenID(random.number(0...60))] : [],
                promptLogprobCount: random.chance(25) ? 0 : nil),
            deadline: .milliseconds(random.chance(10) ? random.number(10...300) : 60_000))
    }

    @Test(arguments: 0..<80 as Range<UInt64>)
    func everyRequestEndsOnceWithTheTokensOfAFaultlessRun(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let queueLimits = try TenancyLimits()
        var mesh = try mesh(&random, queue: queueLimits)
        let faultPercent = random.pick([0, 1, 4])
        var submissions: [Submission] = []
        for _ in 0..<1500 where mesh.faults.isEmpty {
            if random.chance(20) { mesh.now += UInt64(random.number(0...5)) }
            switch random.number(0...99) {
            case 0...3 where submissions.count < 40:
                submissions.append(submission(&random, number: submissions.count + 1))
                mesh.submit(submissions[submissions.count - 1], credit: random.pick([0, 3, 1000]))
            case 4...7 where !mesh.clients.isEmpty:
                let client = random.pick(mesh.clients)
                mesh.apply(
                    mesh.table.credit(
                        client.submission.id, client: client.reference, tokenCount: random.number(1...9),
                        now: mesh.time))
            case 8 where random.chance(30) && !mesh.clients.isEmpty:
                mesh.disconnect(random.number(0...mesh.clients.count - 1))
            case 9 where random.chance(50) && !mesh.clients.isEmpty:
                // Comes back, or takes over.
                let client = random.pick(mesh.clients)
                if client.terminals.isEmpty {
                    mesh.submit(client.submission, credit: random.pick([0, 5, 1000]), resuming: client)
                }
            case 10 where random.chance(15) && !mesh.clients.isEmpty:
                let client = random.pick(mesh.clients)
                mesh.apply(mesh.table.cancel(client.submission.id, client: client.reference, now: mesh.time))
            case 11 where random.chance(faultPercent * 10): mesh.loseGroup(random.number(0...mesh.workers.count - 1))
            case 12: mesh.formGroup(random.number(0...mesh.workers.count - 1))
            case 13 where random.chance(faultPercent): try mesh.restartQueue(queueLimits)
            case 14: mesh.tick()
            case 15 where random.chance(30):
                let index = random.number(0...mesh.workers.count - 1)
                mesh.workers[index].group.wantRoom(now: mesh.time)
            case 15...45:
                let index = random.number(0...mesh.workers.count - 1)
                _ = mesh.step(index)
                if random.chance(50) { mesh.workers[index].group.finishLoad() }
            default:
                if let link = mesh.busyLinks.isEmpty ? nil : random.pick(mesh.busyLinks) { mesh.deliver(link: link) }
            }
        }
        settle(&mesh, seed: seed)
        check(mesh, submissions, seed: seed)
    }

    /// No more faults: every group forms, clients take everything, and time passes.
    private func settle(_ mesh: inout ScriptedMesh, seed: UInt64) {
        for index in mesh.workers.indices { mesh.formGroup(index) }
        for client in mesh.clients where !client.isGone && client.terminals.isEmpty {
            mesh.apply(
                mesh.table.credit(
                    client.submission.id, client: client.reference, tokenCount: 100_000, now: mesh.time))
        }
        var turns = 0
        while mesh.table.requestCount > 0 || !mesh.busyLinks.isEmpty, turns < 20_000, mesh.faults.isEmpty {
            turns += 1
            while let link = mesh.busyLinks.first { mesh.deliver(link: link) }
            for index in mesh.workers.indices {
                mesh.workers[index].group.finishLoad()
                _ = mesh.step(index)
            }
            mesh.now += 1
            mesh.tick()
        }
        #expect(turns < 20_000, "seed \(seed): no progress")
    }

    private func check(_ mesh: ScriptedMesh, _ submissions: [Submission], seed: UInt64) {
        #expect(mesh.faults == [], "seed \(seed)")
        for worker in mesh.workers {
            #expect(worker.group.faults == [], "seed \(seed)")
            #expect(worker.group.scheduler.isIdle, "seed \(seed): \(worker.id) still works")
        }
        #expect(mesh.table.requestCount == 0, "seed \(seed)")
        #expect(mesh.queue.runningCount == 0 && mesh.queue.waitingCount == 0, "seed \(seed)")
        for group in mesh.queue.report().groups {
            #expect(group.sequenceCount == 0 && group.kvTokenCount == 0, "seed \(seed): \(group)")
            #expect(group.adapters.allSatisfy { $0.requestCount == 0 }, "seed \(seed)")
        }
        for client in mesh.clients where !client.isGone {
            #expect(client.terminals.count == 1, "seed \(seed): client \(client.reference) \(client.terminals)")
        }
        for client in mesh.clients {
            for (choice, tokens) in client.received.enumerated() {
                let answer = ScriptedMesh.answer(client.submission, choice: choice).tokens
                #expect(tokens == Array(answer.prefix(tokens.count)), "seed \(seed): client \(client.reference)")
            }
        }
        for submission in submissions {
            let settlements = mesh.settlements.filter { $0.request == submission.id }
            #expect(!settlements.isEmpty, "seed \(seed): \(submission.id) is not settled")
            // Only a request whose client went is taken up again.
            #expect(settlements.dropLast().allSatisfy { $0.error == .cancelled }, "seed \(seed)")
            let prompts = settlements.reduce(0) { $0 + $1.usage.promptTokenCount }
            #expect(prompts == submission.promptTokens.count, "seed \(seed): a prompt is settled once")
        }
    }

    @Test func withoutFaultsEveryRequestFinishes() throws {
        var random = SplitMix64(seed: 4242)
        let limits = try TenancyLimits()
        var mesh = try mesh(&random, queue: limits)
        for number in 1...60 {
            var next = submission(&random, number: number)
            next.deadline = .seconds(600)
            mesh.submit(next, credit: 1000)
        }
        settle(&mesh, seed: 4242)
        #expect(mesh.faults == [])
        #expect(mesh.clients.map(\.terminals) == Array(repeating: ["finish"], count: 60))
    }
}
