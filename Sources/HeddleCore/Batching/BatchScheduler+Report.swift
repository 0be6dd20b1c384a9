extension BatchScheduler {
    /// What runs, what waits and for what, since when.
    public func report() -> BatchReport {
        BatchReport(
            step: step, stepInFlight: inFlight != nil, blockCount: blocks.blockCount, heldBlockCount: blocks.heldCount,
            freeBlockCount: blocks.freeCount,
            keptBlockCount: blocks.keptCount, residentBlockCount: blocks.residentCount,
            adapterBytes: slots.bytes, running: running.map(Self.report), waiting: waiting.map(Self.report),
            adapters: slots.used, counts: counts)
    }

    /// What the oldest of the waiting wait for, for whoever follows them step by step.
    public func waits(countMax: Int) -> [(sequence: SequenceID, state: BatchReport.State)] {
        waiting.prefix(countMax).map { ($0.id, $0.state) }
    }

    private static func report(_ sequence: RunningSequence) -> BatchReport.Sequence {
        BatchReport.Sequence(
            sequence: sequence.id, request: sequence.request.request, attempt: sequence.request.attempt,
            choice: sequence.request.choice, tenant: sequence.request.tenant, adapter: sequence.request.adapter,
            tokenCount: sequence.tokens.count, computedTokenCount: sequence.computedCount,
            generatedTokenCount: sequence.generatedCount, blockCount: sequence.blocks.count,
            preemptionCount: sequence.preemptionCount, state: sequence.state, since: sequence.since)
    }
}
