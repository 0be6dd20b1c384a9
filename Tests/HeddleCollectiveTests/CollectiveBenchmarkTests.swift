import HeddleCollective
import Testing

@Suite struct CollectiveBenchmarkTests {
    @Test func everyKindIsTimed() throws {
        var benchmark = CollectiveBenchmark()
        benchmark.callCount = 200
        benchmark.roundCount = 2
        let timings = try benchmark.run()
        #expect(timings.map(\.kind) == CollectiveBenchmark.Kind.allCases.map(\.rawValue))
        #expect(timings.allSatisfy { $0.p50Microseconds > 0 && $0.p50Microseconds <= $0.p99Microseconds })
    }
}
