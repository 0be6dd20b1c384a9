/// How often something happens: counts in ten buckets of one second, of which the finished ones make the rate.
struct RateMeter: Hashable, Sendable {
    static let windowSeconds: UInt64 = 10
    private var counts: [UInt32] = []
    private var secondLast: UInt64 = 0
    private var secondFirst: UInt64 = 0

    mutating func add(nowNanoseconds: UInt64) {
        advance(to: nowNanoseconds / 1_000_000_000)
        let slot = Int(secondLast % Self.windowSeconds)
        if counts[slot] < .max { counts[slot] += 1 }
    }

    /// Events a second over the last whole seconds, at most nine; since the start when that is more recent.
    func perSecond(nowNanoseconds: UInt64) -> Double {
        guard !counts.isEmpty else { return 0 }
        var copy = self
        let second = nowNanoseconds / 1_000_000_000
        copy.advance(to: second)
        let sum = copy.counts.enumerated().reduce(UInt64(0)) { sum, next in
            next.offset == Int(second % Self.windowSeconds) ? sum : sum + UInt64(next.element)
        }
        let whole = min(Self.windowSeconds - 1, second - secondFirst)
        guard whole > 0 else { return Double(copy.counts[Int(second % Self.windowSeconds)]) }
        return Double(sum) / Double(whole)
    }

    private mutating func advance(to second: UInt64) {
        if counts.isEmpty {
            counts = [UInt32](repeating: 0, count: Int(Self.windowSeconds))
            secondLast = second
            secondFirst = second
        }
        guard second > secondLast else { return }
        let steps = min(second - secondLast, Self.windowSeconds)
        for step in 1...steps { counts[Int((secondLast + step) % Self.windowSeconds)] = 0 }
        if steps == Self.windowSeconds { for slot in counts.indices { counts[slot] = 0 } }
        secondLast = second
    }
}
