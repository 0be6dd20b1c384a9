/// How numbers are written, with or without bounds. Lengths are bounded, so that no number goes on for ever.
enum NumberText {
    /// Digits before the point.
    static let integerDigitsMax = 20
    /// Of a number with a bound, before and behind the point together: so many are exact as a double, so that comparing decimals
    /// and comparing doubles says the same.
    static let boundedDigitsMax = 15
    /// Of a whole number with a bound.
    static let boundedIntegerDigitsMax = 18

    static let integer: ByteExpression =
        .literal("-").optional() + .any([.literal("0"), .range("1", "9") + .digit.times(0...(integerDigitsMax - 1))])

    static let number: ByteExpression = {
        let exponent: ByteExpression = .any([
            .digit.times(1...2), .literal("1") + .digit.times(2), .literal("2") + .range("0", "7") + .digit,
        ])
        return integer + (.literal(".") + .digit.times(1...20)).optional()
            + (.oneOf("eE") + .oneOf("+-").optional() + exponent).optional()
    }()

    /// A bound without its sign: digits before and behind the point.
    struct Magnitude: Hashable, Sendable {
        var integer: [UInt8]
        var fraction: [UInt8]
        static let zero = Magnitude(integer: [0], fraction: [])

        var isZero: Bool { (integer + fraction).allSatisfy { $0 == 0 } }
    }

    /// One end of a range.
    struct Bound: Hashable, Sendable {
        var magnitude: Magnitude
        var isNegative: Bool
        var isExclusive: Bool
    }

    /// All numbers between two bounds, written without exponent.
    static func between(_ lower: Bound?, _ upper: Bound?, isInteger: Bool) -> ByteExpression {
        var parts: [ByteExpression] = []
        if upper.map({ !$0.isNegative || $0.magnitude.isZero }) ?? true {
            let low = lower.flatMap { $0.isNegative && !$0.magnitude.isZero ? nil : $0 }
            parts.append(magnitudes(low, upper, isInteger))
        }
        if lower.map({ $0.isNegative || $0.magnitude.isZero }) ?? true {
            let low = upper.flatMap { $0.isNegative || $0.magnitude.isZero ? $0 : nil }
            parts.append(.literal("-") + magnitudes(low, lower, isInteger))
        }
        return .any(parts)
    }

    private static func magnitudes(_ lower: Bound?, _ upper: Bound?, _ isInteger: Bool) -> ByteExpression {
        var parts: [ByteExpression] = []
        for count in 1...(isInteger ? boundedIntegerDigitsMax : boundedDigitsMax) {
            let lowerCount = lower?.magnitude.integer.count ?? 0
            let upperCount = upper?.magnitude.integer.count ?? .max
            guard lowerCount <= count, count <= upperCount else { continue }
            let walk = Walk(lower: lower, upper: upper, integerCount: count, isInteger: isInteger)
            parts.append(walk.rest(at: 0, isTightBelow: lowerCount == count, isTightAbove: upperCount == count))
        }
        return .any(parts)
    }

    /// The digits of numbers with so many before the point, one by one beside the bounds' digits.
    private struct Walk {
        let lower: Bound?
        let upper: Bound?
        let integerCount: Int
        let isInteger: Bool

        private var digitCountMax: Int { isInteger ? integerCount : boundedDigitsMax }

        /// What may follow behind `place` digits, which are equal to the bounds' where it is tight.
        func rest(at place: Int, isTightBelow: Bool, isTightAbove: Bool) -> ByteExpression {
            var parts: [ByteExpression] = []
            if place >= integerCount, mayEnd(at: place, isTightBelow, isTightAbove) { parts.append(.empty) }
            guard place < digitCountMax else { return .any(parts) }
            if place > integerCount, !isTightBelow, !isTightAbove {
                return .digit.times(0...(digitCountMax - place))
            }
            let point: ByteExpression = place == integerCount ? .literal(".") : .empty
            let below = isTightBelow ? digit(of: lower, at: place) : 0
            let above = isTightAbove ? digit(of: upper, at: place) : 9
            let least: UInt8 = place == 0 && integerCount > 1 ? 1 : 0
            var between = ByteSet()
            for digit in UInt8(0)...9 where digit >= least && digit >= below && digit <= above {
                let (touchesBelow, touchesAbove) = (isTightBelow && digit == below, isTightAbove && digit == above)
                guard touchesBelow || touchesAbove else {
                    between.insert(digit + 0x30)
                    continue
                }
                parts.append(
                    point + .byte(ByteSet(CollectionOfOne(digit + 0x30)))
                        + rest(at: place + 1, isTightBelow: touchesBelow, isTightAbove: touchesAbove))
            }
            if between != ByteSet() {
                parts.append(
                    point + .byte(between) + rest(at: place + 1, isTightBelow: false, isTightAbove: false))
            }
            return .any(parts)
        }

        private func digit(of bound: Bound?, at place: Int) -> UInt8 {
            guard let magnitude = bound?.magnitude else { return 0 }
            if place < integerCount { return magnitude.integer[place] }
            let place = place - integerCount
            return place < magnitude.fraction.count ? magnitude.fraction[place] : 0
        }

        private func mayEnd(at place: Int, _ isTightBelow: Bool, _ isTightAbove: Bool) -> Bool {
            if isTightBelow, let lower {
                let rest = lower.magnitude.fraction.dropFirst(place - integerCount)
                if lower.isExclusive || rest.contains(where: { $0 != 0 }) { return false }
            }
            if isTightAbove, let upper {
                let rest = upper.magnitude.fraction.dropFirst(place - integerCount)
                if upper.isExclusive, rest.allSatisfy({ $0 == 0 }) { return false }
            }
            return true
        }
    }
}
