/// Counts observations of seconds into fixed buckets.
public struct MetricHistogram: Hashable, Sendable {
    /// Upper ends of the buckets, growing; what is above the last is counted in none but the whole.
    public let bounds: [Double]
    /// By bucket, not cumulated.
    public private(set) var counts: [UInt64]
    public private(set) var count: UInt64 = 0
    public private(set) var sum = 0.0

    public init(_ bounds: [Double]) {
        precondition(!bounds.isEmpty && bounds == bounds.sorted(), "a histogram has growing bounds")
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    public mutating func observe(_ value: Double) {
        count += 1
        sum += value
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] += 1 }
    }

    public mutating func observe(_ duration: Duration) { observe(duration.inSeconds) }

    /// From a millisecond to ten minutes: waits, first tokens and whole requests.
    public static let requestBounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
    ]
    /// From a tenth of a millisecond to ten seconds: steps, tokens and calls.
    public static let stepBounds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
    ]
}

extension Duration {
    /// As a number, which programs and tables want.
    public var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
