import HeddleClient
import HeddleCore
import HeddleWire
import Testing

@Suite struct InspectionClientTests {
    private func node(_ name: String) throws -> ScriptedRouter {
        try ScriptedRouter(script: { _, frames in
            guard let request = try? InspectRequest(frames: frames) else { return [] }
            let report = NodeReport(
                name: NodeName(name), incarnation: Samples.incarnation, processID: 1, version: "0", host: "h",
                roles: [], state: StateReport("serving"), uptime: .seconds(1),
                tenants: [TenantReport(name: TenantName("acme"))])
            return [InspectReply(number: request.number, outcome: .report(report.answering(request.query))).frames()]
        })
    }

    @Test func everyNodeAnswersForItself() async throws {
        let nodes = try (0..<5).map { try node("n\($0)") }
        let targets = nodes.enumerated().map { index, node in
            InspectionClient.Target(node: NodeName("n\(index)"), endpoint: node.endpoint)
        }
        let answers = try await InspectionClient.ask(targets, InspectionQuery(.tenants), deadline: .seconds(10))
        #expect(answers.map(\.node.text) == ["n0", "n1", "n2", "n3", "n4"])
        #expect(answers.compactMap(\.report).map(\.name.text) == ["n0", "n1", "n2", "n3", "n4"])
        #expect(answers.allSatisfy { $0.report?.tenants.count == 1 })
        for node in nodes { node.stop() }
    }

    @Test func whoDoesNotAnswerIsNamed() async throws {
        let good = try node("good")
        let mute = try ScriptedRouter(script: { _, _ in [] })
        let garbage = try ScriptedRouter(script: { _, _ in [[[0]]] })
        let refusing = try ScriptedRouter(script: { _, frames in
            [
                InspectReply(number: (try? InspectRequest(frames: frames))?.number ?? 0, outcome: .refused("busy"))
                    .frames()
            ]
        })
        let targets = [
            ("good", good.endpoint), ("mute", mute.endpoint), ("garbage", garbage.endpoint),
            ("refusing", refusing.endpoint), ("wrong", "nonsense"),
        ]
        let answers = try await InspectionClient.ask(
            targets.map { InspectionClient.Target(node: NodeName($0.0), endpoint: $0.1) }, InspectionQuery(.node),
            deadline: .milliseconds(400))
        #expect(answers[0].report?.name == NodeName("good"))
        #expect(answers[1].outcome == .silent(after: .milliseconds(400)))
        guard case .unreadable = answers[2].outcome, case .unreadable = answers[4].outcome else {
            Issue.record("garbage and nonsense are unreadable: \(answers)")
            return
        }
        #expect(answers[3].outcome == .refused("busy"))
        for node in [good, mute, garbage, refusing] { node.stop() }
    }
}
