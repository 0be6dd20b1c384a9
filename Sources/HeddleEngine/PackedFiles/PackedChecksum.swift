/// Sums packed bytes up to 64 bits, at about the speed at which memory is read.
///
/// It finds damage, not malice: who may write into a cache's folder may write what he likes there. Eight lanes each add the words
/// that they meet and the product of the words' halves, keyed by the place, so that words which change places are noticed too.
package enum PackedChecksum {
    private static let prime: UInt64 = 0xd6e8_feb8_6659_fd93
    private static let stripeByteCount = 64

    package static func sum(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var lanes = SIMD8<UInt64>(repeating: 0)
        // Any numbers will do that have about as many ones as zeros.
        var key = SIMD8<UInt64>(
            0xb0be_a0cd_b2f5_5858, 0xd64f_8f1e_a08e_c899, 0x1929_30b0_76a7_560e, 0x9ea1_3ea3_94bf_6a05,
            0xc19f_598d_47aa_e758, 0x2106_0e17_75a0_c724, 0x0e93_5f7c_4d12_b2ca, 0xd971_abbe_1b57_553a)
        let step = SIMD8<UInt64>(repeating: prime)
        let low = SIMD8<UInt64>(repeating: 0xffff_ffff)
        var offset = 0
        while offset + stripeByteCount <= bytes.count {
            let words = bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
            let keyed = words ^ key
            lanes &+= words &+ (keyed & low) &* (keyed &>> 32)
            key &+= step
            offset += stripeByteCount
        }
        var sum = UInt64(bytes.count) &* prime
        for lane in 0..<8 { sum = mixed(sum ^ lanes[lane]) }
        while offset < bytes.count {
            sum = mixed(sum ^ UInt64(bytes[offset]))
            offset += 1
        }
        return sum
    }

    private static func mixed(_ word: UInt64) -> UInt64 {
        let product = (word ^ (word >> 32)) &* prime
        return product ^ (product >> 29)
    }
}
