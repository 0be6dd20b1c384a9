/// Bytes that grow by little-endian numbers.
struct LittleEndianWriter {
    var bytes: [UInt8] = []

    mutating func append(_ more: [UInt8]) { bytes += more }

    mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    mutating func pad(to count: Int) {
        precondition(bytes.count <= count, "\(bytes.count) bytes are already more than \(count)")
        bytes += [UInt8](repeating: 0, count: count - bytes.count)
    }

    /// Puts a checksum over all bytes into the eight that begin at `place`, which are zero until then.
    mutating func seal(at place: Int) {
        let sum = bytes.withUnsafeBytes { PackedChecksum.sum(of: $0) }
        for byte in 0..<8 { bytes[place + byte] = UInt8(truncatingIfNeeded: sum >> (8 * byte)) }
    }
}
