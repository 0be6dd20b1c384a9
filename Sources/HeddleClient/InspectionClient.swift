import HeddleCore
import HeddleTransport
import HeddleWire

/// What one node answered, or why there is no answer: a picture of the mesh names what is missing from it.
public struct NodeAnswer: Hashable, Sendable {
    public var node: NodeName
    public var outcome: Outcome

    public init(node: NodeName, outcome: Outcome) {
        self.node = node
        self.outcome = outcome
    }

    /// How a node answered.
    public enum Outcome: Hashable, Sendable {
        case report(NodeReport)
        /// It answered that it does not answer this.
        case refused(String)
        /// Nothing came in time.
        case silent(after: Duration)
        /// What came was no report, or the endpoint cannot be one.
        case unreadable(String)
    }

    public var report: NodeReport? {
        if case .report(let report) = outcome { report } else { nil }
    }
}

/// Asks nodes about themselves, all at once, each until the deadline.
public enum InspectionClient {
    /// A node and its inspection socket.
    public struct Target: Hashable, Sendable {
        public var node: NodeName
        public var endpoint: String

        public init(node: NodeName, endpoint: String) {
            self.node = node
            self.endpoint = endpoint
        }
    }

    /// Nodes that are asked at the same time; more are asked in turns.
    public static let targetCountMax = 256

    /// The answers, in the targets' order. It ends at the deadline of the last turn at the latest.
    public static func ask(
        _ targets: [Target], _ query: InspectionQuery, deadline: Duration, limits: InspectionLimits = InspectionLimits()
    ) async throws(TransportError) -> [NodeAnswer] {
        try await ask(targets, targets.map { _ in query }, deadline: deadline, limits: limits)
    }

    /// - Parameter queries: what each target is asked.
    public static func ask(
        _ targets: [Target], _ queries: [InspectionQuery], deadline: Duration,
        limits: InspectionLimits = InspectionLimits()
    ) async throws(TransportError) -> [NodeAnswer] {
        precondition(queries.count == targets.count, "every target is asked one question")
        var answers: [NodeAnswer] = []
        for start in stride(from: 0, to: targets.count, by: targetCountMax) {
            let turn = start..<min(targets.count, start + targetCountMax)
            answers += try await Round(Array(targets[turn]), Array(queries[turn]), deadline: deadline, limits: limits)
                .answers()
        }
        return answers
    }
}

/// One question to several nodes.
private final class Round: @unchecked Sendable {
    // Safety: everything mutable is touched on `io` alone, after `answers` has posted to it.
    private let targets: [InspectionClient.Target]
    private let queries: [InspectionQuery]
    private let deadline: Duration
    private let limits: InspectionLimits
    private let io = IOThread(name: "heddle-inspect")
    private var sockets: [DealerSocket] = []
    private var outcomes: [NodeAnswer.Outcome?]
    private var ticker: TickSource?
    private var finish: (([NodeAnswer]) -> Void)?

    init(
        _ targets: [InspectionClient.Target], _ queries: [InspectionQuery], deadline: Duration, limits: InspectionLimits
    ) {
        self.targets = targets
        self.queries = queries
        self.deadline = min(max(deadline, .milliseconds(1)), limits.deadlineMax)
        self.limits = limits
        outcomes = Array(repeating: nil, count: targets.count)
    }

    func answers() async throws(TransportError) -> [NodeAnswer] {
        let context = try DealerContext()
        let answers: [NodeAnswer] = await withCheckedContinuation { continuation in
            io.post { [self] in
                finish = { continuation.resume(returning: $0) }
                start(context)
            }
        }
        io.stop()
        return answers
    }

    private func start(_ context: DealerContext) {
        let ticker = TickSource(periodNanoseconds: UInt64(nanosecondsOf: deadline)) { [unowned self] _ in end() }
        io.add(ticker)
        ticker.switchOn()
        self.ticker = ticker
        for (index, target) in targets.enumerated() {
            do throws(TransportError) {
                let socket = try DealerSocket(io: io, context: context, endpoint: target.endpoint) {
                    [unowned self] frames in received(frames, from: index)
                }
                sockets.append(socket)
                // The node's patience is a little shorter than ours, so that its answer can still arrive.
                try socket.send(
                    InspectRequest(
                        number: UInt64(index + 1), query: queries[index],
                        deadline: max(.microseconds(1), deadline * 0.9)
                    )
                    .frames())
            } catch {
                outcomes[index] = .unreadable("\(error)")
            }
        }
        endIfComplete()
    }

    private func received(_ frames: [[UInt8]], from index: Int) {
        guard outcomes[index] == nil else { return }
        do throws(ClientFrameError) {
            let reply = try InspectReply(frames: frames, limits: limits)
            let isAnswer = reply.number == UInt64(index + 1)
            switch reply.outcome {
            case .report(let report) where isAnswer: outcomes[index] = .report(report)
            // A request that could not be read is refused under the number 0.
            case .refused(let reason) where isAnswer || reply.number == 0: outcomes[index] = .refused(reason)
            case .report, .refused: return
            }
        } catch {
            outcomes[index] = .unreadable("\(error)")
        }
        endIfComplete()
    }

    private func endIfComplete() { if !outcomes.contains(where: { $0 == nil }) { end() } }

    private func end() {
        guard let finish else { return }
        self.finish = nil
        ticker?.switchOff()
        for socket in sockets { socket.leave() }
        sockets = []
        finish(
            zip(targets, outcomes).map { target, outcome in
                NodeAnswer(node: target.node, outcome: outcome ?? .silent(after: deadline))
            })
    }
}
