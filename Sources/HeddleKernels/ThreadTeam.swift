import CHeddleKernels

/// Owns the persistent threads that share the outputs of a kernel call. A team of one costs nothing.
///
/// One thread at a time may call kernels with a team. Between calls its threads spin for `spinMicroseconds`, then sleep.
public final class ThreadTeam {
    let handle: OpaquePointer?
    /// The caller's thread and the team's own.
    public let threadCount: Int

    /// The most threads of a team.
    public static let threadCountMax = 256

    /// Starts `threadCount - 1` threads; nil when the system refuses one.
    public init?(threadCount: Int, spinMicroseconds: Int = 50) {
        precondition(
            (1...Self.threadCountMax).contains(threadCount),
            "a team has 1 to \(Self.threadCountMax) threads, not \(threadCount)")
        precondition((0...1_000_000).contains(spinMicroseconds), "a spin lasts up to a second")
        self.threadCount = threadCount
        if threadCount == 1 {
            handle = nil
        } else {
            guard let team = heddle_team_create(Int32(threadCount), Int32(spinMicroseconds)) else { return nil }
            handle = team
        }
    }

    /// The team that is only the caller.
    public static func alone() -> ThreadTeam { ThreadTeam() }

    private init() {
        handle = nil
        threadCount = 1
    }

    deinit {
        if let handle { heddle_team_destroy(handle) }
    }

    /// Reads memory once with all threads, as the bandwidth roof to compare a kernel with; returns the words' exclusive or.
    public func readProbe(_ memory: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = memory.baseAddress else { return 0 }
        precondition(UInt(bitPattern: base) % 64 == 0, "the probe reads whole cache lines")
        return heddle_read_probe(handle, base, Int64(memory.count))
    }

    /// Multiplies and adds in registers alone with all threads, by the instructions that products of a format use: the
    /// arithmetic roof. Returns the operations done (a multiplication and an addition are two).
    public func arithmeticProbe(_ format: PackedFormat, rounds: Int) -> Int {
        Int(heddle_arithmetic_probe(handle, format.code, Int64(rounds)))
    }
}
