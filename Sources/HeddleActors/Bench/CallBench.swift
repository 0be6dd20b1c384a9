import Glibc
import HeddleCore
import HeddleTransport

/// Times remote calls against bare libzmq: the same payload, the same kind of connection, taking turns within one run.
public struct CallBench: Sendable {
    /// What carries the bytes; over ipc and tcp the other end is another process.
    public enum Wire: String, CaseIterable, Sendable {
        case inproc, ipc, tcp
    }

    public var wires = Wire.allCases
    public var payloadBytes = 100
    public var roundCount = 9
    public var callsPerRound = 500
    public var inFlight = [1, 16, 256]
    public var rateDuration: Duration = .milliseconds(400)
    public var rateRoundCount = 3

    public init() {}

    static let serverNode = NodeName("bench-server")
    static let clientNode = NodeName("bench-client")
    static let echo = ActorIdentity(node: serverNode, role: RoleName("bench"), name: ActorName("echo"))
    static let contracts = ContractTable(
        benchMethods,
        serving: [
            ContractServing("BenchEcho.echo()", on: BenchEcho.self) { echo, arguments in
                try await echo.echo(arguments.decodeNextArgument()).wireBytes()
            }
        ])

    /// Measures. `startServer` starts another process that runs `serve` with the wire's name and returns its first line of
    /// output; the process ends when the returned closure is called.
    public func run(
        startServer: (Wire) async throws -> (line: String, stop: () -> Void)
    ) async throws -> CallBenchReport {
        var report = CallBenchReport(
            payloadBytes: payloadBytes, coreCount: sysconf(Int32(_SC_NPROCESSORS_ONLN)), latencies: [], rates: [])
        for wire in wires {
            let context = ZeroMQContext()
            let line: String
            let stop: () -> Void
            if wire == .inproc {
                let server = try await BenchServer(wire: wire, folder: "", context: context)
                line = server.line
                stop = { server.stopDetached() }
            } else {
                (line, stop) = try await startServer(wire)
            }
            defer { stop() }
            let endpoints = line.split(separator: " ").map(String.init)
            guard endpoints.count == 2 else {
                throw TransportError.endpointInvalid(endpoint: line, reason: "the server of the bench said this")
            }
            try await measure(wire, mesh: endpoints[0], raw: endpoints[1], context: context, into: &report)
        }
        return report
    }

    private func measure(
        _ wire: Wire, mesh: String, raw: String, context: ZeroMQContext, into report: inout CallBenchReport
    ) async throws {
        var generator = SystemRandomNumberGenerator()
        let system = MeshActorSystem(
            node: Self.clientNode, incarnation: Incarnation(using: &generator),
            directory: Directory(nodes: [Self.clientNode: nil, Self.serverNode: mesh], actors: [Self.echo]),
            contracts: Self.contracts, link: try ZeroMQLink(listeningOn: nil),
            io: IOThread(name: "io-bench", context: context))
        try await system.start()
        let echo = try BenchEcho.resolve(id: Self.echo, using: system)
        let payload = [UInt8](repeating: 0x61, count: payloadBytes)
        let client = try RawClient(endpoint: raw, payloadBytes: payloadBytes, context: context)
        do {
            try await measure(wire, system: system, echo: echo, payload: payload, client: client, into: &report)
        } catch {
            client.stop()
            await system.shutdown()
            throw error
        }
        client.stop()
        await system.shutdown()
    }

    private func measure(
        _ wire: Wire, system: MeshActorSystem, echo: BenchEcho, payload: [UInt8], client: RawClient,
        into report: inout CallBenchReport
    ) async throws {
        let callsPerRound = callsPerRound
        let rateDuration = rateDuration
        // Both sides warm up first.
        _ = client.exchange(count: callsPerRound)
        _ = try await Self.callTimes(system, echo, payload, count: callsPerRound)
        var rawTimes: [UInt64] = []
        var callTimes: [UInt64] = []
        var ratios: [Double] = []
        for _ in 0..<roundCount {
            let rawRound = client.exchange(count: callsPerRound)
            let callRound = try await Self.callTimes(system, echo, payload, count: callsPerRound)
            ratios.append(Self.quantile(callRound, 0.5) / max(1, Self.quantile(rawRound, 0.5)))
            rawTimes += rawRound
            callTimes += callRound
        }
        report.latencies.append(
            CallBenchReport.LatencyRow(
                wire: wire.rawValue, rawMedianMicroseconds: Self.quantile(rawTimes, 0.5) / 1000,
                raw99Microseconds: Self.quantile(rawTimes, 0.99) / 1000,
                callMedianMicroseconds: Self.quantile(callTimes, 0.5) / 1000,
                call99Microseconds: Self.quantile(callTimes, 0.99) / 1000, ratio: Self.median(ratios),
                roundCount: roundCount, callsPerRound: callsPerRound))
        for inFlight in inFlight {
            var rawRates: [Double] = []
            var callRates: [Double] = []
            for _ in 0..<rateRoundCount {
                rawRates.append(client.rate(inFlight: inFlight, duration: rateDuration))
                callRates.append(
                    try await Self.callRate(system, echo, payload, inFlight: inFlight, duration: rateDuration))
            }
            report.rates.append(
                CallBenchReport.RateRow(
                    wire: wire.rawValue, inFlight: inFlight, rawPerSecond: Self.median(rawRates),
                    callsPerSecond: Self.median(callRates)))
        }
    }

    private static func callTimes(
        _ system: MeshActorSystem, _ echo: BenchEcho, _ payload: [UInt8], count: Int
    ) async throws -> [UInt64] {
        try await Task(executorPreference: system.taskExecutor) {
            var times: [UInt64] = []
            times.reserveCapacity(count)
            var before = MonotonicClock.nanoseconds()
            for _ in 0..<count {
                _ = try await echo.echo(payload)
                let after = MonotonicClock.nanoseconds()
                times.append(after - before)
                before = after
            }
            return times
        }.value
    }

    private static func callRate(
        _ system: MeshActorSystem, _ echo: BenchEcho, _ payload: [UInt8], inFlight: Int, duration: Duration
    ) async throws -> Double {
        let start = MonotonicClock.nanoseconds()
        let until = start.addingClamped(UInt64(nanosecondsOf: duration))
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<inFlight {
                group.addTask(executorPreference: system.taskExecutor) {
                    var count = 0
                    while MonotonicClock.nanoseconds() < until {
                        _ = try await echo.echo(payload)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) * 1e9 / Double(MonotonicClock.nanoseconds() - start)
    }

    private static func quantile(_ times: [UInt64], _ share: Double) -> Double {
        let sorted = times.sorted()
        guard !sorted.isEmpty else { return 0 }
        return Double(sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))])
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}

/// Lets a value that may not be copied be shared by the turns of one measurement.
private final class RawClient {
    private let client: RawEcho.Client

    init(endpoint: String, payloadBytes: Int, context: ZeroMQContext) throws {
        client = try RawEcho.Client(endpoint: endpoint, payloadBytes: payloadBytes, context: context)
    }

    func exchange(count: Int) -> [UInt64] { client.exchange(count: count) }
    func rate(inFlight: Int, duration: Duration) -> Double { client.rate(inFlight: inFlight, duration: duration) }
    func stop() { client.stop() }
}
