/// One stretch of a request's life at one actor: what it did or waited for, from when to when.
public struct TraceSpan: Hashable, Sendable {
    public var request: RequestID
    public var id: SpanID
    /// The stretch that it is a part of; nil for the request itself.
    public var parent: SpanID?
    public var name: Name
    /// The actor where it happened.
    public var actor: String
    /// Why it waits, or what it does, as a sentence; empty where the name says all.
    public var reason: String
    public var start: Instant
    /// Nil while it lasts.
    public var end: Instant?
    /// Sizes and counts; never a prompt or a completion.
    public var fields: [ReportField]
    /// Why it ended badly; nil where it did not.
    public var error: String?

    public init(
        _ name: Name, of request: RequestID, id: SpanID, in parent: SpanID?, at actor: String, reason: String = "",
        start: Instant, end: Instant? = nil, fields: [ReportField] = [], error: String? = nil
    ) {
        self.request = request
        self.id = id
        self.parent = parent
        self.name = name
        self.actor = actor
        self.reason = reason
        self.start = start
        self.end = end
        self.fields = fields
        self.error = error
    }

    /// What a stretch is.
    public enum Name: String, CaseIterable, Hashable, Sendable {
        /// From acceptance to the terminal event.
        case request
        /// Checked, its adapter described, its prompt tokenised.
        case admit
        case tokenise
        case describeAdapter = "describe adapter"
        /// An attempt waits for a worker group.
        case queue
        /// Why it waits in its lane.
        case lane
        /// An attempt is with a worker group.
        case run
        /// All is generated; the rest waits for the client.
        case drain
        /// A sequence waits at its group.
        case wait
        case prefill
        case decode

        /// Whether nothing is done for the request meanwhile.
        public var isWait: Bool {
            switch self {
            case .queue, .lane, .drain, .wait: true
            case .request, .admit, .tokenise, .describeAdapter, .run, .prefill, .decode: false
            }
        }
    }
}

/// Names a span within its trace. It follows from what the span is, so that two actors name a parent alike without telling
/// each other.
public struct SpanID: Hashable, Sendable, CustomStringConvertible {
    /// Never 0, which stands for none where traces are written.
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number == 0 ? 1 : number }

    /// - Parameters:
    ///   - attempt: 0 for what belongs to no attempt.
    ///   - part: tells apart spans of one name in one attempt.
    public init(_ name: TraceSpan.Name, of request: RequestID, attempt: Attempt = Attempt(0), part: UInt64 = 0) {
        // The mixing function of splitmix64 (Steele, Lea and Flood, 2014) after each word.
        func mixed(_ state: UInt64, _ word: UInt64) -> UInt64 {
            var value = (state ^ word) &+ 0x9E37_79B9_7F4A_7C15
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
        var state = mixed(request.high, request.low)
        for byte in name.rawValue.utf8 { state = mixed(state, UInt64(byte)) }
        self.init(mixed(mixed(state, UInt64(attempt.number)), part))
    }

    /// 16 hexadecimal digits.
    public var description: String { hexadecimal(number) }
}

/// A span as an inspector reads it: moments are counted back from the report, since clocks do not compare.
public struct SpanReport: Hashable, Sendable {
    public var request: RequestID
    public var id: SpanID
    public var parent: SpanID?
    public var name: TraceSpan.Name
    public var actor: String
    public var reason: String
    /// How long ago it began.
    public var startAge: Duration
    /// How long it lasted, or has lasted so far.
    public var duration: Duration
    public var isOpen: Bool
    public var fields: [ReportField]
    public var error: String?

    public init(
        request: RequestID, id: SpanID, parent: SpanID?, name: TraceSpan.Name, actor: String, reason: String = "",
        startAge: Duration, duration: Duration, isOpen: Bool, fields: [ReportField] = [], error: String? = nil
    ) {
        self.request = request
        self.id = id
        self.parent = parent
        self.name = name
        self.actor = actor
        self.reason = reason
        self.startAge = startAge
        self.duration = duration
        self.isOpen = isOpen
        self.fields = fields
        self.error = error
    }

    public init(_ span: TraceSpan, now: Instant) {
        self.init(
            request: span.request, id: span.id, parent: span.parent, name: span.name, actor: span.actor,
            reason: span.reason, startAge: now.duration(since: span.start),
            duration: (span.end ?? now).duration(since: span.start), isOpen: span.end == nil, fields: span.fields,
            error: span.error)
    }
}
