import HeddleClient
import HeddleCore
import HeddleWire
import Testing

@Suite struct ObservationTextTests {
    private func report(
        _ node: String, process: UInt64 = 1, events: [NoticeReport] = [], spans: [SpanReport] = [], missed: UInt64 = 0
    ) -> NodeAnswer {
        NodeAnswer(
            node: NodeName(node),
            outcome: .report(
                NodeReport(
                    name: NodeName(node), incarnation: Incarnation(high: process, low: 0), processID: 1, version: "0",
                    host: "h", roles: [], state: StateReport("serving"), uptime: .zero, events: events, spans: spans,
                    missedCount: missed)))
    }

    private func event(_ number: UInt64, age: Int = 0) -> NoticeReport {
        NoticeReport(
            number: number, age: .milliseconds(age),
            notice: Notice(.info, .groupUp, actor: "front/tenant-queue/demo", text: "event \(number)"))
    }

    @Test func aFollowerMissesNothingOrSaysSo() {
        var follower = NoticeFollower(.events, pastCountMax: 2)
        let node = NodeName("a")
        #expect(follower.query(for: node).countMax == 2)
        #expect(follower.take([report("a", events: [event(8), event(9)])]).count == 2)
        #expect(follower.query(for: node).after == 9 && follower.query(for: node).countMax == 0)
        #expect(follower.take([report("a", events: [event(14)], missed: 4)]).first == .missed(node, count: 4))
        #expect(follower.query(for: node).after == 14)
    }

    @Test func aSilentNodeIsNamedOnceAndItsReturnToo() {
        var follower = NoticeFollower(.events, pastCountMax: 2)
        let silent = NodeAnswer(node: NodeName("a"), outcome: .silent(after: .seconds(1)))
        #expect(follower.take([silent]) == [.silent(NodeName("a"), reason: "no answer within 1.0s")])
        #expect(follower.take([silent]).isEmpty)
        #expect(follower.take([report("a")]) == [.back(NodeName("a"))])
    }

    @Test func anotherProcessIsReadFromItsBeginning() {
        var follower = NoticeFollower(.events, pastCountMax: 2)
        _ = follower.take([report("a", events: [event(5)])])
        #expect(follower.take([report("a", process: 2, events: [event(6)])]) == [.restarted(NodeName("a"))])
        #expect(follower.query(for: NodeName("a")).after == 0)
        let lines = follower.take([report("a", process: 2, events: [event(1), event(2)])])
        #expect(lines == [.notice(NodeName("a"), event(1)), .notice(NodeName("a"), event(2))])
    }

    @Test func whatSeveralNodesToldIsInOrder() {
        var follower = NoticeFollower(.events, pastCountMax: 9)
        let lines = follower.take([
            report("a", events: [event(1, age: 30), event(2, age: 10)]), report("b", events: [event(1, age: 20)]),
        ])
        let nodes = lines.map { line in if case .notice(let node, _) = line { node.text } else { "" } }
        #expect(nodes == ["a", "b", "a"])
    }

    private func span(
        _ name: TraceSpan.Name, in parent: TraceSpan.Name?, at actor: String, _ start: Int, _ length: Int,
        reason: String = "", open: Bool = false, age: Int = 100
    ) -> SpanReport {
        SpanReport(
            request: Samples.id, id: SpanID(name, of: Samples.id), parent: parent.map { SpanID($0, of: Samples.id) },
            name: name, actor: actor, reason: reason, startAge: .milliseconds(age - start),
            duration: .milliseconds(length), isOpen: open)
    }

    @Test func aWaterfallJoinsWhatNodesTell() throws {
        let answers = [
            report(
                "front",
                spans: [
                    span(.request, in: nil, at: "front/router/0", 0, 100, open: true),
                    span(.queue, in: .request, at: "front/router/0", 0, 40, reason: "waits for a worker group"),
                    span(.run, in: .request, at: "front/router/0", 40, 60, open: true),
                    span(.lane, in: .queue, at: "front/tenant-queue/demo", 0, 40, reason: "no group has room"),
                ]),
            report(
                "w", spans: [span(.wait, in: .run, at: "w/gpu-worker/g0.0", 42, 30, reason: "no blocks", open: true)]),
            NodeAnswer(node: NodeName("x"), outcome: .silent(after: .seconds(1))),
        ]
        let waterfall = try #require(Waterfall(Samples.id, in: answers))
        #expect(waterfall.rows.map(\.span.name) == [.request, .queue, .lane, .run, .wait])
        #expect(waterfall.rows.map(\.depth) == [0, 1, 2, 1, 2])
        #expect(waterfall.isOpen)
        #expect(waterfall.waits.map(\.reason) == ["no group has room", "no blocks"])
        let text = waterfall.text()
        #expect(text.contains("it waited\n  40ms: no group has room (front/tenant-queue/demo)\n"), "\(text)")
        #expect(text.contains("node x is missing"))
        #expect(Waterfall(RequestID(high: 9, low: 9), in: answers) == nil)
    }

    @Test func spansThatNameEachOtherParentsAreShown() throws {
        let answers = [
            report(
                "a",
                spans: [span(.run, in: .queue, at: "a", 0, 10), span(.queue, in: .run, at: "a", 0, 10)])
        ]
        _ = try #require(Waterfall(Samples.id, in: answers)).text()
    }

    private func stuckPicture() -> MeshPicture {
        var front = NodeReport(
            name: NodeName("front"), incarnation: Samples.incarnation, processID: 1, version: "0", host: "h",
            roles: ["router"], state: StateReport("serving"), uptime: .seconds(9),
            peers: [.init(node: NodeName("w1"), state: StateReport("lost", since: .seconds(3)))])
        front.actors = [
            ActorReport(
                id: "front/gpu-worker/g0.0", role: "gpu-worker", node: NodeName("front"),
                state: StateReport("stuck", reason: "in receive(_:)", since: .seconds(8)), mailboxDepth: 3,
                mailboxDepthMax: 64, oldestAge: .seconds(7))
        ]
        front.workers = [
            WorkerReport(
                group: GroupName("g0"), rank: 0, rankCount: 1, node: NodeName("front"), epoch: Epoch(1),
                state: StateReport("running"), runningCount: 2, blocksUsed: 3, blockCount: 4)
        ]
        front.tenants = [TenantReport(name: TenantName("acme"), runningCount: 1)]
        front.requests = [
            OpenRequestReport(
                id: Samples.id, tenant: TenantName("acme"), model: "sql", state: StateReport("running"),
                age: .seconds(9),
                promptTokenCount: 3, attempt: Attempt(1), group: GroupName("g0"), router: NodeName("front"))
        ]
        return MeshPicture([
            NodeAnswer(node: NodeName("front"), outcome: .report(front)),
            NodeAnswer(node: NodeName("w1"), outcome: .silent(after: .seconds(1))),
        ])
    }

    @Test func whatIsWrongNamesWhoSinceWhenAndWhoIsHurt() {
        let lines = Diagnosis(stuckPicture()).findings.map(\.line)
        #expect(
            lines == [
                "w1: does not answer (no answer within 1.0s); front says it is lost, for 3.0s",
                "front/gpu-worker/g0.0: is stuck in receive(_:), for 8.0s; hurts 1 request of acme",
            ])
    }

    @Test func theScreenKeepsToItsSize() {
        let screen = TopScreen(stuckPicture(), cluster: "demo", sequenceCounts: [GroupName("g0"): 4])
        for (columns, rows) in [(80, 24), (40, 10), (200, 60), (20, 3)] {
            let lines = screen.lines(columnCount: columns, rowCount: rows, order: .load)
            #expect(lines.count == rows, "\(columns)×\(rows)")
            #expect(lines.allSatisfy { $0.count <= columns })
        }
        let lines = screen.lines(columnCount: 120, rowCount: 40, order: .load)
        #expect(lines.contains { $0.contains("[######      ] 2/4") && $0.contains("[#########   ] 75%") }, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("! w1: does not answer") })
    }

    @Test func yamlHasTheSameShape() {
        let value = JSONValue.object([
            .init("a", .array([.object([.init("b", .count(1)), .init("c", .array([]))]), .text("x: y")])),
            .init("d", .object([.init("e", .null)])), .init("f", .object([])),
        ])
        #expect(
            value.yaml == """
                a:
                  - b: 1
                    c: []
                  - "x: y"
                d:
                  e: null
                f: {}
                """)
    }

    @Test func listsAreSortedByWhatTheirJSONHas() throws {
        let picture = MeshPicture([
            NodeAnswer(
                node: NodeName("a"),
                outcome: .report(
                    NodeReport(
                        name: NodeName("a"), incarnation: Samples.incarnation, processID: 1, version: "0", host: "h",
                        roles: [], state: StateReport("serving"), uptime: .zero,
                        tenants: [
                            TenantReport(name: TenantName("a"), waitingCount: 1),
                            TenantReport(name: TenantName("b"), waitingCount: 3),
                            TenantReport(name: TenantName("c"), waitingCount: 2),
                        ])))
        ])
        var listing = Listing(.tenants, of: picture)
        try listing.sort(by: "waiting")
        #expect(listing.table.rows.map { $0[0] } == ["b", "c", "a"])
        try listing.sort(by: "name")
        #expect(listing.table.rows.map { $0[0] } == ["a", "b", "c"])
        #expect(throws: Listing.UnknownKey.self) { try listing.sort(by: "size") }
    }

    /// A figure of Docs/PERFORMANCE.md; the bound is wide because machines that build are slow.
    @Test func aMeshOfTwoHundredActorsIsReadAtOnce() async throws {
        let nodes = try (0..<10).map { index in
            var report = NodeReport(
                name: NodeName("n\(index)"), incarnation: Samples.incarnation, processID: 1, version: "0", host: "h",
                roles: [], state: StateReport("serving"), uptime: .zero)
            report.actors = (0..<20).map { number in
                ActorReport(
                    id: "n\(index)/router/\(number)", role: "router", node: NodeName("n\(index)"),
                    state: StateReport("serving"),
                    methods: (0..<8).map { .init(method: "method\($0)", callCount: 1) },
                    fields: (0..<20).map { ReportField("field \($0)", $0) },
                    tables: [
                        ReportTable(
                            title: "t", columns: ["a", "b", "c"], rows: (0..<40).map { ["\($0)", "row", "because"] })
                    ])
            }
            let whole = report
            return try ScriptedRouter(script: { _, frames in
                guard let request = try? InspectRequest(frames: frames) else { return [] }
                return [InspectReply(number: request.number, outcome: .report(whole)).frames()]
            })
        }
        let targets = nodes.enumerated().map {
            InspectionClient.Target(node: NodeName("n\($0)"), endpoint: $1.endpoint)
        }
        let answers = try await InspectionClient.ask(targets, InspectionQuery(.everything), deadline: .seconds(20))
        #expect(MeshPicture(answers).actors.count == 200)
        for node in nodes { node.stop() }
    }
}
