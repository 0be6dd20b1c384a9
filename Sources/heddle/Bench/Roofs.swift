import HeddleEngine
import HeddleKernels

/// Measures what the machine can do at this moment, by the instructions that the kernels use: the roofs that a timing is
/// compared with. Both move while neighbours work, so every timing is bracketed by them.
final class Roofs {
    private let team: ThreadTeam
    private let memory: PackedMemory
    private(set) var bandwidths: [Double] = []
    private(set) var arithmetics: [PackedFormat: [Double]] = [:]

    /// - Parameter byteCount: read in one probe; far more than the caches hold.
    init(threadCount: Int, byteCount: Int = 512 << 20) throws {
        guard
            let team = ThreadTeam(threadCount: threadCount, spinMicroseconds: 1000),
            let memory = PackedMemory(byteCount: byteCount, fill: { $0.initializeMemory(as: UInt8.self, repeating: 3) })
        else { throw CommandFailure("no memory or threads for the probes") }
        self.team = team
        self.memory = memory
    }

    /// Probes bandwidth and the arithmetic of some formats once.
    func probe(_ formats: [PackedFormat]) {
        let bytes = UnsafeRawBufferPointer(rebasing: memory.bytes[..<(memory.bytes.count / 64 * 64)])
        bandwidths.append(Double(bytes.count) / Stopwatch.seconds { _ = team.readProbe(bytes) })
        for format in formats {
            var operations = 0
            let seconds = Stopwatch.seconds { operations = team.arithmeticProbe(format, rounds: 4_000_000) }
            arithmetics[format, default: []].append(Double(operations) / seconds)
        }
    }

    /// Bytes a second.
    var bandwidth: Double { bandwidths.median }

    /// Multiplications and additions a second.
    func arithmetic(_ format: PackedFormat) -> Double { arithmetics[format, default: []].median }
}

/// Times a piece of work by the monotonic clock.
enum Stopwatch {
    static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let took = try clock.measure(work)
        return Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18
    }
}

extension [Double] {
    /// The middle one; of an even count the upper of the two. 0 for none.
    var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
