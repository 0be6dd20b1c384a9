extension BatchScheduler {
    /// The step has run; `sampled` holds one token for each segment that wanted logits.
    ///
    /// A stop token ends its choice and is not part of it: the last delivery is then empty.
    public mutating func stepFinished(_ step: UInt64, sampled: [SampledToken], now: Instant) -> [Action] {
        precondition(inFlight?.step == step, "only the step in flight can finish")
        inFlight = nil
        let tokens = Dictionary(sampled.map { ($0.sequence, $0.token) }) { first, _ in first }
        var actions: [Action] = []
        var index = 0
        while index < running.count {
            let progress = running[index].advance(sampled: tokens[running[index].id])
            running[index].keepComputed(in: &blocks)
            counts.recomputedTokens += progress.recomputedCount
            if let delivery = progress.delivery {
                actions.append(.deliver(delivery))
                if delivery.finish != nil { counts.finished += 1 }
            }
            if progress.hasEnded {
                actions.append(release(running.remove(at: index)))
            } else if running[index].isPreempted {
                preempt(at: index)
            } else {
                index += 1
            }
        }
        return actions
    }

    /// The step did not run on every rank, so what its sequences hold is not known: their requests end here with
    /// `workerLost`, which their routers replay. The others go on.
    public mutating func stepFailed(_ step: UInt64, now: Instant) -> [Action] {
        precondition(inFlight?.step == step, "only the step in flight can fail")
        inFlight = nil
        let lost = running.filter { $0.inFlightCount > 0 }
        for index in running.indices { running[index].inFlightCount = 0 }
        var actions: [Action] = []
        for sequence in lost where sequence.isLeaving {
            if let index = running.firstIndex(where: { $0.id == sequence.id }) {
                actions.append(release(running.remove(at: index)))
            }
        }
        for sequence in lost where running.contains(where: { $0.id == sequence.id }) {
            actions += fail(sequence.request.request, sequence.request.attempt, .workerLost(losses: 1))
        }
        return actions
    }
}
