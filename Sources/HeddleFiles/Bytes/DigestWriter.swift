import Crypto
import HeddleCore

/// Owns the one grammar by which Heddle names the content of several files: SHA-256 over, for each file in the order
/// given, the byte count of its name (8 bytes, little-endian), its name, the byte count of its content, its content.
///
/// The counts make the concatenation unambiguous: no two different lists of files hash the same bytes.
struct DigestWriter {
    private var hash = SHA256()
    /// What of a file is mapped at a time.
    private static let partByteCount = 32 << 20

    /// - Parameter onBytes: hears of every part that was read, with its byte count.
    mutating func add(name: String, content: MappedFile, onBytes: (Int) -> Void = { _ in }) {
        add(count: name.utf8.count)
        hash.update(data: Array(name.utf8))
        add(count: content.byteCount)
        for first in stride(from: 0, to: content.byteCount, by: Self.partByteCount) {
            let part = first..<min(content.byteCount, first + Self.partByteCount)
            content.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[part])) }
            content.forget(part)
            onBytes(part.count)
        }
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

extension HeddleCore.Digest {
    /// SHA-256 of a text's UTF-8.
    package init(hashing text: String) {
        guard let digest = HeddleCore.Digest(Array(SHA256.hash(data: Array(text.utf8)))) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        self = digest
    }
}
