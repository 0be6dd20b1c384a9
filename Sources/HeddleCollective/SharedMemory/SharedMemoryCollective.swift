import CHeddleLinux
import Glibc
import HeddleCore
import Synchronization

/// The collective of ranks on one host: every rank publishes into its own slots and reads the others'.
///
/// A call is one generation (a long one several, a piece each). A rank writes its slot, publishes the generation, and
/// waits until the others have published it too. Two slots a rank are enough without a second barrier: a rank writes
/// slot `generation % 2` only when all others have published the last generation, and who has published it is done with
/// the one before, which used the same slot.
///
/// A waiting thread spins for `limits.spinMax` where every rank has a core, then sleeps on a futex: an idle group uses
/// no processor time. `PeerWatch` notices a process that ends and ends the group.
public final class SharedMemoryCollective: Collective, @unchecked Sendable {
    // Safety: one thread at a time makes calls (the protocol's rule), so `generation` and the scratch memory have one
    // user; `abort` touches only the segment's atomics.

    /// This rank, 0 ..< rankCount.
    public let rank: Int
    /// Ranks of the group, 1 ... 8.
    public let rankCount: Int
    /// The maxima that every rank of the group was opened with.
    public let limits: CollectiveLimits
    private let segment: SharedSegment
    private let watch: PeerWatch?
    private let sum: TreeSum
    private let ownNodes: Range<Int>
    private let firstNodes: [Int]
    private let nodeCountMax: Int
    /// Where `sum` finds the nodes of the tree.
    private let sources: UnsafeMutablePointer<UnsafePointer<Float>>
    private let spinNanoseconds: UInt64
    /// The last generation that this rank published; wraps around.
    private var generation: UInt32 = 0
    /// Until every rank has published this generation, the slot of the next may still be read.
    private var floor: UInt32 = 0

    init(rank: Int, segment: SharedSegment, limits: CollectiveLimits, coreCount: Int, watch: PeerWatch?) {
        self.rank = rank
        self.segment = segment
        self.watch = watch
        self.limits = limits
        rankCount = segment.rankCount
        let tree = ReductionTree(rankCount: segment.rankCount)
        sum = TreeSum(tree)
        firstNodes = tree.firstNodes
        ownNodes = tree.firstNodes[rank]..<tree.firstNodes[rank + 1]
        nodeCountMax = tree.nodeCountMax
        sources = .allocate(capacity: ReductionTree.leafCount)
        spinNanoseconds = segment.rankCount <= coreCount ? limits.spinMax.wholeNanoseconds : 0
    }

    deinit {
        // A rank that leaves can never be waited for again.
        segment.end(SharedSegment.abortedCode)
        sources.deallocate()
    }

    /// A collective for ranks that are threads of this process, one object for each.
    ///
    /// - Parameter coreCount: cores that the ranks may use; waits spin only where there is one for every rank.
    public static func threads(
        rankCount: Int, limits: CollectiveLimits = CollectiveLimits(), coreCount: Int = onlineCoreCount
    ) throws(CollectiveError) -> [SharedMemoryCollective] {
        limits.check()
        _ = ReductionTree(rankCount: rankCount)
        let segment = try SharedSegment(rankCount: rankCount, slotByteCount: limits.slotByteCount)
        return (0..<rankCount).map { rank in
            SharedMemoryCollective(rank: rank, segment: segment, limits: limits, coreCount: coreCount, watch: nil)
        }
    }

    /// Cores of this machine that are switched on.
    public static var onlineCoreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Why the group ended; nil while it works. A lost process is seen here at once, also between calls.
    public var failure: CollectiveError? { segment.error }

    /// Ends every wait of every rank with `aborted`, at once and for good.
    public func abort() { segment.end(SharedSegment.abortedCode) }

    // MARK: Calls

    /// Sums the eight leaves of the fixed tree; see `Collective`.
    public func reduceTree(nodes: Span<Float>, into sum: inout MutableSpan<Float>) throws(CollectiveError) {
        let count = sum.count
        precondition(
            nodes.count == ownNodes.count * count,
            "rank \(rank) sends \(ownNodes.count) nodes of \(count) floats, not \(nodes.count) floats")
        // Safety: both pointers stay inside their spans: a piece ends at `count`.
        let failure: CollectiveError? = nodes.withUnsafeBufferPointer { nodes in
            sum.withUnsafeMutableBufferPointer { sum in
                guard let input = nodes.baseAddress, let output = sum.baseAddress else { return nil }
                return caught { () throws(CollectiveError) in
                    try reduce(input, count: count, into: output)
                }
            }
        }
        if let failure { throw failure }
    }

    private func reduce(
        _ nodes: UnsafePointer<Float>, count: Int, into output: UnsafeMutablePointer<Float>
    ) throws(CollectiveError) {
        let pieceMax = limits.slotByteCount / MemoryLayout<Float>.stride / nodeCountMax
        var first = 0
        while first < count {
            let piece = min(pieceMax, count - first)
            let slot = try begin(.reduce, elementCount: count)
            let payload = segment.payload(rank, slot: slot).assumingMemoryBound(to: Float.self)
            for (index, node) in ownNodes.enumerated() {
                (payload + index * piece).update(from: nodes + index * count + first, count: piece)
                sources[node] = UnsafePointer(payload + index * piece)
            }
            publish()
            for other in 0..<rankCount where other != rank {
                try wait(for: other, in: .reduce)
                try compare(other, slot: slot, .reduce, elementCount: count)
                let payload = segment.payload(other, slot: slot).assumingMemoryBound(to: Float.self)
                for node in firstNodes[other]..<firstNodes[other + 1] {
                    sources[node] = UnsafePointer(payload + (node - firstNodes[other]) * piece)
                }
            }
            floor = generation
            sum.add(nodes: sources, count: piece, into: output + first)
            first += piece
        }
    }

    /// Puts the ranks' column slices of a matrix side by side at rank 0; see `Collective`.
    public func gather(
        _ slice: Span<Float>, rowCount: Int, widths: [Int], into whole: inout MutableSpan<Float>
    ) throws(CollectiveError) {
        let shape = GatherShape(rowCount: rowCount, widths: widths, rank: rank, rankCount: rankCount)
        shape.check(sliceCount: slice.count, wholeCount: rank == 0 ? whole.count : nil)
        // Safety: `shape.check` compared the counts of both buffers with every index that follows.
        let failure: CollectiveError? = slice.withUnsafeBufferPointer { slice in
            whole.withUnsafeMutableBufferPointer { whole in
                caught { () throws(CollectiveError) in try gather(slice, shape, into: whole) }
            }
        }
        if let failure { throw failure }
    }

    private func gather(
        _ slice: UnsafeBufferPointer<Float>, _ shape: GatherShape, into whole: UnsafeMutableBufferPointer<Float>
    ) throws(CollectiveError) {
        let elementCount = shape.elementCount
        let pieceMax = limits.slotByteCount / MemoryLayout<Float>.stride
        if rank == 0, let source = slice.baseAddress, let target = whole.baseAddress {
            shape.place(source, first: 0, count: slice.count, of: 0, into: target)
        }
        var first = 0
        // Every rank takes part in as many pieces as the longest slice has.
        while first < shape.sliceCountMax {
            let slot = try begin(.gather, elementCount: elementCount)
            let own = min(max(0, slice.count - first), pieceMax)
            if rank != 0, own > 0, let source = slice.baseAddress {
                segment.payload(rank, slot: slot).assumingMemoryBound(to: Float.self).update(
                    from: source + first, count: own)
            }
            publish()
            if rank == 0 {
                for other in 1..<max(1, rankCount) {
                    try wait(for: other, in: .gather)
                    try compare(other, slot: slot, .gather, elementCount: elementCount)
                    let count = min(max(0, shape.sliceCount(of: other) - first), pieceMax)
                    guard count > 0, let target = whole.baseAddress else { continue }
                    let payload = segment.payload(other, slot: slot).assumingMemoryBound(to: Float.self)
                    shape.place(UnsafePointer(payload), first: first, count: count, of: other, into: target)
                }
                floor = generation
            }
            first += pieceMax
        }
    }

    /// Sends bytes from rank 0 to every other rank; see `Collective`.
    public func broadcast(_ bytes: Span<UInt8>) throws(CollectiveError) {
        precondition(rank == 0, "rank \(rank) receives; only rank 0 broadcasts")
        guard bytes.count <= limits.broadcastByteCountMax else {
            throw .broadcastTooLarge(byteCount: bytes.count, byteCountMax: limits.broadcastByteCountMax)
        }
        // Safety: a piece ends at the span's count.
        let failure: CollectiveError? = bytes.withUnsafeBufferPointer { bytes in
            caught { () throws(CollectiveError) in
                var first = 0
                repeat {
                    let slot = try begin(.broadcast, elementCount: bytes.count)
                    let count = min(limits.slotByteCount, bytes.count - first)
                    if count > 0, let source = bytes.baseAddress {
                        segment.payload(0, slot: slot).copyMemory(from: source + first, byteCount: count)
                    }
                    publish()
                    first += count
                } while first < bytes.count
            }
        }
        if let failure { throw failure }
    }

    /// Waits for the next broadcast of rank 0; see `Collective`.
    public func receive(timeout: Duration?) throws(CollectiveError) -> [UInt8] {
        precondition(rank != 0, "rank 0 broadcasts; only other ranks receive")
        var bytes: [UInt8] = []
        var total: Int?
        repeat {
            let slot = Int((generation &+ 1) % 2)
            try wait(
                for: 0, generation: generation &+ 1, in: .broadcast,
                limit: total == nil ? timeout : limits.waitMax)
            try begin(.broadcast)
            let found = segment.announcement(0, slot: slot)
            guard found.operation == Operation.broadcast.rawValue,
                found.elementCount <= UInt64(limits.broadcastByteCountMax),
                total ?? Int(found.elementCount) == found.elementCount
            else {
                abort()
                throw .disagreement(
                    rank: 0, expected: Operation.broadcast.description,
                    found: Operation.describe(found.operation, elementCount: found.elementCount))
            }
            let count = min(limits.slotByteCount, Int(found.elementCount) - bytes.count)
            total = Int(found.elementCount)
            bytes.append(
                contentsOf: UnsafeRawBufferPointer(start: segment.payload(0, slot: slot), count: count))
            segment.announce(
                SharedSegment.Announcement(operation: found.operation, elementCount: found.elementCount), rank: rank,
                slot: slot)
            publish()
        } while bytes.count < total ?? 0
        return bytes
    }

    // MARK: Generations

    /// Waits until this rank's slot of the next generation is free, and announces the call in it.
    ///
    /// Who only takes what the others have published already does not look whether they are still there: a rank may
    /// leave right after its last word, and that word counts.
    private func begin(_ operation: Operation, elementCount: Int) throws(CollectiveError) -> Int {
        if operation != .gather || rank != 0, let error = segment.error { throw error }
        try begin(operation)
        let slot = Int((generation &+ 1) % 2)
        segment.announce(
            SharedSegment.Announcement(operation: operation.rawValue, elementCount: UInt64(elementCount)), rank: rank,
            slot: slot)
        return slot
    }

    private func begin(_ operation: Operation) throws(CollectiveError) {
        if floor == generation { return }
        for other in 0..<rankCount where other != rank {
            try wait(for: other, generation: generation, in: operation, limit: limits.waitMax)
        }
        floor = generation
    }

    private func publish() {
        generation &+= 1
        // One total order over this store, the sleepers' count and the sleepers' last look at the word: either the
        // sleeper sees the new word, or this rank sees the sleeper.
        segment.published(rank).pointee.wrappingAdd(2, ordering: .sequentiallyConsistent)
        if segment.sleepers(rank).pointee.load(ordering: .sequentiallyConsistent) != 0 {
            segment.wake(segment.published(rank))
        }
    }

    private func compare(
        _ other: Int, slot: Int, _ operation: Operation, elementCount: Int
    ) throws(CollectiveError) {
        let found = segment.announcement(other, slot: slot)
        if found.operation == operation.rawValue, found.elementCount == UInt64(elementCount) { return }
        abort()
        throw .disagreement(
            rank: other, expected: Operation.describe(operation.rawValue, elementCount: UInt64(elementCount)),
            found: Operation.describe(found.operation, elementCount: found.elementCount))
    }

    private func wait(for other: Int, in operation: Operation) throws(CollectiveError) {
        try wait(for: other, generation: generation, in: operation, limit: limits.waitMax)
    }

    /// Waits until a rank has published a generation.
    private func wait(
        for other: Int, generation wanted: UInt32, in operation: Operation, limit: Duration?
    ) throws(CollectiveError) {
        let word = segment.published(other)
        func hasCome(_ value: UInt32) -> Bool { Int32(bitPattern: (value & ~1) &- (wanted &* 2)) >= 0 }
        func isOver(_ value: UInt32) -> Bool { value & 1 != 0 }

        var value = word.pointee.load(ordering: .acquiring)
        if hasCome(value) { return }
        let start = monotonicNanoseconds()
        if spinNanoseconds > 0 {
            var now = start
            while now &- start < spinNanoseconds {
                for _ in 0..<32 {
                    heddle_spin_pause()
                    value = word.pointee.load(ordering: .acquiring)
                    if hasCome(value) { return }
                    if isOver(value) { throw segment.error ?? .aborted }
                }
                now = monotonicNanoseconds()
            }
        }
        let sleepers = segment.sleepers(other)
        sleepers.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        defer { sleepers.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
        while true {
            value = word.pointee.load(ordering: .sequentiallyConsistent)
            if hasCome(value) { return }
            if isOver(value) { throw segment.error ?? .aborted }
            var left: Int64?
            if let limit {
                let passed = monotonicNanoseconds() &- start
                guard passed < limit.wholeNanoseconds else {
                    abort()
                    throw .timedOut(operation: operation.description, rank: other, after: limit)
                }
                left = Int64(clamping: limit.wholeNanoseconds - passed)
            }
            segment.sleep(on: word, while: value, limitNanoseconds: left)
        }
    }
}

/// Turns a typed throw into a value, so that it can leave closures that rethrow untyped.
func caught(_ body: () throws(CollectiveError) -> Void) -> CollectiveError? {
    do throws(CollectiveError) {
        try body()
        return nil
    } catch {
        return error
    }
}
