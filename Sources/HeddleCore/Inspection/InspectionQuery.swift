/// What an inspector asks of a node.
public struct InspectionQuery: Hashable, Sendable {
    public var subject: Subject
    /// Only what bears this name or id; nil asks for everything of the subject.
    public var name: String?
    /// Of events and lines, those behind this number, oldest first; 0: the newest.
    public var after: UInt64
    /// Events, lines or spans at most; 0: as many as a reply may hold.
    public var countMax: Int

    public init(_ subject: Subject, name: String? = nil, after: UInt64 = 0, countMax: Int = 0) {
        self.subject = subject
        self.name = name
        self.after = after
        self.countMax = countMax
    }

    /// Which lists of the `NodeReport` are filled; the node's own lines always are.
    public enum Subject: UInt8, CaseIterable, Hashable, Sendable {
        case node = 0
        case actors = 1
        case tenants = 2
        case adapters = 3
        case workers = 4
        case requests = 5
        /// The five lists together.
        case everything = 6
        case events = 7
        case lines = 8
        /// The spans of the request whose id begins with `name`; without a name, the latest requests' own spans.
        case traces = 9
    }
}

extension NodeReport {
    /// Keeps of a whole report what the query asks for, and no more than the limits allow.
    public func answering(_ query: InspectionQuery, limits: InspectionLimits = InspectionLimits()) -> NodeReport {
        var report = self
        let subject = query.subject
        func keep<Entry>(
            _ list: inout [Entry], _ listed: InspectionQuery.Subject, named: (Entry) -> String
        ) {
            guard subject == listed || subject == .everything else { return list = [] }
            if let name = query.name { list.removeAll { named($0) != name } }
            if list.count > limits.entryCountMax {
                report.omittedCount += list.count - limits.entryCountMax
                list.removeLast(list.count - limits.entryCountMax)
            }
        }
        var (actors, tenants, adapters, workers, requests) = (actors, tenants, adapters, workers, requests)
        keep(&actors, .actors, named: \.id)
        keep(&tenants, .tenants, named: \.name.text)
        keep(&adapters, .adapters, named: \.name.text)
        keep(&workers, .workers, named: \.group.text)
        keep(&requests, .requests, named: \.id.description)
        report.actors = actors
        report.tenants = tenants
        report.adapters = adapters
        report.workers = workers
        report.requests = requests
        return report
    }
}

/// Every maximum of an inspection, with its unit in the name.
public struct InspectionLimits: Hashable, Sendable {
    /// Entries of one list in one reply.
    public var entryCountMax = 1024
    /// The longest text in a report; longer ones are cut when it is written.
    public var textByteCountMax = 1024
    /// Calls in flight, methods, fields, tables, columns and rows that one actor's report holds of each.
    public var detailCountMax = 256
    /// The longest wait for one node.
    public var deadlineMax: Duration = .seconds(60)
    /// Bytes of one request, and of one reply.
    public var requestByteCountMax = 4 << 10
    public var replyByteCountMax = 4 << 20

    public init() {}
}
