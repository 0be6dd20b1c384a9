/// What something is doing, why, and for how long already: the first thing that a person who looks wants to know.
public struct StateReport: Hashable, Sendable {
    /// One word, such as `serving` or `loading`.
    public var name: String
    /// Why it is in this state, as a sentence; empty where the name says all.
    public var reason: String
    /// How long it has been so. A duration, because the reader's clock is another.
    public var since: Duration

    public init(_ name: String, reason: String = "", since: Duration = .zero) {
        self.name = name
        self.reason = reason
        self.since = since
    }
}

/// A value that an actor tells about itself, with its type kept for programs that read the report as JSON.
public enum ReportValue: Hashable, Sendable, CustomStringConvertible {
    case text(String)
    case integer(Int64)
    case number(Double)

    public var description: String {
        switch self {
        case .text(let text): text
        case .integer(let integer): String(integer)
        case .number(let number): number.description
        }
    }
}

/// One line of an actor's own state.
public struct ReportField: Hashable, Sendable {
    public var key: String
    public var value: ReportValue
    /// `bytes`, `tokens`, `seconds`; empty where there is none.
    public var unit: String

    public init(_ key: String, _ value: ReportValue, unit: String = "") {
        self.key = key
        self.value = value
        self.unit = unit
    }

    public init(_ key: String, _ text: String, unit: String = "") { self.init(key, .text(text), unit: unit) }
    public init(_ key: String, _ count: some BinaryInteger, unit: String = "") {
        self.init(key, .integer(Int64(clamping: count)), unit: unit)
    }
    public init(_ key: String, _ number: Double, unit: String = "") { self.init(key, .number(number), unit: unit) }
}

/// A small table of an actor's own state, such as the lanes of a queue; its cells are written for people.
public struct ReportTable: Hashable, Sendable {
    public var title: String
    public var columns: [String]
    /// Each row has as many cells as there are columns.
    public var rows: [[String]]

    public init(title: String, columns: [String], rows: [[String]]) {
        precondition(rows.allSatisfy { $0.count == columns.count }, "every row of a report table has a cell per column")
        self.title = title
        self.columns = columns
        self.rows = rows
    }
}
