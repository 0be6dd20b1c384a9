import Foundation
import FoundationNetworking
import HeddleCore
import HeddleTransport

/// Sends spans that have ended to an OpenTelemetry collector, once a second, beside everything else: where the collector is away
/// or slow, spans are dropped and counted, and nobody waits.
final class TraceExporter: Sendable {
    /// Spans that wait at most.
    static let depthMax = 8192
    /// Spans of one export at most.
    static let batchCountMax = 512
    private static let pause: Duration = .seconds(1)

    private struct Queue {
        var spans: [TraceSpan] = []
        var droppedCount: UInt64 = 0
    }

    private let queue = Locked(Queue())
    private let endpoint: URL
    private let document: TraceDocument
    private let session: URLSession

    init(endpoint: URL, document: TraceDocument) {
        self.endpoint = endpoint
        self.document = document
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 5
        session = URLSession(configuration: configuration)
    }

    func take(_ span: TraceSpan) {
        queue.withLock { queue in
            if queue.spans.count < Self.depthMax { queue.spans.append(span) } else { queue.droppedCount += 1 }
        }
    }

    /// Spans that were not exported.
    var droppedCount: UInt64 { queue.withLock { $0.droppedCount } }

    /// Exports until the task is cancelled.
    func run() async {
        while (try? await Task.sleep(for: Self.pause)) != nil { await flush() }
    }

    /// Exports what waits.
    func flush() async {
        while true {
            let batch = queue.withLock { queue in
                let batch = Array(queue.spans.prefix(Self.batchCountMax))
                queue.spans.removeFirst(batch.count)
                return batch
            }
            if batch.isEmpty { return }
            if await !send(batch) { queue.withLock { $0.droppedCount += UInt64(batch.count) } }
        }
    }

    private func send(_ batch: [TraceSpan]) async -> Bool {
        var request = URLRequest(url: endpoint)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data(document.json(batch).utf8)
        guard let (_, response) = try? await session.data(for: request) else { return false }
        return ((response as? HTTPURLResponse)?.statusCode).map { (200..<300).contains($0) } ?? false
    }
}
