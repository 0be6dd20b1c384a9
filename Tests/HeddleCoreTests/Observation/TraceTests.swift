import HeddleCore
import Testing

@Suite struct TraceTests {
    private func trace() -> SequenceTrace {
        SequenceTrace(request: request(1), attempt: Attempt(1), choice: 0, actor: "w/gpu-worker/g.0", now: at(0))
    }

    @Test func aSequenceWaitsPrefillsAndDecodes() {
        var trace = trace()
        #expect(trace.waits(for: .waitingForAdapter(digest(1)), now: at(1)) == nil)
        #expect(trace.waits(for: .waitingForAdapter(digest(1)), now: at(2)) == nil)
        let adapter = trace.waits(for: .waitingForBlocks(needed: 4, free: 1), now: at(10))
        #expect(adapter?.reason == "its adapter is being mapped")
        #expect(adapter?.start == at(0) && adapter?.end == at(10))
        let blocks = trace.ran(tokenCount: 16, firstPosition: 0, knownTokenCount: 20, from: at(15))
        #expect(blocks?.reason == "needs 4 KV blocks, 1 are free")
        #expect(trace.ran(tokenCount: 4, firstPosition: 16, knownTokenCount: 20, from: at(16)) == nil)
        let prefill = trace.ran(tokenCount: 1, firstPosition: 20, knownTokenCount: 20, from: at(17))
        #expect(prefill?.name == .prefill && prefill?.start == at(15) && prefill?.end == at(17))
        #expect(prefill?.fields.contains(ReportField("chunks", 2)) == true)
        #expect(prefill?.fields.contains(ReportField("tokens", 20, unit: "tokens")) == true)
        for step in 0..<9 {
            #expect(
                trace.ran(tokenCount: 1, firstPosition: 21 + step, knownTokenCount: 20, from: at(18 + UInt64(step)))
                    == nil)
        }
        #expect(trace.present.name == .decode && trace.present.end == nil)
        let decode = trace.ended(at: at(40))
        #expect(decode.fields.contains(ReportField("tokens", 10, unit: "tokens")))
        #expect(decode.start == at(17) && decode.end == at(40))
    }

    @Test func whatRunsAgainAfterAPreemptionSaysSo() {
        var trace = trace()
        _ = trace.ran(tokenCount: 20, firstPosition: 0, knownTokenCount: 20, from: at(1))
        _ = trace.ran(tokenCount: 1, firstPosition: 20, knownTokenCount: 20, from: at(2))
        let decode = trace.ran(tokenCount: 21, firstPosition: 0, knownTokenCount: 20, from: at(9))
        #expect(decode?.name == .decode)
        #expect(trace.present.reason == "again, after it was preempted")
    }

    @Test func theSpansOfASequenceHaveIdsOfTheirOwn() {
        var (trace, ids) = (trace(), Set<SpanID>())
        for turn in 0..<20 {
            let span = trace.waits(for: turn % 2 == 0 ? .waitingForTurn : .waitingForRunningCount(max: 1), now: at(1))
            if let span { #expect(ids.insert(span.id).inserted) }
        }
        #expect(ids.count == 19)
    }

    @Test func aRequestIsQueuedRunAndReplayed() {
        var trace = RequestTrace(
            request(1), tenant: TenantName("a"), model: "sql", promptTokenCount: 3, at: "front/router/0", started: at(0)
        )
        #expect(trace.enqueued(Attempt(1), now: at(1)).map(\.name) == [.request, .queue])
        let first = trace.dispatched(Attempt(1), to: group("g0"), now: at(5))
        #expect(first.map(\.name) == [.queue, .run] && first[0].end == at(5) && first[1].end == nil)
        trace.tokenCame(now: at(7))
        let replay = trace.enqueued(Attempt(2), now: at(9))
        #expect(replay.map(\.name) == [.request, .run, .queue])
        #expect(replay[1].error == "given up" && replay[1].end == at(9))
        #expect(trace.dispatched(Attempt(2), to: group("g1"), now: at(10)).last?.reason == "at g1")
        #expect(trace.generated(now: at(20)).map(\.name) == [.run, .drain])
        #expect(trace.generated(now: at(21)).isEmpty)
        let end = trace.ended(generatedTokenCount: 8, error: nil, now: at(30))
        #expect(end.map(\.name) == [.drain, .request])
        #expect(end[1].end == at(30) && end[1].error == nil)
        #expect(end[1].fields.contains(ReportField("first token", 0.007, unit: "seconds")))
    }

    @Test func aBookKeepsTheNewestRequestsWithinBounds() {
        var limits = TraceBook.Limits()
        (limits.requestCountMax, limits.spanCountMax) = (3, 2)
        var book = TraceBook(limits: limits)
        func span(_ number: UInt64, _ name: TraceSpan.Name, end: Instant? = nil) -> TraceSpan {
            TraceSpan(
                name, of: request(number), id: SpanID(name, of: request(number)), in: nil, at: "x", start: at(number),
                end: end)
        }
        for number in 1...10 { book.put(span(UInt64(number), .request)) }
        #expect(book.requests == [request(10), request(9), request(8)])
        #expect(book.spans(of: request(7)).spans.isEmpty)
        book.put(span(9, .request, end: at(50)))
        book.put(span(9, .queue))
        book.put(span(9, .run))
        let (spans, omitted) = book.spans(of: request(9))
        #expect(spans.count == 2 && omitted == 1)
        #expect(spans.first { $0.name == .request }?.end == at(50))
        #expect(book.spans(request(9).description, countMax: 9).spans.count == 2)
        #expect(book.spans("0000", countMax: 9).spans.map(\.request) == [request(10), request(9), request(8)])
    }

    @Test func twoActorsNameAParentAlike() {
        #expect(SpanID(.run, of: request(1), attempt: Attempt(2)) == SpanID(.run, of: request(1), attempt: Attempt(2)))
        #expect(SpanID(.run, of: request(1), attempt: Attempt(2)) != SpanID(.run, of: request(1), attempt: Attempt(3)))
        #expect(SpanID(0).number != 0)
    }
}
