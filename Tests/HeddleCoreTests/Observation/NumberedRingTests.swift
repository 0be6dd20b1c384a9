import HeddleCore
import Testing

@Suite struct NumberedRingTests {
    @Test func aReaderWhoComesBackGetsWhatIsNew() {
        var ring = NumberedRing<Int>(countMax: 4)
        for value in 1...3 { ring.append(value) }
        #expect(ring.page(after: nil, countMax: 2).entries.map(\.entry) == [2, 3])
        #expect(ring.page(after: 1, countMax: 8).entries.map(\.number) == [2, 3])
        #expect(ring.page(after: 3, countMax: 8).entries.isEmpty)
        #expect(ring.page(after: 3, countMax: 8).missedCount == 0)
    }

    @Test func whatMadeRoomIsCounted() {
        var ring = NumberedRing<Int>(countMax: 4)
        for value in 1...10 { ring.append(value) }
        let page = ring.page(after: 2, countMax: 8)
        #expect(page.entries.map(\.entry) == [7, 8, 9, 10])
        #expect(page.missedCount == 4)
        #expect(ring.page(after: 6, countMax: 2).entries.map(\.number) == [7, 8])
    }

    @Test func anotherProcessesNumberGetsEverything() {
        var ring = NumberedRing<Int>(countMax: 4)
        ring.append(1)
        #expect(ring.page(after: 99, countMax: 8).entries.map(\.entry) == [1])
    }

    /// Whatever is appended and read in between: what is read and what is missed is everything, in order, once.
    @Test(arguments: 0..<20) func nothingIsLostUnsaid(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        var ring = NumberedRing<UInt64>(countMax: 7)
        var (last, appended) = (UInt64(0), UInt64(0))
        for _ in 0..<300 {
            for _ in 0..<Int.random(in: 0...9, using: &generator) {
                appended += 1
                ring.append(appended)
            }
            let page = ring.page(after: last, countMax: Int.random(in: 1...9, using: &generator))
            if let first = page.entries.first { #expect(first.number == last + page.missedCount + 1) }
            for (number, entry) in page.entries { #expect(number == entry) }
            last = page.entries.last?.number ?? last
        }
        while let end = ring.page(after: last, countMax: 3).entries.last { last = end.number }
        #expect(last == appended)
    }
}
