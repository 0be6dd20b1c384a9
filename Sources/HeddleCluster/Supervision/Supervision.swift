import HeddleCore

/// Decides when a mesh's processes are started, restarted, told to end and killed.
///
/// One method per event; each returns what to do now. The shell, `Supervisor`, does it and reports back. Before all are
/// ready for the first time, one that ends or takes too long ends the whole start: the mistake is in the file or the
/// machine, and a person is waiting. After that, one that ends is started again after a pause that doubles, so the mesh
/// outlives its parts.
package struct Supervision: Sendable {
    /// Every limit, with its unit in the type.
    package struct Limits: Hashable, Sendable {
        /// How long a process may take from its start to `ready`.
        package var startMax: Duration = .seconds(120)
        /// The pause before the first restart; it doubles with each.
        package var pauseMin: Duration = .milliseconds(100)
        package var pauseMax: Duration = .seconds(10)
        /// After this long in readiness a process is forgiven its earlier ends.
        package var forgiveAfter: Duration = .seconds(60)
        /// After so many ends that were not forgiven a process is given up.
        package var endCountMax = 20
        /// How long a process may take to end after it was told to.
        package var graceMax: Duration = .seconds(10)

        package init() {}
    }

    package enum Action: Hashable, Sendable {
        case start(Int)
        /// Tell it to end: SIGTERM.
        case terminate(Int)
        /// End it: SIGKILL.
        case kill(Int)
        /// Every process has been ready.
        case allReady
        /// A process ended and will be started again.
        case restarting(Int, after: Duration)
        /// A process ended too often; the mesh goes on without it.
        case gaveUp(Int)
        /// Nothing runs any more.
        case finished(Outcome)
    }

    /// How supervision ended.
    package enum Outcome: Hashable, Sendable {
        case stopped
        /// A process ended before it was ready.
        case endedAtStart(Int)
        /// A process was not ready in time.
        case startTimedOut(Int)
    }

    private enum Phase: Hashable {
        case starting(deadline: Instant)
        case ready(since: Instant)
        case pausing(until: Instant)
        case stopping(deadline: Instant)
        /// Not running, and not to be started again.
        case over
    }

    package let limits: Limits
    private var phases: [Phase]
    private var endCounts: [Int]
    private var hasBeenReady: [Bool]
    private var wasAllReady = false
    private var outcome: Outcome?
    private var isFinished = false

    package init(count: Int, limits: Limits) {
        precondition(count > 0, "a mesh has a process")
        self.limits = limits
        phases = Array(repeating: .over, count: count)
        endCounts = Array(repeating: 0, count: count)
        hasBeenReady = Array(repeating: false, count: count)
    }

    /// Whether every process was ready once.
    package var isUp: Bool { wasAllReady && outcome == nil }

    /// When `timePassed` has something to do next.
    package var nextDeadline: Instant? {
        phases.compactMap { phase in
            switch phase {
            case .starting(let deadline), .stopping(let deadline): deadline
            case .pausing(let until): until
            case .ready, .over: nil
            }
        }.min()
    }

    /// Starts every process.
    package mutating func began(at now: Instant) -> [Action] {
        for index in phases.indices { phases[index] = .starting(deadline: now.advanced(by: limits.startMax)) }
        return phases.indices.map { .start($0) }
    }

    /// A process said that it is ready.
    package mutating func becameReady(_ index: Int, at now: Instant) -> [Action] {
        guard case .starting = phases[index] else { return [] }
        phases[index] = .ready(since: now)
        hasBeenReady[index] = true
        guard !wasAllReady, hasBeenReady.allSatisfy({ $0 }), outcome == nil else { return [] }
        wasAllReady = true
        return [.allReady]
    }

    /// A process ended, or could not be started.
    package mutating func ended(_ index: Int, at now: Instant) -> [Action] {
        if outcome != nil {
            phases[index] = .over
            return finishIfOver()
        }
        guard wasAllReady else {
            phases[index] = .over
            return stop(.endedAtStart(index), at: now)
        }
        if case .ready(let since) = phases[index], now.duration(since: since) >= limits.forgiveAfter {
            endCounts[index] = 0
        }
        endCounts[index] += 1
        guard endCounts[index] <= limits.endCountMax else {
            phases[index] = .over
            return [.gaveUp(index)]
        }
        var pause = limits.pauseMin
        for _ in 1..<endCounts[index] where pause < limits.pauseMax { pause = min(pause * 2, limits.pauseMax) }
        phases[index] = .pausing(until: now.advanced(by: pause))
        return [.restarting(index, after: pause)]
    }

    /// A person or a signal wants the mesh to end; the second time it ends at once.
    package mutating func stopRequested(at now: Instant) -> [Action] {
        if outcome == nil { return stop(.stopped, at: now) }
        return phases.indices.compactMap { index in
            if case .stopping = phases[index] { .kill(index) } else { nil }
        }
    }

    /// Looks which deadlines have passed.
    package mutating func timePassed(at now: Instant) -> [Action] {
        var actions: [Action] = []
        for index in phases.indices {
            switch phases[index] {
            case .pausing(let until) where until <= now:
                phases[index] = .starting(deadline: now.advanced(by: limits.startMax))
                actions.append(.start(index))
            case .starting(let deadline) where deadline <= now:
                if wasAllReady {
                    // Its end is reported next, and it is started again.
                    phases[index] = .starting(deadline: now.advanced(by: limits.startMax))
                    actions.append(.kill(index))
                } else {
                    return actions + stop(.startTimedOut(index), at: now)
                }
            case .stopping(let deadline) where deadline <= now:
                phases[index] = .stopping(deadline: now.advanced(by: limits.graceMax))
                actions.append(.kill(index))
            case .starting, .ready, .pausing, .stopping, .over: break
            }
        }
        return actions
    }

    private mutating func stop(_ outcome: Outcome, at now: Instant) -> [Action] {
        self.outcome = outcome
        var actions: [Action] = []
        for index in phases.indices {
            switch phases[index] {
            case .starting, .ready:
                phases[index] = .stopping(deadline: now.advanced(by: limits.graceMax))
                actions.append(.terminate(index))
            case .pausing: phases[index] = .over
            case .stopping, .over: break
            }
        }
        return actions + finishIfOver()
    }

    private mutating func finishIfOver() -> [Action] {
        guard let outcome, !isFinished, phases.allSatisfy({ $0 == .over }) else { return [] }
        isFinished = true
        return [.finished(outcome)]
    }
}
