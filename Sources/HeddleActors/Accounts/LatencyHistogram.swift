import HeddleTransport

/// Counts durations in buckets that grow by a quarter of a power of two: a quantile is right within 12.5 %, and the size is
/// fixed however many are counted.
public struct LatencyHistogram: Hashable, Sendable {
    /// From 1 µs to 2³⁶ µs (19 hours), four buckets to each doubling.
    static let bucketCount = 36 * 4
    private var counts: [UInt32]
    /// Durations counted since the start.
    public private(set) var total: UInt64 = 0

    public init() { counts = [] }

    /// Counts one duration.
    public mutating func record(_ duration: Duration) { add(nanoseconds: UInt64(nanosecondsOf: duration)) }

    mutating func add(nanoseconds: UInt64) {
        if counts.isEmpty { counts = [UInt32](repeating: 0, count: Self.bucketCount) }
        let bucket = Self.bucket(ofMicroseconds: nanoseconds / 1000)
        // A full bucket halves all of them, so that old durations fade instead of new ones being lost.
        if counts[bucket] == .max { for index in counts.indices { counts[index] /= 2 } }
        counts[bucket] += 1
        total += 1
    }

    /// The duration that this share of all does not exceed; nil when nothing was counted. The share is 0 to 1.
    public func quantile(_ share: Double) -> Duration? {
        let sum = counts.reduce(UInt64(0)) { $0 + UInt64($1) }
        guard sum > 0 else { return nil }
        let rank = max(1, UInt64((min(max(share, 0), 1) * Double(sum)).rounded(.up)))
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            seen += UInt64(count)
            if seen >= rank { return .nanoseconds(Int64(Self.middleMicroseconds(of: bucket) * 1000)) }
        }
        return nil
    }

    private static func bucket(ofMicroseconds microseconds: UInt64) -> Int {
        guard microseconds >= 4 else { return Int(microseconds) }
        let exponent = 63 - microseconds.leadingZeroBitCount
        let quarter = Int(microseconds >> UInt64(exponent - 2)) & 3
        return min(bucketCount - 1, 4 * (exponent - 1) + quarter)
    }

    private static func middleMicroseconds(of bucket: Int) -> Double {
        guard bucket >= 4 else { return Double(bucket) + 0.5 }
        let exponent = bucket / 4 + 1
        let width = Double(UInt64(1) << UInt64(exponent - 2))
        return Double(4 + bucket % 4) * width + width / 2
    }
}
