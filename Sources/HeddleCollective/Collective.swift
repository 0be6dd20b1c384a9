import HeddleCore

/// What the ranks of one group do together inside a step: sum partial products, gather logits, hand out the plan.
///
/// All ranks of an epoch make the same calls in the same order with the same shapes; a rank that does not is named in
/// `CollectiveError.disagreement`. One thread at a time uses a collective; only `abort` may come from any thread. The
/// first error of a call ends the collective for every rank: a group that goes on forms again under a higher epoch.
///
/// Two ship: `SharedMemoryCollective` for ranks on one host (processes, or threads of one process), and
/// `ZeroMQCollective` for ranks on different hosts. Both sum along `ReductionTree`, so they give the same bits.
public protocol Collective: AnyObject, Sendable {
    /// This rank, 0 ..< rankCount. Rank 0 plans and samples.
    var rank: Int { get }
    /// Ranks of the group, 1 ... 8.
    var rankCount: Int { get }
    /// The maxima that every rank of the group was opened with.
    var limits: CollectiveLimits { get }

    /// Sums the eight leaves of the fixed tree, of which this rank holds some, and gives every rank the same bits.
    ///
    /// - Parameters:
    ///   - nodes: the values of `ReductionTree(rankCount:).nodes(of: rank)`, one after the other: node count ×
    ///   `sum.count`.
    ///   - sum: overwritten with the root of the tree. It may not overlap `nodes`.
    func reduceTree(nodes: Span<Float>, into sum: inout MutableSpan<Float>) throws(CollectiveError)

    /// Puts the ranks' column slices of a matrix side by side at rank 0.
    ///
    /// - Parameters:
    ///   - slice: this rank's columns of every row: `rowCount × widths[rank]`, rows one after the other.
    ///   - rowCount: rows of the matrix; the same on every rank.
    ///   - widths: columns that each rank holds, in rank order; the same on every rank.
    ///   - whole: at rank 0 `rowCount × sum of widths`, overwritten; elsewhere not touched, and it may be empty.
    func gather(
        _ slice: Span<Float>, rowCount: Int, widths: [Int], into whole: inout MutableSpan<Float>
    ) throws(CollectiveError)

    /// Sends bytes from rank 0 to every other rank; only rank 0 may call it.
    func broadcast(_ bytes: Span<UInt8>) throws(CollectiveError)

    /// Waits for the next broadcast of rank 0; only the other ranks may call it.
    ///
    /// - Parameter timeout: nil waits until bytes come, the group is aborted or a rank is lost: a group without work is
    ///   idle for hours.
    func receive(timeout: Duration?) throws(CollectiveError) -> [UInt8]

    /// Why the group ended; nil while it works. From any thread. Ranks that share memory see a lost process here at
    /// once, ranks on different hosts in their next call.
    var failure: CollectiveError? { get }

    /// Ends every wait of every rank with `aborted`, at once and for good. From any thread, any number of times.
    func abort()
}

extension Collective {
    /// Sends bytes from rank 0 to every other rank; only rank 0 may call it.
    public func broadcast(_ bytes: [UInt8]) throws(CollectiveError) { try broadcast(bytes.span) }

    /// Waits for the next broadcast of rank 0, without a limit in time.
    public func receive() throws(CollectiveError) -> [UInt8] { try receive(timeout: nil) }

    /// The tree that this group sums along.
    public var tree: ReductionTree { ReductionTree(rankCount: rankCount) }
}

/// Every maximum of a collective, with its unit in the name. All ranks of a group open it with the same ones.
public struct CollectiveLimits: Hashable, Sendable {
    /// Bytes that a rank publishes at once; longer vectors go in pieces of this size. Two such slots a rank are mapped.
    public var slotByteCount = 256 << 10
    /// The longest message that `broadcast` sends.
    public var broadcastByteCountMax = 8 << 20
    /// How long a rank waits for the others inside a step before it gives the group up.
    public var waitMax: Duration = .seconds(30)
    /// How long a rank waits for the others to open the collective.
    public var openMax: Duration = .seconds(30)
    /// How long a waiting thread spins before it sleeps, where there is a core for every rank.
    public var spinMax: Duration = .microseconds(100)

    /// The defaults.
    public init() {}

    /// The smallest and largest slot: one page, and 64 MiB.
    public static let slotByteCounts = 4096...(64 << 20)
    /// The largest `broadcastByteCountMax`.
    public static let broadcastByteCounts = 1...(256 << 20)

    func check() {
        precondition(
            Self.slotByteCounts.contains(slotByteCount) && slotByteCount % 64 == 0,
            "a slot has \(Self.slotByteCounts) bytes, a multiple of 64, not \(slotByteCount)")
        precondition(
            Self.broadcastByteCounts.contains(broadcastByteCountMax),
            "a broadcast has at most \(Self.broadcastByteCounts.upperBound) bytes, not \(broadcastByteCountMax)")
        precondition(waitMax > .zero && openMax > .zero && spinMax >= .zero, "a wait is longer than nothing")
    }
}
