/// Finds where a cut falls without sorting: the smallest keys whose masses together reach a target.
///
/// A radix selection over the bits of the keys, which order like the numbers because none is negative: masses are summed into
/// buckets of the highest 11 bits after the sign, then of the next 10 within the bucket where the target falls, then of the
/// last 10. Three passes at most, whatever the keys are, in one order of summation, so that every machine cuts alike.
struct MassSelection {
    static let bucketCount = 2048

    /// The largest key that is needed; +∞ where all together do not reach the target.
    private(set) var threshold = Float.infinity
    /// The mass of all smaller keys.
    private(set) var massBelow = 0.0

    /// - Parameters:
    ///   - keys: +0 or more, and not NaN.
    ///   - masses: as many, not negative; nil weighs each 1.
    ///   - target: above 0.
    ///   - buckets: `bucketCount` numbers to write to.
    init(
        _ keys: UnsafeBufferPointer<Float>, masses: UnsafeBufferPointer<Float>?, target: Double,
        buckets: UnsafeMutableBufferPointer<Double>
    ) {
        precondition(masses.map { $0.count == keys.count } ?? true, "each key has its mass")
        precondition(buckets.count == Self.bucketCount, "a selection sums into \(Self.bucketCount) buckets")
        var prefix: UInt32 = 0
        for (shift, bitCount) in [(20, 11), (10, 10), (0, 10)] as [(UInt32, UInt32)] {
            let known = shift + bitCount
            buckets.initialize(repeating: 0)
            Self.fill(buckets, keys, masses, prefix: prefix, known: known, shift: shift)
            guard let bucket = crossing(buckets, target: target) else {
                // At first: all are needed. Later only rounding leads here, as sums in another order differ in their last
                // bits: what shares the prefix is needed whole.
                if known < 31 { threshold = Float(bitPattern: ((prefix + 1) << known) - 1) }
                return
            }
            prefix = prefix << bitCount | UInt32(bucket)
        }
        threshold = Float(bitPattern: prefix)
    }

    /// Sums the masses of the keys whose bits begin with `prefix`, which ends above the lowest `known` bits.
    private static func fill(
        _ buckets: UnsafeMutableBufferPointer<Double>, _ keys: UnsafeBufferPointer<Float>,
        _ masses: UnsafeBufferPointer<Float>?, prefix: UInt32, known: UInt32, shift: UInt32
    ) {
        let mask: UInt32 = (1 << (known - shift)) - 1
        for index in keys.indices {
            let bits = keys[index].bitPattern
            guard bits >> known == prefix else { continue }
            let mass = if let masses { Double(masses[index]) } else { 1.0 }
            buckets[Int(bits >> shift & mask)] += mass
        }
    }

    /// The first bucket with which the sum reaches the target; what comes before it is added to `massBelow`.
    private mutating func crossing(_ buckets: UnsafeMutableBufferPointer<Double>, target: Double) -> Int? {
        var sum = massBelow
        for bucket in buckets.indices where buckets[bucket] > 0 {
            let next = sum + buckets[bucket]
            if next >= target {
                massBelow = sum
                return bucket
            }
            sum = next
        }
        return nil
    }
}
