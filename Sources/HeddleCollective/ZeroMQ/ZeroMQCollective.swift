import Foundation
import HeddleCore
import HeddleTransport
import Synchronization

/// The collective of ranks on different hosts: a star of ZeroMQ sockets with rank 0 in its middle.
///
/// Rank 0 binds and the others connect. A sum's nodes go to rank 0, which adds them along the tree and sends the sum
/// back: two hops, the bits of the other collective. A connection that ends, or falls silent for a second, loses its
/// rank; rank 0 tells the others. The socket is guarded by a lock that a call holds while it waits; `abort` interrupts
/// the wait before it takes the lock.
public final class ZeroMQCollective: Collective, @unchecked Sendable {
    // Safety: everything mutable is touched with `lock` held; `interrupt`, `isAborted` and `ending` guard themselves.

    /// This rank, 0 ..< rankCount.
    public let rank: Int
    /// Ranks of the group, 1 ... 8.
    public let rankCount: Int
    /// The maxima that every rank of the group was opened with.
    public let limits: CollectiveLimits
    private let interrupt: StarSocket.Interrupt
    private let isAborted = Atomic<Bool>(false)
    private let lock = NSLock()
    private var star: StarSocket
    /// The star's peer of each rank; -1 for this rank. A spoke has one peer, rank 0.
    private let peers: [Int]
    /// Pieces that came before they were waited for, by rank.
    private var inboxes: [[(message: RankMessage, payload: [UInt8])]]
    /// Why the group ended. Apart from `lock`, which a call holds while it waits.
    private let ending = Mutex<CollectiveError?>(nil)
    private var sequence: UInt32 = 0
    private let sum: TreeSum
    private let tree: ReductionTree
    private let sources: UnsafeMutablePointer<UnsafePointer<Float>>

    /// A rank runs ahead of rank 0 by one gather at most, so more waiting pieces than its pieces are nobody's honest
    /// doing.
    private static let inboxCountMax = 1 << 16
    /// How long a send is tried before what has come is looked at.
    private static let sendSlice: Duration = .milliseconds(5)

    init(rank: Int, rankCount: Int, limits: CollectiveLimits, star: consuming StarSocket, peers: [Int]) {
        self.rank = rank
        self.rankCount = rankCount
        self.limits = limits
        self.peers = peers
        interrupt = star.interrupt
        self.star = star
        tree = ReductionTree(rankCount: rankCount)
        sum = TreeSum(tree)
        inboxes = Array(repeating: [], count: rankCount)
        sources = .allocate(capacity: ReductionTree.leafCount)
    }

    deinit {
        abort()
        sources.deallocate()
    }

    /// Why the group ended; nil while it works. A lost rank is noticed in the next call.
    public var failure: CollectiveError? {
        if isAborted.load(ordering: .acquiring) { return ended ?? .aborted }
        return nil
    }

    private var ended: CollectiveError? { ending.withLock { $0 } }

    /// Keeps the first reason; false when there is one already.
    private func note(_ error: CollectiveError) -> Bool {
        ending.withLock { ending in
            guard ending == nil else { return false }
            ending = error
            return true
        }
    }

    /// Ends every wait of every rank with `aborted`, at once and for good.
    public func abort() {
        isAborted.store(true, ordering: .releasing)
        interrupt.raise()
        lock.lock()
        defer { lock.unlock() }
        if ended == nil { end(.aborted, code: SharedSegment.abortedCode) }
    }

    // MARK: Calls

    /// Sums the eight leaves of the fixed tree; see `Collective`.
    public func reduceTree(nodes: Span<Float>, into sum: inout MutableSpan<Float>) throws(CollectiveError) {
        let own = tree.nodes(of: rank).count
        let count = sum.count
        precondition(
            nodes.count == own * count, "rank \(rank) sends \(own) nodes of \(count) floats, not \(nodes.count) floats")
        lock.lock()
        defer { lock.unlock() }
        try check()
        // Safety: a piece ends at `count`, in every node and in the sum.
        let failure: CollectiveError? = nodes.withUnsafeBufferPointer { nodes in
            sum.withUnsafeMutableBufferPointer { sum in
                guard let input = nodes.baseAddress, let output = sum.baseAddress else { return nil }
                return caught { () throws(CollectiveError) in try reduce(input, count: count, into: output) }
            }
        }
        if let failure { throw failure }
    }

    private func reduce(
        _ nodes: UnsafePointer<Float>, count: Int, into output: UnsafeMutablePointer<Float>
    ) throws(CollectiveError) {
        let pieceMax = limits.slotByteCount / MemoryLayout<Float>.stride / tree.nodeCountMax
        let ownCount = tree.nodes(of: rank).count
        var first = 0
        while first < count {
            let piece = min(pieceMax, count - first)
            sequence &+= 1
            if rank == 0 {
                for index in 0..<ownCount { sources[index] = nodes + index * count + first }
                try addOthers(piece: piece, elementCount: count, into: output + first)
                let bytes = UnsafeBufferPointer(start: output + first, count: piece)
                for other in 1..<max(1, rankCount) { try send(.reduce, count, bytes.span.bytes, to: other) }
            } else {
                var bytes: [Float] = []
                bytes.reserveCapacity(ownCount * piece)
                for index in 0..<ownCount {
                    bytes.append(contentsOf: UnsafeBufferPointer(start: nodes + index * count + first, count: piece))
                }
                try send(.reduce, count, bytes.span.bytes, to: 0)
                let byteCount = piece * MemoryLayout<Float>.stride
                let payload = try take(.reduce, count, from: 0, byteCount: byteCount, limit: limits.waitMax)
                copy(payload, to: output + first)
            }
            first += piece
        }
    }

    /// Rank 0: takes the others' nodes of one piece and adds everything.
    private func addOthers(piece: Int, elementCount: Int, into output: UnsafeMutablePointer<Float>)
        throws(CollectiveError)
    {
        let floats = UnsafeMutablePointer<Float>.allocate(capacity: max(1, tree.nodes.count * piece))
        defer { floats.deallocate() }
        var node = tree.nodes(of: 0).count
        for other in 1..<max(1, rankCount) {
            let nodeCount = tree.nodes(of: other).count
            let payload = try take(
                .reduce, elementCount, from: other, byteCount: nodeCount * piece * MemoryLayout<Float>.stride,
                limit: limits.waitMax)
            copy(payload, to: floats + node * piece)
            for index in 0..<nodeCount { sources[node + index] = UnsafePointer(floats + (node + index) * piece) }
            node += nodeCount
        }
        sum.add(nodes: sources, count: piece, into: output)
    }

    /// Safety: the caller compared the payload's size with the floats that lie there.
    private func copy(_ payload: [UInt8], to floats: UnsafeMutablePointer<Float>) {
        payload.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress {
                UnsafeMutableRawPointer(floats).copyMemory(from: source, byteCount: bytes.count)
            }
        }
    }

    /// Puts the ranks' column slices of a matrix side by side at rank 0; see `Collective`.
    public func gather(
        _ slice: Span<Float>, rowCount: Int, widths: [Int], into whole: inout MutableSpan<Float>
    ) throws(CollectiveError) {
        let shape = GatherShape(rowCount: rowCount, widths: widths, rank: rank, rankCount: rankCount)
        shape.check(sliceCount: slice.count, wholeCount: rank == 0 ? whole.count : nil)
        lock.lock()
        defer { lock.unlock() }
        if rank != 0 { try check() }
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
        let pieceMax = limits.slotByteCount / MemoryLayout<Float>.stride
        if rank == 0, let source = slice.baseAddress, let target = whole.baseAddress {
            shape.place(source, first: 0, count: slice.count, of: 0, into: target)
        }
        var first = 0
        while first < shape.sliceCountMax {
            sequence &+= 1
            if rank == 0 {
                for other in 1..<max(1, rankCount) {
                    let count = min(max(0, shape.sliceCount(of: other) - first), pieceMax)
                    let payload = try take(
                        .gather, shape.elementCount, from: other, byteCount: count * MemoryLayout<Float>.stride,
                        limit: limits.waitMax)
                    guard count > 0, let target = whole.baseAddress else { continue }
                    payload.withUnsafeBytes { bytes in
                        bytes.withMemoryRebound(to: Float.self) { floats in
                            guard let source = floats.baseAddress else { return }
                            shape.place(source, first: first, count: count, of: other, into: target)
                        }
                    }
                }
            } else {
                let count = min(max(0, slice.count - first), pieceMax)
                let piece = UnsafeBufferPointer(rebasing: slice[min(first, slice.count)...].prefix(count))
                try send(.gather, shape.elementCount, piece.span.bytes, to: 0)
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
        lock.lock()
        defer { lock.unlock() }
        try check()
        // Safety: a piece ends at the span's count.
        let failure: CollectiveError? = bytes.withUnsafeBufferPointer { bytes in
            caught { () throws(CollectiveError) in
                var first = 0
                repeat {
                    sequence &+= 1
                    let piece = UnsafeBufferPointer(rebasing: bytes[first...].prefix(limits.slotByteCount))
                    for other in 1..<max(1, rankCount) {
                        try send(.broadcast, bytes.count, piece.span.bytes, to: other)
                    }
                    first += piece.count
                } while first < bytes.count
            }
        }
        if let failure { throw failure }
    }

    /// Waits for the next broadcast of rank 0; see `Collective`.
    public func receive(timeout: Duration?) throws(CollectiveError) -> [UInt8] {
        precondition(rank != 0, "rank 0 broadcasts; only other ranks receive")
        lock.lock()
        defer { lock.unlock() }
        var bytes: [UInt8] = []
        var total: UInt64?
        repeat {
            sequence &+= 1
            let piece = try next(from: 0, in: .broadcast, limit: total == nil ? timeout : limits.waitMax)
            let message = piece.message
            let left = Int(clamping: message.elementCount) - bytes.count
            guard message.operation == Operation.broadcast.rawValue, message.sequence == sequence,
                message.elementCount <= UInt64(limits.broadcastByteCountMax),
                total ?? message.elementCount == message.elementCount,
                piece.payload.count == min(left, limits.slotByteCount)
            else { throw disagreement(0, expected: Operation.broadcast.description, message) }
            total = message.elementCount
            bytes += piece.payload
        } while UInt64(bytes.count) < total ?? 0
        return bytes
    }

    // MARK: Pieces

    private func send(
        _ operation: Operation, _ elementCount: Int, _ bytes: RawSpan, to other: Int
    ) throws(CollectiveError) {
        var message = RankMessage(.piece)
        message.operation = operation.rawValue
        message.sequence = sequence
        message.elementCount = UInt64(elementCount)
        let began = monotonicNanoseconds()
        while true {
            do throws(TransportError) {
                return try star.send(message.bytes, bytes, to: peers[other], timeout: Self.sendSlice)
            } catch {
                // Perhaps the other side takes nothing because it has left: it may have said why.
                while try accept(try arrival(timeout: .zero)) {}
                guard case .timedOut = error else { throw lose(other) }
                guard monotonicNanoseconds() &- began < limits.waitMax.wholeNanoseconds else {
                    throw timedOut(operation, other, limits.waitMax)
                }
            }
        }
    }

    /// The next piece of a call from a rank, which must have this size.
    private func take(
        _ operation: Operation, _ elementCount: Int, from other: Int, byteCount: Int, limit: Duration?
    ) throws(CollectiveError) -> [UInt8] {
        let (message, payload) = try next(from: other, in: operation, limit: limit)
        guard message.operation == operation.rawValue, message.sequence == sequence,
            message.elementCount == UInt64(elementCount), payload.count == byteCount
        else {
            throw disagreement(
                other, expected: Operation.describe(operation.rawValue, elementCount: UInt64(elementCount)), message)
        }
        return payload
    }

    private func disagreement(_ other: Int, expected: String, _ message: RankMessage) -> CollectiveError {
        end(
            .disagreement(
                rank: other, expected: expected,
                found: Operation.describe(message.operation, elementCount: message.elementCount)),
            code: SharedSegment.abortedCode)
    }

    private func next(
        from other: Int, in operation: Operation, limit: Duration?
    ) throws(CollectiveError) -> (message: RankMessage, payload: [UInt8]) {
        let began = monotonicNanoseconds()
        while inboxes[other].isEmpty {
            try check()
            var left: Duration?
            if let limit {
                let passed = monotonicNanoseconds() &- began
                left = .nanoseconds(
                    Int64(clamping: limit.wholeNanoseconds > passed ? limit.wholeNanoseconds - passed : 0))
            }
            if try !accept(try arrival(timeout: left)) { throw timedOut(operation, other, limit ?? .zero) }
        }
        return inboxes[other].removeFirst()
    }

    private func arrival(timeout: Duration?) throws(CollectiveError) -> StarSocket.Arrival {
        do throws(TransportError) {
            return try star.receive(timeout: timeout)
        } catch {
            throw end(.transport(error), code: SharedSegment.abortedCode)
        }
    }

    /// False where nothing came.
    private func accept(_ arrival: StarSocket.Arrival) throws(CollectiveError) -> Bool {
        switch arrival {
        case .message(let peer, let frames): try accept(frames, from: peer)
        case .gone(let peer): if let lost = peers.firstIndex(of: peer) { throw lose(lost) }
        case .interrupted: throw end(.aborted, code: SharedSegment.abortedCode)
        case .timedOut: return false
        }
        return true
    }

    private func accept(_ frames: [[UInt8]], from peer: Int) throws(CollectiveError) {
        // Who is no rank may have missed the epoch, or be nobody; either way it is not listened to.
        guard let other = peers.firstIndex(of: peer), let header = frames.first, let message = RankMessage(header)
        else {
            return
        }
        switch message.kind {
        case .piece:
            guard inboxes[other].count < Self.inboxCountMax else { throw lose(other) }
            inboxes[other].append((message, frames.count > 1 ? frames[1] : []))
        case .ended:
            let lost = Int(clamping: message.elementCount) - Int(SharedSegment.lostCode)
            if (0..<rankCount).contains(lost) { throw lose(lost) }
            throw end(.aborted, code: SharedSegment.abortedCode)
        case .hello, .welcome, .refuse: break
        }
    }

    // MARK: The end

    private func check() throws(CollectiveError) {
        if let ended { throw ended }
        if isAborted.load(ordering: .acquiring) { throw end(.aborted, code: SharedSegment.abortedCode) }
    }

    private func timedOut(_ operation: Operation, _ other: Int, _ limit: Duration) -> CollectiveError {
        end(
            .timedOut(operation: operation.description, rank: other, after: limit), code: SharedSegment.abortedCode)
    }

    private func lose(_ other: Int) -> CollectiveError {
        end(.rankLost(other), code: SharedSegment.lostCode + UInt32(other))
    }

    /// Notes why the group ended and tells whoever can be told; the first reason stays.
    @discardableResult
    private func end(_ error: CollectiveError, code: UInt32) -> CollectiveError {
        guard note(error) else { return ended ?? error }
        isAborted.store(true, ordering: .releasing)
        var message = RankMessage(.ended)
        message.elementCount = UInt64(code)
        for other in rank == 0 ? Array(1..<max(1, rankCount)) : [0] {
            try? star.send(message.bytes, RawSpan(), to: peers[other], timeout: .zero)
        }
        return error
    }
}

extension CollectiveError {
    static func transport(_ error: TransportError) -> CollectiveError {
        if case .systemError(let call, let code, let text) = error {
            return .system(call: call, code: code, reason: text)
        }
        return .system(call: "the collective's socket", code: 0, reason: error.description)
    }
}
