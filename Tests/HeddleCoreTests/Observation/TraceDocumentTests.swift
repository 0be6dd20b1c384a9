import Foundation
import HeddleCore
import Testing

@Suite struct TraceDocumentTests {
    @Test func spansAreWrittenAsCollectorsReadThem() throws {
        let document = TraceDocument(
            node: NodeName("front"), incarnation: Incarnation(high: 1, low: 2), version: "0.1", epochOffset: 1000)
        let root = TraceSpan(
            .request, of: request(1), id: SpanID(.request, of: request(1)), in: nil, at: "front/router/0", start: at(1),
            end: at(3),
            fields: [
                ReportField("model", "sq\"l"), ReportField("prompt", 7, unit: "tokens"),
                ReportField("first token", 0.5, unit: "seconds"),
            ], error: "busy")
        let child = TraceSpan(
            .queue, of: request(1), id: SpanID(.queue, of: request(1)), in: root.id, at: "front/router/0", start: at(1),
            end: at(2))
        let whole = try #require(
            try JSONSerialization.jsonObject(with: Data(document.json([root, child]).utf8)) as? [String: Any])
        let resource = try #require((whole["resourceSpans"] as? [[String: Any]])?.first)
        let scope = try #require((resource["scopeSpans"] as? [[String: Any]])?.first)
        let spans = try #require(scope["spans"] as? [[String: Any]])
        #expect(spans.count == 2)
        #expect(spans[0]["traceId"] as? String == request(1).description && request(1).description.count == 32)
        #expect((spans[0]["spanId"] as? String)?.count == 16 && spans[0]["parentSpanId"] == nil)
        #expect(spans[1]["parentSpanId"] as? String == spans[0]["spanId"] as? String)
        #expect(spans[0]["startTimeUnixNano"] as? String == "1001000")
        #expect(spans[0]["endTimeUnixNano"] as? String == "3001000")
        #expect(spans[0]["kind"] as? Int == 2 && spans[1]["kind"] as? Int == 1)
        #expect((spans[0]["status"] as? [String: Any])?["code"] as? Int == 2)
        let attributes = try #require(spans[0]["attributes"] as? [[String: Any]])
        func value(_ key: String) -> [String: Any]? {
            attributes.first { $0["key"] as? String == key }?["value"] as? [String: Any]
        }
        #expect(value("gen_ai.request.model")?["stringValue"] as? String == "sq\"l")
        #expect(value("gen_ai.usage.input_tokens")?["intValue"] as? String == "7")
        #expect(value("heddle.first_token_seconds")?["doubleValue"] as? Double == 0.5)
        #expect(value("error.type")?["stringValue"] as? String == "busy")
    }
}
