/// Converts 16-bit floats to 32 bits, exactly: every value of either format is also a `Float`.
public enum FloatConversion {
    /// IEEE binary16 to `Float`: subnormals exact, infinities and NaNs kept.
    ///
    /// Integer arithmetic only, so that a thread that flushes subnormals to zero gets the same bits.
    @inlinable
    public static func float(half bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let magnitude = UInt32(bits & 0x7FFF)
        // A subnormal counts units of 2^-24; the product is exact and normal.
        let subnormal = (Float(magnitude) * 0x1p-24).bitPattern
        let normal = (magnitude << 13) &+ (112 << 23)
        let special = (magnitude << 13) | 0x7F80_0000
        let unsigned = magnitude < 0x0400 ? subnormal : (magnitude < 0x7C00 ? normal : special)
        return Float(bitPattern: sign | unsigned)
    }

    /// bfloat16 to `Float`: the upper half of its bits.
    @inlinable
    public static func float(brain bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
