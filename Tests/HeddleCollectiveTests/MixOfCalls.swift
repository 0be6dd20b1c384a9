import Foundation
import HeddleCollective
import Synchronization
import Testing

/// Plans, sums and gathers in turn, in sizes around the pieces' edges, so often that generations reuse every slot.
func checkMixOfCalls(_ collectives: [any Collective], roundCount: Int = 40) throws {
    let rankCount = collectives.count
    let widths = (0..<rankCount).map { 3 + 5 * $0 % 7 }
    let outcomes = try onEveryRank(collectives) { collective -> [String] in
        var complaints: [String] = []
        for round in 1...roundCount {
            // The plan: a number of floats, padded past a slot now and then.
            let count = [1, 15, 1024, 1025, 3000][round % 5]
            let plan = [UInt8](repeating: UInt8(round), count: [0, 1, 4096, 9000][round % 4])
            if collective.rank == 0 {
                try collective.broadcast(plan)
            } else if try collective.receive() != plan {
                complaints.append("round \(round): another plan")
            }
            // Leaf l of element i is i + l + round: small whole numbers, so that every order has the same sum.
            let nodes = collective.tree.nodes(of: collective.rank).flatMap { node in
                (0..<count).map { element in node.leaves.reduce(Float(0)) { $0 + Float(element + $1 + round) } }
            }
            var sums = [Float](repeating: -1, count: count)
            var span = sums.mutableSpan
            try collective.reduceTree(nodes: nodes.span, into: &span)
            if sums != (0..<count).map({ Float(8 * ($0 + round) + 28) }) { complaints.append("round \(round): sum") }

            let rowCount = round % 3 == 0 ? 200 : round % 3
            let rank = collective.rank
            let slice = (0..<rowCount).flatMap { row in
                (0..<widths[rank]).map { Float(row * 1000 + rank * 100 + $0 + round) }
            }
            var whole = [Float](repeating: -1, count: rank == 0 ? rowCount * widths.reduce(0, +) : 0)
            var wholeSpan = whole.mutableSpan
            try collective.gather(slice.span, rowCount: rowCount, widths: widths, into: &wholeSpan)
            let expected = (0..<rowCount).flatMap { row in
                widths.enumerated().flatMap { rank, width in
                    (0..<width).map { Float(row * 1000 + rank * 100 + $0 + round) }
                }
            }
            if rank == 0, whole != expected { complaints.append("round \(round): gathered") }
        }
        return complaints
    }
    #expect(outcomes.flatMap { $0 } == [])
}

/// Results of ranks that are made at the same time on different threads.
final class Slots: Sendable {
    private let results: Mutex<[Result<any Collective, any Error>?]>
    init(_ count: Int) { results = Mutex(Array(repeating: nil, count: count)) }

    subscript(rank: Int) -> Result<any Collective, any Error> {
        get { results.withLock { $0[rank] ?? .failure(CollectiveError.aborted) } }
        set { results.withLock { $0[rank] = newValue } }
    }

    func all() throws -> [any Collective] {
        try results.withLock { try $0.map { try $0?.get() ?? { throw CollectiveError.aborted }() } }
    }
}

/// A folder that goes with its owner.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "heddle-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
