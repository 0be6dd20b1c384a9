/// Holds a node's numbers and writes them as Prometheus text.
///
/// Tenants and adapters are named by users, so every family has room for so many series; what comes beyond goes to one whose
/// labels are all `other`.
public struct MetricRegistry: Sendable {
    private enum Value: Sendable {
        case number(Double)
        case histogram(MetricHistogram)
    }

    /// Series of one family, the overflow's not counted.
    public let seriesCountMax: Int
    private var families: [Metric: [[String]: Value]] = [:]
    private var droppedCount: UInt64 = 0

    public static let overflowLabel = "other"

    public init(seriesCountMax: Int = 256) {
        precondition(seriesCountMax > 0, "a family has room for a series")
        self.seriesCountMax = seriesCountMax
    }

    public mutating func add(_ metric: Metric, _ labels: [String] = [], _ amount: Double = 1) {
        precondition(metric.kind != .histogram, "a histogram is observed")
        let key = key(metric, labels)
        guard case .number(let value)? = families[metric]?[key] else {
            return families[metric, default: [:]][key] = .number(amount)
        }
        families[metric]?[key] = .number(value + amount)
    }

    public mutating func set(_ metric: Metric, _ labels: [String] = [], _ value: Double) {
        precondition(metric.kind != .histogram, "a histogram is observed")
        families[metric, default: [:]][key(metric, labels)] = .number(value)
    }

    public mutating func observe(_ metric: Metric, _ labels: [String] = [], _ duration: Duration) {
        let key = key(metric, labels)
        var histogram = MetricHistogram(metric.bounds)
        if case .histogram(let present)? = families[metric]?[key] { histogram = present }
        histogram.observe(duration)
        families[metric, default: [:]][key] = .histogram(histogram)
    }

    /// Takes over a histogram that somebody keeps beside, so that observing costs it no lock.
    public mutating func set(_ metric: Metric, _ labels: [String] = [], _ histogram: MetricHistogram) {
        precondition(metric.bounds == histogram.bounds, "a histogram has its family's buckets")
        families[metric, default: [:]][key(metric, labels)] = .histogram(histogram)
    }

    /// Forgets a family's series.
    public mutating func remove(_ metric: Metric) { families[metric] = nil }

    public func value(_ metric: Metric, _ labels: [String] = []) -> Double? {
        if case .number(let value)? = families[metric]?[labels] { value } else { nil }
    }

    private mutating func key(_ metric: Metric, _ labels: [String]) -> [String] {
        precondition(labels.count == metric.labels.count, "\(metric.rawValue) has the labels \(metric.labels)")
        guard !labels.isEmpty, families[metric]?[labels] == nil, families[metric]?.count ?? 0 >= seriesCountMax else {
            return labels
        }
        droppedCount += 1
        return labels.map { _ in Self.overflowLabel }
    }

    /// Prometheus' text format 0.0.4, families in the order of `Metric.allCases`, series by label.
    public func text() -> String {
        var registry = self
        registry.set(.seriesDropped, [], Double(droppedCount))
        var text = ""
        for metric in Metric.allCases {
            guard let series = registry.families[metric], !series.isEmpty else { continue }
            text += "# HELP \(metric.rawValue) \(Self.escaped(metric.help, quotes: false))\n"
            text += "# TYPE \(metric.rawValue) \(metric.kind.rawValue)\n"
            for (labels, value) in series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                Self.write(metric, labels, value, to: &text)
            }
        }
        return text
    }

    private static func write(_ metric: Metric, _ labels: [String], _ value: Value, to text: inout String) {
        let pairs = zip(metric.labels, labels).map { "\($0)=\"\(escaped($1, quotes: true))\"" }
        func line(_ suffix: String, _ more: [String], _ number: Double) {
            let all = pairs + more
            text += metric.rawValue + suffix + (all.isEmpty ? "" : "{" + all.joined(separator: ",") + "}")
            text += " \(written(number))\n"
        }
        switch value {
        case .number(let number): line("", [], number)
        case .histogram(let histogram):
            var cumulated: UInt64 = 0
            for (bound, count) in zip(histogram.bounds, histogram.counts) {
                cumulated += count
                line("_bucket", ["le=\"\(written(bound))\""], Double(cumulated))
            }
            line("_bucket", ["le=\"+Inf\""], Double(histogram.count))
            line("_sum", [], histogram.sum)
            line("_count", [], Double(histogram.count))
        }
    }

    /// Whole numbers as such: counts of bytes and microseconds stay exact.
    private static func written(_ number: Double) -> String {
        if let whole = Int64(exactly: number) { return String(whole) }
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
        return "\(number)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
