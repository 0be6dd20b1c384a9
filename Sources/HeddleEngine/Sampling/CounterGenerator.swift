/// A counter-based random generator: what it draws is a function of key and counter, and of nothing drawn before.
///
/// Philox4x32-10 of J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC'11).
public struct CounterGenerator: Sendable {
    /// What tells one stream of draws from another: the request's seed.
    public let key: UInt64

    /// The stream of a key.
    public init(key: UInt64) { self.key = key }

    /// The four words of a counter of four words.
    public func words(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var (key0, key1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
        var state = counter
        for round in 0..<10 {
            if round > 0 {
                key0 &+= 0x9E37_79B9
                key1 &+= 0xBB67_AE85
            }
            let low = UInt64(state[0]) * 0xD251_1F53
            let high = UInt64(state[2]) * 0xCD9E_8D57
            state = SIMD4(
                UInt32(truncatingIfNeeded: high >> 32) ^ state[1] ^ key0, UInt32(truncatingIfNeeded: high),
                UInt32(truncatingIfNeeded: low >> 32) ^ state[3] ^ key1, UInt32(truncatingIfNeeded: low))
        }
        return state
    }

    /// A number from 0 up to, without, 1, with 53 random bits, for one position of one choice.
    public func uniform(choice: Int, position: Int) -> Double {
        let at = UInt64(position)
        let drawn = words(
            SIMD4(
                UInt32(truncatingIfNeeded: at), UInt32(truncatingIfNeeded: at >> 32),
                UInt32(truncatingIfNeeded: choice), UInt32(truncatingIfNeeded: choice >> 32)))
        let bits = UInt64(drawn[0]) << 32 | UInt64(drawn[1])
        return Double(bits >> 11) * 0x1p-53
    }
}
