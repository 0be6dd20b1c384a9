import HeddleCore
import HeddleWire
import Testing

@Suite struct InspectMessageTests {
    @Test(arguments: InspectionQuery.Subject.allCases)
    func aRequestComesBackAsItWas(subject: InspectionQuery.Subject) throws {
        for name in [nil, "front/router"] {
            let request = InspectRequest(
                number: 5, query: InspectionQuery(subject, name: name), deadline: .milliseconds(250))
            #expect(try InspectRequest(frames: request.frames()) == request)
        }
    }

    @Test func aReportComesBackAsItWas() throws {
        let reply = InspectReply(number: 5, outcome: .report(ReportSamples.report))
        #expect(try InspectReply(frames: reply.frames()) == reply)
        let refusal = InspectReply(number: 6, outcome: .refused("not now"))
        #expect(try InspectReply(frames: refusal.frames()) == refusal)
    }

    @Test func aRequestWithoutADeadlineIsRefused() {
        let request = InspectRequest(number: 1, query: InspectionQuery(.node), deadline: .zero)
        #expect(throws: ClientFrameError.self) { try InspectRequest(frames: request.frames()) }
        let long = InspectRequest(number: 1, query: InspectionQuery(.node), deadline: .seconds(61))
        #expect(throws: ClientFrameError.self) { try InspectRequest(frames: long.frames()) }
    }

    @Test func whatIsOverTheLimitsIsLeftOutAndCounted() throws {
        var report = ReportSamples.report
        report.tenants = (0..<1500).map { TenantReport(name: TenantName("t\($0)")) }
        let reply = try InspectReply(frames: InspectReply(number: 1, outcome: .report(report)).frames())
        guard case .report(let read) = reply.outcome else {
            Issue.record("a report was expected")
            return
        }
        #expect(read.tenants == Array(report.tenants.prefix(1024)))
        #expect(read.omittedCount == report.omittedCount + 476)
    }

    @Test func aReportThatDoesNotFitIsHalvedUntilItDoes() throws {
        var limits = InspectionLimits()
        limits.replyByteCountMax = 64 << 10
        var report = ReportSamples.report
        report.actors = (0..<1000).map { index in
            var actor = ReportSamples.report.actors[0]
            actor.id = "actor-\(index)"
            return actor
        }
        let frames = InspectReply(number: 1, outcome: .report(report)).frames(limits: limits)
        #expect(frames[1].count <= limits.replyByteCountMax)
        guard case .report(let read) = try InspectReply(frames: frames).outcome else {
            Issue.record("a report was expected")
            return
        }
        #expect(read.actors.count > 0)
        #expect(read.actors.count + read.omittedCount >= 1000 + report.omittedCount)
    }

    @Test func aLongTextIsCut() throws {
        var report = ReportSamples.report
        report.host = String(repeating: "ß", count: 1000)
        let reply = try InspectReply(frames: InspectReply(number: 1, outcome: .report(report)).frames())
        guard case .report(let read) = reply.outcome else {
            Issue.record("a report was expected")
            return
        }
        #expect(read.host == String(repeating: "ß", count: 512))
    }

    @Test(arguments: 0..<8)
    func changedBytesAreReadOrRefusedAndNeverTrap(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let samples = [
            InspectReply(number: 5, outcome: .report(ReportSamples.report)).frames(),
            InspectReply(number: 6, outcome: .refused("not now")).frames(),
            InspectRequest(number: 7, query: InspectionQuery(.actors, name: "x"), deadline: .seconds(1)).frames(),
        ]
        for _ in 0..<3000 {
            guard var frames = samples.randomElement(using: &generator) else { continue }
            Fuzz.change(&frames, using: &generator)
            if let reply = try? InspectReply(frames: frames) {
                #expect((try? InspectReply(frames: reply.frames())) == reply, "seed \(seed)")
            }
            if let request = try? InspectRequest(frames: frames) {
                #expect((try? InspectRequest(frames: request.frames())) == request, "seed \(seed)")
            }
        }
    }
}
