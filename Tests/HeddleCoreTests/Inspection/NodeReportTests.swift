import HeddleCore
import Testing

@Suite struct NodeReportTests {
    private let report = NodeReport(
        name: NodeName("front"), incarnation: Incarnation(high: 1, low: 2), processID: 1, version: "0", host: "h",
        roles: ["router"], state: StateReport("serving"), uptime: .seconds(1),
        actors: ["a", "b"].map { id in
            ActorReport(id: id, role: "router", node: NodeName("front"), state: StateReport("idle"))
        },
        tenants: (0..<5).map { TenantReport(name: TenantName("t\($0)")) })

    @Test func onlyTheListThatIsAskedForIsAnswered() {
        #expect(report.answering(InspectionQuery(.node)).actors.isEmpty)
        #expect(report.answering(InspectionQuery(.actors)).actors.count == 2)
        #expect(report.answering(InspectionQuery(.actors)).tenants.isEmpty)
        #expect(report.answering(InspectionQuery(.everything)) == report)
    }

    @Test func aNameChoosesOneEntry() {
        #expect(report.answering(InspectionQuery(.actors, name: "b")).actors.map(\.id) == ["b"])
        #expect(report.answering(InspectionQuery(.tenants, name: "t9")).tenants.isEmpty)
    }

    @Test func moreThanTheLimitIsLeftOutAndCounted() {
        var limits = InspectionLimits()
        limits.entryCountMax = 2
        let answer = report.answering(InspectionQuery(.tenants), limits: limits)
        #expect(answer.tenants.map(\.name.text) == ["t0", "t1"])
        #expect(answer.omittedCount == 3)
    }
}
