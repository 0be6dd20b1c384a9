import HeddleCore
import Testing

@Suite struct AdapterDescriptionsTests {
    private typealias Descriptions = AdapterDescriptions<Int>
    private let sql = AdapterSource(adapter: AdapterName("sql"), model: ModelName("base"))
    private let json = AdapterSource(adapter: AdapterName("json"), model: ModelName("base"))
    private let error = RequestError.adapterInvalid(adapter: "sql", reason: "no memory")

    @Test func filesAreReadOnceForAllWhoAskAndThenForNobody() throws {
        var descriptions = try Descriptions()
        #expect(descriptions.describe(sql, stamp: 1, asker: 1, now: at(0)) == [.read(sql)])
        #expect(descriptions.describe(sql, stamp: 1, asker: 2, now: at(0)) == [])
        #expect(
            descriptions.readSucceeded(sql, adapter(1)) == [
                .answer(asker: 1, adapter(1)), .answer(asker: 2, adapter(1)),
            ])
        #expect(descriptions.describe(sql, stamp: 1, asker: 3, now: at(1)) == [.answer(asker: 3, adapter(1))])
        #expect(descriptions.known(sql) == adapter(1))
    }

    @Test func filesThatHaveChangedAreReadAgain() throws {
        var descriptions = try Descriptions()
        _ = descriptions.describe(sql, stamp: 1, asker: 1, now: at(0))
        // It has seen newer files than those that are being read.
        #expect(descriptions.describe(sql, stamp: 2, asker: 2, now: at(0)) == [])
        #expect(descriptions.readSucceeded(sql, adapter(1)) == [.answer(asker: 1, adapter(1)), .read(sql)])
        #expect(descriptions.readSucceeded(sql, adapter(2)) == [.answer(asker: 2, adapter(2))])
        #expect(descriptions.describe(sql, stamp: 2, asker: 3, now: at(1)) == [.answer(asker: 3, adapter(2))])
    }

    @Test func aFailureIsBelievedForAWhileAndNotUntilTheFilesChange() throws {
        var descriptions = try Descriptions(backOff: .seconds(1), backOffMax: .seconds(3))
        var now: UInt64 = 0
        for wait in [1, 2, 3, 3] as [UInt64] {
            #expect(descriptions.describe(sql, stamp: 1, asker: 1, now: at(now)) == [.read(sql)])
            #expect(descriptions.readFailed(sql, error, now: at(now)) == [.fail(asker: 1, error)])
            #expect(
                descriptions.describe(sql, stamp: 1, asker: 2, now: at(now + wait * 1000 - 1)) == [
                    .fail(asker: 2, error)
                ])
            now += wait * 1000
        }
        // Other files are looked at at once.
        _ = descriptions.describe(sql, stamp: 1, asker: 1, now: at(now))
        _ = descriptions.readFailed(sql, error, now: at(now))
        #expect(descriptions.describe(sql, stamp: 2, asker: 3, now: at(now)) == [.read(sql)])
        #expect(descriptions.readSucceeded(sql, adapter(1)) == [.answer(asker: 3, adapter(1))])
    }

    @Test func onlySoManyAreReadAtTheSameTimeAndSoManyWait() throws {
        var descriptions = try Descriptions(readCountMax: 1, askerCountMax: 2)
        #expect(descriptions.describe(sql, stamp: 1, asker: 1, now: at(0)) == [.read(sql)])
        #expect(descriptions.describe(json, stamp: 1, asker: 2, now: at(0)) == [])
        #expect(
            descriptions.describe(json, stamp: 1, asker: 3, now: at(0)) == [
                .fail(asker: 3, .busy(retryAfter: .seconds(1)))
            ])
        #expect(descriptions.readFailed(sql, error, now: at(0)) == [.fail(asker: 1, error), .read(json)])
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func anyScheduleAnswersEveryAskerOnceWithWhatItSawOrNewer(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let reads = random.number(1...3)
        var descriptions = try Descriptions(readCountMax: reads, backOff: .milliseconds(200))
        let sources = (0..<5).map { AdapterSource(adapter: AdapterName("a\($0)"), model: ModelName("base")) }
        var versions = [AdapterSource: Int](uniqueKeysWithValues: sources.map { ($0, 1) })
        var asked: [UInt64: (source: AdapterSource, version: Int)] = [:]
        var reading: [AdapterSource] = []
        var asker: UInt64 = 0
        func take(_ actions: [Descriptions.Action]) {
            for action in actions {
                switch action {
                case .read(let source):
                    #expect(!reading.contains(source), "seed \(seed)")
                    reading.append(source)
                case .answer(let asker, let reference):
                    let question = asked.removeValue(forKey: asker)
                    #expect(question.map { reference.rank >= $0.version } ?? false, "seed \(seed): answered twice, or stale")
                case .fail(let asker, _): #expect(asked.removeValue(forKey: asker) != nil, "seed \(seed)")
                }
            }
            #expect(reading.count <= reads, "seed \(seed)")
        }
        for step in 0..<1000 as Range<UInt64> {
            let source = random.pick(sources)
            switch random.number(0...9) {
            case 0...4:
                asker += 1
                asked[asker] = (source, versions[source] ?? 0)
                take(descriptions.describe(source, stamp: versions[source] ?? 0, asker: asker, now: at(step * 20)))
            case 5: versions[source, default: 1] += 1
            case 6...8 where !reading.isEmpty:
                let source = reading.remove(at: random.number(0...reading.count - 1))
                // The version stands in the rank.
                take(descriptions.readSucceeded(source, adapter(1, rank: versions[source] ?? 0)))
            case 9 where !reading.isEmpty:
                take(descriptions.readFailed(reading.removeFirst(), error, now: at(step * 20)))
            default: continue
            }
        }
        while !reading.isEmpty {
            let source = reading.removeFirst()
            take(descriptions.readSucceeded(source, adapter(1, rank: versions[source] ?? 0)))
        }
        #expect(asked.isEmpty, "seed \(seed): \(asked.count) are not answered")
    }
}
