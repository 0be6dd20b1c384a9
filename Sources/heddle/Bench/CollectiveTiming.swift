import Foundation
import HeddleCollective

/// What `heddle bench calls` tells about the sums of a worker group: every kind of collective, timed in the same run.
struct CollectiveTiming {
    /// Two ranks, 2048 floats, as pinned threads.
    var timings: [CollectiveBenchmark.Timing]

    static func measure() throws -> CollectiveTiming {
        CollectiveTiming(timings: try CollectiveBenchmark().run())
    }

    /// A heading and one line a kind.
    var table: String {
        var table = Table(["SUM OF \(timings.first?.floatCount ?? 0) FLOATS", "RANKS", "P50 µs", "P99 µs"])
        table.rows = timings.map { timing in
            [
                timing.kind, String(timing.rankCount), String(format: "%.1f", timing.p50Microseconds),
                String(format: "%.1f", timing.p99Microseconds),
            ]
        }
        return table.lines.joined(separator: "\n")
    }
}
