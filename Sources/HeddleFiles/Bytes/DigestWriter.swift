import Crypto
import HeddleCore

/// Owns the one grammar by which Heddle names the content of several files: SHA-256 over, for each file in the order
/// given, the byte count of its name (8 bytes, little-endian), its name, the byte count of its content, its content.
///
/// The counts make the concatenation unambiguous: no two different lists of files hash the same bytes.
struct DigestWriter {
    private var hash = SHA256()

    mutating func add(name: String, content: MappedFile) {
        add(count: name.utf8.count)
        hash.update(data: Array(name.utf8))
        add(count: content.byteCount)
        content.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }

    func finish() -> HeddleCore.Digest {
        guard let digest = HeddleCore.Digest(Array(hash.finalize())) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return digest
    }

    private mutating func add(count: Int) {
        hash.update(data: (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) })
    }
}
