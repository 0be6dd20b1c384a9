import HeddleClient
import HeddleCore
import Testing

@Suite struct PresentationTests {
    @Test func durationsAreShort() {
        let expected: [(Duration, String)] = [
            (.zero, "-"), (.nanoseconds(1), "1us"), (.microseconds(850), "850us"), (.milliseconds(12), "12ms"),
            (.milliseconds(3460), "3.4s"), (.seconds(59), "59s"), (.seconds(312), "5m12s"), (.seconds(3660), "1h01m"),
            (.seconds(187_200), "2d04h"), (.seconds(-1), "-"),
        ]
        for (duration, text) in expected { #expect(Quantities.duration(duration) == text) }
    }

    @Test func bytesAndDecimalsAreShort() {
        #expect(
            [0, 1023, 1536, 20 << 20, 5 << 40].map { Quantities.bytes($0) } == [
                "0B", "1023B", "1.5KiB", "20MiB", "5TiB",
            ])
        #expect(
            [0, 0.04, 1.25, 9.96, 321.5, -0.5].map { Quantities.decimal($0) } == ["0", "0", "1.3", "10", "322", "-0.5"])
        #expect(Quantities.decimal(.infinity) == "-")
    }

    @Test func aTableIsNarrowAndHasNoEscapes() {
        let table = TextTable(
            [.text("NAME"), .number("COUNT"), .text("REASON")],
            rows: [["a", "1", ""], ["longer", "1000", "bad\u{1B}[31m\nline"]])
        #expect(table.text() == "NAME    COUNT  REASON\na           1  -\nlonger   1000  bad·[31m·line\n")
    }

    @Test func colourIsForTerminalsThatWantIt() {
        #expect(Paint(isTerminal: true, environment: [:]).title("x") != "x")
        #expect(Paint(isTerminal: false, environment: [:]).title("x") == "x")
        #expect(Paint(isTerminal: true, environment: ["NO_COLOR": "1"]).title("x") == "x")
        #expect(Paint(isTerminal: true, environment: ["TERM": "dumb"]).title("x") == "x")
    }

    @Test func jsonIsWrittenInOrderAndEscaped() {
        let value = JSONValue.object([
            .init("b", .text("a\"\\\n\u{1}ß")), .init("a", .array([.count(1), .count(2)])), .init("c", .number(0.5)),
            .init("d", .number(.infinity)), .init("e", .null), .init("f", .boolean(true)), .init("g", .number(2)),
        ])
        #expect(
            value.line == #"{"b":"a\"\\\n\u0001ß","a":[1,2],"c":0.5,"d":null,"e":null,"f":true,"g":2.0}"#)
        #expect(JSONValue.object([.init("a", .array([.text("x")]))]).lines == "{\n  \"a\": [\n    \"x\"\n  ]\n}")
    }

    private let picture = MeshPicture([
        NodeAnswer(node: NodeName("front"), outcome: .report(node("front", tenants: 1, residency: .loading))),
        NodeAnswer(node: NodeName("w0"), outcome: .report(node("w0", tenants: 2, residency: .resident))),
        NodeAnswer(node: NodeName("w1"), outcome: .silent(after: .seconds(2))),
    ])

    private static func node(_ name: String, tenants: Int, residency: AdapterReport.Residency) -> NodeReport {
        NodeReport(
            name: NodeName(name), incarnation: Incarnation(high: 1, low: 2), processID: 7, version: "0.1.0", host: "h",
            roles: ["router"], state: StateReport("serving", since: .seconds(1)), uptime: .seconds(61),
            processorTime: .seconds(2), residentBytes: 1 << 20,
            actors: [
                ActorReport(
                    id: "\(name)/router", role: "router", node: NodeName(name),
                    state: StateReport("waiting", reason: "no group has room", since: .milliseconds(5)),
                    mailboxDepth: 2,
                    mailboxDepthMax: 64, oldestAge: .milliseconds(3),
                    calls: [.init(method: "enqueue", elapsed: .milliseconds(9), caller: "front")],
                    methods: [.init(method: "enqueue", callCount: 4, p50: .microseconds(80), p99: .milliseconds(1))],
                    fields: [ReportField("open", 3, unit: "requests")],
                    tables: [ReportTable(title: "lanes", columns: ["tenant"], rows: [["acme"]])])
            ],
            tenants: [TenantReport(name: TenantName("acme"), waitingCount: tenants, tokensIn: 5)],
            adapters: [
                AdapterReport(name: AdapterName("sql"), rank: 8, residency: residency, places: [name], runningCount: 1)
            ],
            requests: [
                OpenRequestReport(
                    id: RequestID(high: 0, low: UInt64(tenants)), tenant: TenantName("acme"), model: "sql",
                    state: StateReport("queued"), age: .seconds(tenants), promptTokenCount: 3, attempt: Attempt(1),
                    router: NodeName(name))
            ])
    }

    @Test func whatSeveralNodesCountIsOneEntry() {
        #expect(picture.tenants.count == 1)
        #expect(picture.tenants.first?.waitingCount == 3)
        #expect(picture.tenants.first?.tokensIn == 10)
        #expect(picture.adapters.count == 1)
        #expect(picture.adapters.first?.residency == .resident)
        #expect(picture.adapters.first?.places == ["w0", "front"])
        #expect(picture.adapters.first?.runningCount == 2)
        #expect(picture.requests.map(\.id.low) == [2, 1])
        #expect(picture.isDegraded)
        #expect(picture.missing == [.init(node: NodeName("w1"), reason: "no answer within 2.0s")])
    }

    @Test func aListingShowsOneNameAndMoreWhenWide() {
        let nodes = Listing(.nodes, of: picture)
        #expect(
            nodes.table.text() == """
                NAME   STATE    ROLES   UPTIME   CPU  MEMORY  PEERS
                front  serving  router   1m01s  2.0s    1MiB      0
                w0     serving  router   1m01s  2.0s    1MiB      0

                """)
        #expect(Listing(.nodes, of: picture, name: "w0", isWide: true).table.rows.count == 1)
        #expect(Listing(.nodes, of: picture, isWide: true).table.columns.count > nodes.table.columns.count)
        #expect(Listing(.tenants, of: picture, name: "nobody").entries.isEmpty)
        for subject in Listing.Subject.allCases {
            #expect(Listing(subject, of: picture).entries.count == Listing(subject, of: picture).table.rows.count)
            #expect(picture.json(subject).line.hasPrefix("{\"\(subject.rawValue)\":["))
        }
    }

    @Test func theStatusScreenNamesWhatIsMissing() {
        let text = StatusScreen.text(picture, cluster: "demo")
        #expect(
            text.hasPrefix("cluster demo: degraded, 2 of 3 nodes answer\nnode w1 is missing: no answer within 2.0s\n"))
        #expect(text.hasSuffix("\n2 open requests: 2 queued\n"))
    }

    @Test func anActorIsDescribedWithItsOwnState() throws {
        let text = ActorDescription.text(try #require(picture.actors.first))
        #expect(
            text == """
                id            front/router
                role          router
                node          front
                state         waiting, for 5ms
                reason        no group has room
                mailbox       2 of 64 wait, the oldest for 3ms
                restarts      0

                calls in flight
                METHOD   ELAPSED  CALLER
                enqueue      9ms  front

                methods
                METHOD   CALLS  ERRORS  RATE   P50  P99
                enqueue      4       0   0/s  80us  1ms

                own state
                KEY   VALUE  UNIT
                open      3  requests

                lanes
                TENANT
                acme

                """)
    }

    @Test func aCollectedAnswerHasTheFieldsOfGenerate() {
        var answer = CollectedAnswer(id: Samples.id, choiceCount: 1)
        if case .accepted(var accepted) = Samples.accepted() {
            accepted.promptTokens = [7, 8]
            answer.add(.accepted(accepted))
        }
        var tokens = Samples.delivered(0..<1)
        tokens.logprobs = [TokenLogprobs(token: 0, logprob: -0.5, top: [.init(token: 0, logprob: -0.5)])]
        answer.add(.tokens(tokens))
        answer.add(.tokens(Samples.delivered(1..<2, finish: .length)))
        answer.add(.finished(Samples.end([2])))
        #expect(
            answer.json.line
                == #"{"request_id":"00000000000000010000000000000002","prompt_tokens":[7,8],"tokens":[0,1],"text":"t0t1","#
                + #""finish_reason":"length","token_logprobs":[-0.5],"#
                + #""logprobs":[[{"id":0,"logprob":-0.5}]],"model":"base","adapter":null,"#
                + #""usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"cached_tokens":0},"#
                + #""timings":{"queue_seconds":0.0,"first_token_seconds":0.0,"total_seconds":0.0}}"#)
        answer.add(.promptLogprobs(Samples.scored(1..<2, topCount: 1)))
        #expect(
            answer.json.line.contains(
                #""prompt_token_logprobs":[null,-1.0],"prompt_logprobs":[null,[{"id":0,"logprob":-1.0}]],"tokens":[0,1]"#
            ))
        var two = CollectedAnswer(id: Samples.id, choiceCount: 2)
        two.add(.tokens(Samples.delivered(0..<1, choice: 1, finish: .stop)))
        #expect(two.json.line.contains(#""choices":[{"tokens":[],"text":"","finish_reason":null},{"tokens":[100]"#))
    }
}
