/// What `heddle bench calls` measured: a remote call beside bare libzmq, in the same run, interleaved.
public struct CallBenchReport: Codable, Hashable, Sendable {
    public var payloadBytes: Int
    public var coreCount: Int
    public var latencies: [LatencyRow]
    public var rates: [RateRow]

    /// One call at a time. Times in microseconds; the ratio compares medians.
    public struct LatencyRow: Codable, Hashable, Sendable {
        public var wire: String
        public var rawMedianMicroseconds: Double
        public var raw99Microseconds: Double
        public var callMedianMicroseconds: Double
        public var call99Microseconds: Double
        /// The median over rounds of a round's call median by its raw median.
        public var ratio: Double
        public var roundCount: Int
        public var callsPerRound: Int
    }

    /// Many calls at once: the medians over rounds.
    public struct RateRow: Codable, Hashable, Sendable {
        public var wire: String
        public var inFlight: Int
        public var rawPerSecond: Double
        public var callsPerSecond: Double
    }

    /// The tables that a person reads.
    public var table: String {
        func number(_ value: Double, _ width: Int, _ digits: Int) -> String {
            var scale = 1.0
            for _ in 0..<digits { scale *= 10 }
            let whole = Int((value * scale).rounded())
            var text = String(whole / Int(scale))
            if digits > 0 {
                let rest = String(whole % Int(scale))
                text += "." + String(repeating: "0", count: digits - rest.count) + rest
            }
            return String(repeating: " ", count: max(0, width - text.count)) + text
        }
        func name(_ text: String) -> String { text + String(repeating: " ", count: max(0, 8 - text.count)) }
        var lines = ["\(payloadBytes)-byte echo, one call at a time, on \(coreCount) cores; microseconds"]
        lines.append("wire      raw p50  raw p99  call p50  call p99  ratio")
        for row in latencies {
            lines.append(
                name(row.wire) + number(row.rawMedianMicroseconds, 9, 1) + number(row.raw99Microseconds, 9, 1)
                    + number(row.callMedianMicroseconds, 10, 1) + number(row.call99Microseconds, 10, 1)
                    + number(row.ratio, 7, 2))
        }
        lines.append("")
        lines.append("many calls at once, a second")
        lines.append("wire     in flight        raw      calls")
        for row in rates {
            lines.append(
                name(row.wire) + number(Double(row.inFlight), 10, 0) + number(row.rawPerSecond, 11, 0)
                    + number(row.callsPerSecond, 11, 0))
        }
        return lines.joined(separator: "\n")
    }
}
