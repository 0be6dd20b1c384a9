import Foundation
import HeddleCore

/// What rank 0 keeps of its steps for whoever looks: spans of sequences, events, numbers. Nothing here decides anything.
extension GPUWorker {
    /// The oldest of the waiting are followed from step to step; the others' waits show once they are among them.
    private static var followedCountMax: Int { 32 }

    /// Follows what sequences wait for.
    func noteWaits() {
        guard scheduler.waitingCount > 0 else { return }
        let moment = now()
        for (sequence, state) in scheduler.waits(countMax: Self.followedCountMax) {
            if let span = sequences[sequence]?.trace.waits(for: state, now: moment) { log.journal.put(span) }
        }
    }

    func noteDelivery(_ part: SequenceDelivery) {
        guard let context = sequences[part.sequence] else { return }
        let moment = now()
        meters.delivered(
            part.tokens.count, finish: part.finish, admitted: context.admitted, last: context.delivered, now: moment)
        if !part.tokens.isEmpty { sequences[part.sequence]?.delivered = moment }
    }

    /// As often as the worker publishes: what lasts, and the numbers.
    func noteProgress(_ report: BatchReport) {
        guard place.isFirst else { return }
        for context in sequences.values { log.journal.put(context.trace.present) }
        if report.counts.preempted > preemptionsTold {
            log.info(
                .sequencePreempted, about: place.group.text,
                "\(report.counts.preempted - preemptionsTold) sequences gave up their KV blocks and run again")
        }
        preemptionsTold = report.counts.preempted
        let (meters, place, slots) = (meters, place, scheduler.limits.adapterSlotCount)
        log.journal.measure { registry in
            meters.write(
                to: &registry, model: place.model, report: report, group: place.group, rank: place.rank,
                adapterSlotCount: slots, time: Date().timeIntervalSince1970)
        }
    }
}

extension GPUWorker.SequenceContext {
    /// A step ran a segment of the sequence; returns what ended as it began.
    mutating func ran(_ segment: StepPlan.Segment, from began: Instant) -> TraceSpan? {
        trace.ran(
            tokenCount: segment.tokens.count, firstPosition: segment.firstPosition, knownTokenCount: knownTokenCount,
            from: began)
    }
}
