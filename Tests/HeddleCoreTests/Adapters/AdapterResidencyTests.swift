import HeddleCore
import Testing

@Suite struct AdapterResidencyTests {
    private func cache(bytes: Int = 100, entries: Int = 10, holders: Int = 10, loads: Int = 2) throws
        -> AdapterResidency
    {
        AdapterResidency(
            limits: try AdapterResidencyLimits(
                byteCountMax: bytes, entryCountMax: entries, holderCountMax: holders, loadCountMax: loads,
                backOff: .seconds(1), backOffMax: .seconds(3)))
    }

    private func key(_ number: UInt8, shards: Int = 1) -> AdapterKey {
        AdapterKey(source: .digest(digest(number)), shardCount: shards)
    }

    private func holder(_ number: UInt64) -> AdapterHolder { AdapterHolder(number) }

    @Test func anAdapterIsLoadedOnceForAllWhoWaitAndThenForNobody() throws {
        var cache = try cache()
        #expect(cache.acquire(key(1), holder: holder(2), now: at(0)) == [.load(key(1))])
        #expect(cache.acquire(key(1), holder: holder(1), now: at(0)) == [])
        #expect(cache.acquire(key(1), holder: holder(1), now: at(0)) == [])
        #expect(
            cache.loadSucceeded(key(1), bytes: 40, now: at(1)) == [
                .ready(key(1), holder(1), bytes: 40), .ready(key(1), holder(2), bytes: 40),
            ])
        #expect(cache.acquire(key(1), holder: holder(3), now: at(2)) == [.ready(key(1), holder(3), bytes: 40)])
        #expect(cache.report().counts.loads == 1 && cache.report().entries[0].holderCount == 3)
    }

    @Test func theSameSourceForAnotherShardCountIsAnotherAdapter() throws {
        var cache = try cache()
        #expect(cache.acquire(key(1, shards: 1), holder: holder(1), now: at(0)) == [.load(key(1, shards: 1))])
        #expect(cache.acquire(key(1, shards: 2), holder: holder(1), now: at(0)) == [.load(key(1, shards: 2))])
    }

    @Test func onlySoManyLoadsAreUnderWayAndTheyBeginInOrder() throws {
        var cache = try cache(loads: 1)
        _ = cache.acquire(key(3), holder: holder(1), now: at(0))
        #expect(cache.acquire(key(1), holder: holder(1), now: at(0)) == [])
        #expect(cache.acquire(key(2), holder: holder(2), now: at(0)) == [])
        #expect(cache.report().entries.map(\.state) == [.loading, .waitingForLoad, .waitingForLoad])
        // Nobody waits for it any more.
        cache.release(key(1), holder: holder(1))
        #expect(
            cache.loadFailed(key(3), reason: "no file", now: at(1)) == [
                .failed(key(3), holder(1), .loadFailed(reason: "no file", retryAfter: .seconds(1))), .load(key(2)),
            ])
    }

    @Test func theLeastRecentlyUsedThatNobodyHoldsIsEvicted() throws {
        var cache = try cache(bytes: 100)
        for number in 1...3 as ClosedRange<UInt8> {
            _ = cache.acquire(key(number), holder: holder(UInt64(number)), now: at(0))
            _ = cache.loadSucceeded(key(number), bytes: 30, now: at(0))
        }
        cache.release(key(2), holder: holder(2))
        cache.release(key(1), holder: holder(1))
        _ = cache.acquire(key(4), holder: holder(4), now: at(1))
        #expect(
            cache.loadSucceeded(key(4), bytes: 50, now: at(1)) == [
                .evict(key(2)), .evict(key(1)), .ready(key(4), holder(4), bytes: 50),
            ])
        #expect(cache.bytes == 80)
    }

    @Test func aHeldAdapterIsNeverEvicted() throws {
        var cache = try cache(bytes: 100)
        _ = cache.acquire(key(1), holder: holder(1), now: at(0))
        _ = cache.loadSucceeded(key(1), bytes: 60, now: at(0))
        _ = cache.acquire(key(2), holder: holder(2), now: at(0))
        #expect(
            cache.loadSucceeded(key(2), bytes: 50, now: at(0)) == [
                .evict(key(2)),
                .failed(key(2), holder(2), .cannotFit(bytes: 50, heldBytes: 60, byteCountMax: 100)),
            ])
        #expect(cache.acquire(key(1), holder: holder(3), now: at(1)) == [.ready(key(1), holder(3), bytes: 60)])
    }

    @Test func aFailedSourceIsLeftAloneForLongerEachTime() throws {
        var cache = try cache()
        var now: UInt64 = 0
        for wait in [1, 2, 3, 3] {
            #expect(cache.acquire(key(1), holder: holder(1), now: at(now)) == [.load(key(1))])
            #expect(
                cache.loadFailed(key(1), reason: "cut short", now: at(now)) == [
                    .failed(key(1), holder(1), .loadFailed(reason: "cut short", retryAfter: .seconds(wait)))
                ])
            #expect(
                cache.acquire(key(1), holder: holder(2), now: at(now + 400)) == [
                    .failed(
                        key(1), holder(2),
                        .loadFailed(reason: "cut short", retryAfter: .milliseconds(wait * 1000 - 400)))
                ])
            now += UInt64(wait) * 1000
        }
        _ = cache.acquire(key(1), holder: holder(1), now: at(now))
        _ = cache.loadSucceeded(key(1), bytes: 1, now: at(now))
        #expect(cache.report().entries.map(\.state) == [.ready(bytes: 1)])
    }

    @Test func aHolderThatIsGoneHoldsNothing() throws {
        var cache = try cache(loads: 1)
        _ = cache.acquire(key(1), holder: holder(1), now: at(0))
        _ = cache.loadSucceeded(key(1), bytes: 10, now: at(0))
        _ = cache.acquire(key(2), holder: holder(1), now: at(0))
        _ = cache.acquire(key(3), holder: holder(1), now: at(0))
        cache.holderGone(holder(1))
        #expect(cache.report().entries.map(\.key) == [key(1), key(2)])
        #expect(cache.report().entries.map(\.holderCount) == [0, 0])
        #expect(cache.loadSucceeded(key(2), bytes: 10, now: at(1)) == [])
    }

    @Test func entriesAndHoldersHaveLimits() throws {
        var cache = try cache(entries: 2, holders: 1)
        _ = cache.acquire(key(1), holder: holder(1), now: at(0))
        _ = cache.acquire(key(2), holder: holder(1), now: at(0))
        #expect(
            cache.acquire(key(1), holder: holder(2), now: at(0)) == [
                .failed(key(1), holder(2), .tooManyHolders(holderCountMax: 1))
            ])
        #expect(
            cache.acquire(key(3), holder: holder(1), now: at(0)) == [
                .failed(key(3), holder(1), .tooManyEntries(entryCountMax: 2))
            ])
        _ = cache.loadSucceeded(key(1), bytes: 1, now: at(0))
        cache.release(key(1), holder: holder(1))
        #expect(cache.acquire(key(3), holder: holder(1), now: at(0)) == [.evict(key(1)), .load(key(3))])
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func anyScheduleAnswersEveryHolderOnceAndKeepsWhatIsHeld(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let (bytes, loads, entries) = (random.number(20...200), random.number(1...3), random.number(3...8))
        var cache = try cache(bytes: bytes, entries: entries, loads: loads)
        var waiting: Set<[UInt64]> = []
        var held: Set<[UInt64]> = []
        var loading: [AdapterKey] = []
        var resident: [AdapterKey: Int] = [:]
        func number(_ key: AdapterKey) -> UInt64 {
            if case .digest(let digest) = key.source { UInt64(digest.bytes[0]) } else { 0 }
        }
        func take(_ actions: [AdapterResidency.Action], loaded: AdapterKey? = nil, bytes: Int = 0) {
            if let loaded { resident[loaded] = bytes }
            for action in actions {
                switch action {
                case .load(let key):
                    #expect(!loading.contains(key) && resident[key] == nil, "seed \(seed)")
                    loading.append(key)
                case .ready(let key, let holder, let bytes):
                    #expect(resident[key] == bytes, "seed \(seed)")
                    #expect(waiting.remove([number(key), holder.number]) != nil, "seed \(seed): answered twice")
                    held.insert([number(key), holder.number])
                case .failed(let key, let holder, _):
                    #expect(waiting.remove([number(key), holder.number]) != nil, "seed \(seed): answered twice")
                case .evict(let key):
                    #expect(!held.contains { $0[0] == number(key) }, "seed \(seed): \(key) is held")
                    #expect(resident.removeValue(forKey: key) != nil, "seed \(seed)")
                }
            }
        }
        for step in 0..<1500 as Range<UInt64> {
            let key = key(UInt8(random.number(1...9)))
            let holder = holder(UInt64(random.number(1...4)))
            switch random.number(0...9) {
            case 0...4:
                let pair = [number(key), holder.number]
                if waiting.contains(pair) || held.contains(pair) { continue }
                waiting.insert(pair)
                take(cache.acquire(key, holder: holder, now: at(step * 50)))
            case 5...6 where !loading.isEmpty:
                let loaded = loading.remove(at: random.number(0...loading.count - 1))
                let size = random.number(1...80)
                take(cache.loadSucceeded(loaded, bytes: size, now: at(step * 50)), loaded: loaded, bytes: size)
            case 7 where !loading.isEmpty:
                take(cache.loadFailed(loading.removeFirst(), reason: "scripted", now: at(step * 50)))
            case 8:
                cache.release(key, holder: holder)
                held.remove([number(key), holder.number])
                waiting.remove([number(key), holder.number])
            default:
                guard random.chance(10) else { continue }
                cache.holderGone(holder)
                held = held.filter { $0[1] != holder.number }
                waiting = waiting.filter { $0[1] != holder.number }
            }
            #expect(loading.count <= loads, "seed \(seed)")
            #expect(resident.values.reduce(0, +) <= bytes && cache.bytes <= bytes, "seed \(seed)")
            #expect(cache.report().entries.count <= entries, "seed \(seed)")
            #expect(
                cache.report().entries.reduce(0) { $0 + $1.holderCount } == held.count + waiting.count, "seed \(seed)")
        }
        while !loading.isEmpty {
            let loaded = loading.removeFirst()
            take(cache.loadSucceeded(loaded, bytes: 1, now: at(100_000)), loaded: loaded, bytes: 1)
        }
        #expect(waiting.isEmpty, "seed \(seed): \(waiting.count) are not answered")
    }
}
