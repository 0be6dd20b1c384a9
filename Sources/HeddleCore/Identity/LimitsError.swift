/// Why a `Limits` value could not be made: which limit, what it was, and what it must be.
public struct LimitsError: Error, Hashable, Sendable, CustomStringConvertible {
    public let limit: String
    public let value: String
    public let rule: String

    public init(limit: String, value: some CustomStringConvertible, rule: String) {
        self.limit = limit
        self.value = value.description
        self.rule = rule
    }

    public var description: String { "limit \(limit) is \(value); it must be \(rule)" }

    /// Throws unless `value` lies in `range`.
    static func check(_ limit: String, _ value: Int, in range: ClosedRange<Int>) throws(LimitsError) {
        guard range.contains(value) else {
            throw LimitsError(limit: limit, value: value, rule: "from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// Throws unless `value` lies in `range`.
    static func check(_ limit: String, _ value: Duration, in range: ClosedRange<Duration>) throws(LimitsError) {
        guard range.contains(value) else {
            throw LimitsError(limit: limit, value: value, rule: "from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
