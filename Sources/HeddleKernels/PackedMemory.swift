import Glibc

/// Owns the bytes behind packed weights: anonymous memory that is filled once, or a mapping of a packed file.
public final class PackedMemory: @unchecked Sendable {
    // Safety: the bytes are written only while packing, before the owner is shared; afterwards everybody only reads.

    /// All bytes, the slack that kernels may read behind the last weight included.
    public let bytes: UnsafeRawBufferPointer
    private let release: (UnsafeRawBufferPointer) -> Void

    /// Bytes behind the last weight that a kernel may read and ignore.
    public static let slackByteCount = 64

    /// Adopts bytes that live until `release` is called with them.
    public init(adopting bytes: UnsafeRawBufferPointer, release: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) {
        self.bytes = bytes
        self.release = release
    }

    /// Allocates zeroed bytes and the slack behind them, and fills them. Large memory asks for huge pages, which weights
    /// that are read from end to end thank for. Returns nil when the system has no memory left.
    public init?(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        precondition(byteCount >= 0, "a count of bytes is not negative")
        let total = byteCount + Self.slackByteCount
        guard
            let base = mmap(nil, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
        else { return nil }
        if total >= 4 << 20 { madvise(base, total, MADV_HUGEPAGE) }
        let memory = UnsafeMutableRawBufferPointer(start: base, count: total)
        do {
            try fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount]))
        } catch {
            munmap(base, total)
            throw error
        }
        bytes = UnsafeRawBufferPointer(memory)
        release = { munmap(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count) }
    }

    deinit { release(bytes) }
}
