/// Counts what rank 0 of a group does, beside its steps and without a lock; a registry takes it over now and then.
public struct WorkerMeters: Sendable {
    private var firstToken = MetricHistogram(Metric.vllmFirstToken.bounds)
    private var betweenTokens = MetricHistogram(Metric.vllmBetweenTokens.bounds)
    private var duration = MetricHistogram(Metric.vllmDuration.bounds)
    private var step = MetricHistogram(Metric.stepDuration.bounds)
    private var promptTokenCount: UInt64 = 0
    private var generatedTokenCount: UInt64 = 0
    private var stopCount: UInt64 = 0
    private var lengthCount: UInt64 = 0

    public init() {}

    public mutating func admitted(promptTokenCount count: Int) { promptTokenCount += UInt64(count) }
    public mutating func stepped(_ time: Duration) { step.observe(time) }

    /// Tokens of a sequence were delivered.
    ///
    /// - Parameter last: when its token before came; nil for its first.
    public mutating func delivered(
        _ count: Int, finish: FinishReason?, admitted: Instant, last: Instant?, now: Instant
    ) {
        generatedTokenCount += UInt64(count)
        if count > 0 {
            if let last {
                betweenTokens.observe(now.duration(since: last))
            } else {
                firstToken.observe(now.duration(since: admitted))
            }
        }
        guard let finish else { return }
        duration.observe(now.duration(since: admitted))
        switch finish {
        case .stop: stopCount += 1
        case .length: lengthCount += 1
        }
    }

    /// Writes the counts, and what the group holds now, into a registry.
    ///
    /// - Parameters:
    ///   - time: seconds since 1970.
    public func write(
        to registry: inout MetricRegistry, model: ModelName, report: BatchReport, group: GroupName, rank: Int,
        adapterSlotCount: Int, time: Double
    ) {
        let name = [model.text]
        registry.set(.vllmRunning, name, Double(report.running.count))
        registry.set(.vllmWaiting, name, Double(report.waiting.count))
        registry.set(
            .vllmCache, name, Double(report.blockCount - report.freeBlockCount) / Double(max(1, report.blockCount)))
        registry.set(.vllmFirstToken, name, firstToken)
        registry.set(.vllmBetweenTokens, name, betweenTokens)
        registry.set(.vllmDuration, name, duration)
        registry.set(.vllmPromptTokens, name, Double(promptTokenCount))
        registry.set(.vllmGeneratedTokens, name, Double(generatedTokenCount))
        registry.set(.vllmSuccess, name + ["stop"], Double(stopCount))
        registry.set(.vllmSuccess, name + ["length"], Double(lengthCount))
        registry.set(.vllmPreemptions, name, Double(report.counts.preempted))
        registry.set(.preemptions, [group.text, String(rank)], Double(report.counts.preempted))
        registry.set(.stepDuration, [group.text, String(rank)], step)
        func names(_ sequences: [BatchReport.Sequence]) -> String {
            Set(sequences.compactMap { $0.adapter?.name.text }).sorted().joined(separator: ",")
        }
        // Exactly one series, whose labels change: what reads it takes the newest by its value.
        registry.replace(
            .vllmAdapters, [String(adapterSlotCount), names(report.running), names(report.waiting)], time)
    }
}

extension MetricRegistry {
    /// Leaves this one series of the family.
    mutating func replace(_ metric: Metric, _ labels: [String], _ value: Double) {
        remove(metric)
        set(metric, labels, value)
    }
}
