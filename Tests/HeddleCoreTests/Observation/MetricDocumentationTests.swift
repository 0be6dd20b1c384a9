import Foundation
import HeddleCore
import Testing

/// What is written about the numbers is held to the numbers.
@Suite struct MetricDocumentationTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private func file(_ path: String) throws -> String {
        try String(contentsOfFile: "\(Self.root)/\(path)", encoding: .utf8)
    }

    @Test func theTableListsEveryMetricAndNoOther() throws {
        let page = try file("Docs/OPERATING.md")
        let rows = Metric.allCases.map { metric in
            let labels = metric.labels.isEmpty ? "–" : metric.labels.joined(separator: ", ")
            return "| `\(metric.rawValue)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |"
        }
        for row in rows { #expect(page.contains(row + "\n"), "Docs/OPERATING.md lacks\n\(row)") }
        let listed = page.split(separator: "\n").filter { $0.hasPrefix("| `heddle_") || $0.hasPrefix("| `vllm:") }
        #expect(listed.count == rows.count)
    }

    @Test func everyEventIsExplained() throws {
        let page = try file("Docs/OPERATING.md")
        for kind in Notice.Kind.allCases { #expect(page.contains("| `\(kind.rawValue)` |"), "\(kind.rawValue)") }
    }

    @Test(arguments: ["Cluster/observability/grafana-mesh.json", "Cluster/observability/alerts.yaml"])
    func dashboardsAndAlertsNameOnlyWhatIsThere(path: String) throws {
        let text = try file(path)
        let names = Set(
            Metric.allCases.flatMap { metric in
                metric.kind == .histogram
                    ? ["_bucket", "_sum", "_count"].map { metric.rawValue + $0 } : [metric.rawValue]
            })
        let found = text.matches(of: /(?:heddle_|vllm:)[a-z_0-9]+/).map { String($0.output) }
        #expect(found.count > 5)
        for name in found { #expect(names.contains(name), "\(path) names \(name)") }
    }

    @Test func namesAreAsPrometheusWantsThem() {
        for metric in Metric.allCases {
            let isCounter = metric.kind == .counter
            #expect(isCounter == metric.rawValue.hasSuffix("_total"), "\(metric.rawValue)")
            #expect(metric.help.hasSuffix("."), "\(metric.rawValue)")
            #expect(Set(metric.labels).count == metric.labels.count)
        }
    }
}
