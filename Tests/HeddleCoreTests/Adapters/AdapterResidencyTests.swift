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

    /// Asks for an adapter that fits and has it read and written.
    private func hold(_ cache: inout AdapterResidency, _ number: UInt8, by holder: UInt64, bytes: Int) {
        let key = key(number)
        _ = cache.acquire(key, holder: AdapterHolder(holder), now: at(0))
        _ = cache.loadMeasured(key, bytes: bytes, now: at(0))
        _ = cache.loadSucceeded(key, now: at(0))
    }

    @Test func anAdapterIsLoadedOnceForAllWhoWaitAndThenForNobody() throws {
        var cache = try cache()
        #expect(cache.acquire(key(1), holder: holder(2), now: at(0)) == [.load(key(1))])
        #expect(cache.acquire(key(1), holder: holder(1), now: at(0)) == [])
        #expect(cache.loadMeasured(key(1), bytes: 40, now: at(1)) == [.write(key(1))])
        #expect(cache.acquire(key(1), holder: holder(1), now: at(1)) == [])
        #expect(
            cache.loadSucceeded(key(1), now: at(1)) == [
                .ready(key(1), holder(1), bytes: 40), .ready(key(1), holder(2), bytes: 40),
            ])
        #expect(cache.acquire(key(1), holder: holder(3), now: at(2)) == [.ready(key(1), holder(3), bytes: 40)])
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
        #expect(cache.release(key(1), holder: holder(1), now: at(0)) == [])
        #expect(
            cache.loadFailed(key(3), reason: "no file", now: at(1)) == [
                .failed(key(3), holder(1), .loadFailed(reason: "no file", retryAfter: .seconds(1))), .load(key(2)),
            ])
    }

    @Test func theLeastRecentlyUsedThatNobodyHoldsIsEvicted() throws {
        var cache = try cache(bytes: 100)
        for number in 1...3 as ClosedRange<UInt8> { hold(&cache, number, by: UInt64(number), bytes: 30) }
        #expect(cache.release(key(2), holder: holder(2), now: at(0)) == [])
        #expect(cache.release(key(1), holder: holder(1), now: at(0)) == [])
        #expect(cache.acquire(key(4), holder: holder(4), now: at(1)) == [.load(key(4))])
        #expect(
            cache.loadMeasured(key(4), bytes: 50, now: at(1)) == [.evict(key(2)), .evict(key(1)), .write(key(4))])
        #expect(cache.bytes == 80)
        #expect(cache.loadSucceeded(key(4), now: at(2)) == [.ready(key(4), holder(4), bytes: 50)])
    }

    @Test func whoFindsNoRoomWaitsUntilAHolderLetsGoAndIsNeverRefused() throws {
        var cache = try cache(bytes: 100)
        hold(&cache, 1, by: 1, bytes: 60)
        _ = cache.acquire(key(2), holder: holder(2), now: at(0))
        #expect(cache.loadMeasured(key(2), bytes: 50, now: at(0)) == [.askForRoom])
        #expect(cache.isRoomWanted)
        #expect(cache.report().entries.map(\.state) == [.ready(bytes: 60), .waitingForRoom(bytes: 50)])
        #expect(cache.tick() == [.askForRoom])
        #expect(cache.bytes == 60)
        // A held adapter is never evicted, and is there for others meanwhile.
        #expect(cache.acquire(key(1), holder: holder(3), now: at(1)) == [.ready(key(1), holder(3), bytes: 60)])
        #expect(cache.release(key(1), holder: holder(1), now: at(2)) == [])
        #expect(cache.release(key(1), holder: holder(3), now: at(3)) == [.evict(key(1)), .write(key(2))])
        #expect(!cache.isRoomWanted && cache.tick() == [])
        #expect(cache.loadSucceeded(key(2), now: at(4)) == [.ready(key(2), holder(2), bytes: 50)])
        #expect(cache.report().counts.loads == 2 && cache.report().counts.failures == 0)
    }

    @Test func roomIsGivenInTheOrderInWhichItWasAskedFor() throws {
        var cache = try cache(bytes: 100)
        hold(&cache, 1, by: 1, bytes: 60)
        _ = cache.acquire(key(2), holder: holder(2), now: at(0))
        _ = cache.acquire(key(3), holder: holder(3), now: at(0))
        // It would fit, but the larger one was first.
        #expect(cache.loadMeasured(key(2), bytes: 90, now: at(0)) == [.askForRoom])
        #expect(cache.loadMeasured(key(3), bytes: 10, now: at(0)) == [.askForRoom])
        #expect(
            cache.release(key(1), holder: holder(1), now: at(1)) == [.evict(key(1)), .write(key(2)), .write(key(3))])
        #expect(cache.bytes == 100)
    }

    @Test func whoGivesUpWaitingForRoomHoldsUpNobody() throws {
        var cache = try cache(bytes: 100)
        hold(&cache, 1, by: 1, bytes: 60)
        _ = cache.acquire(key(2), holder: holder(2), now: at(0))
        _ = cache.acquire(key(3), holder: holder(3), now: at(0))
        _ = cache.loadMeasured(key(2), bytes: 90, now: at(0))
        _ = cache.loadMeasured(key(3), bytes: 40, now: at(0))
        #expect(cache.release(key(2), holder: holder(2), now: at(1)) == [.forget(key(2)), .write(key(3))])
    }

    @Test func anAdapterLargerThanTheBudgetIsRefusedWithItsNumbersAndNeverWritten() throws {
        var cache = try cache(bytes: 100)
        _ = cache.acquire(key(1), holder: holder(1), now: at(0))
        let error = AdapterResidencyError.tooLarge(bytes: 101, byteCountMax: 100)
        #expect(
            cache.loadMeasured(key(1), bytes: 101, now: at(0)) == [.forget(key(1)), .failed(key(1), holder(1), error)])
        #expect(cache.acquire(key(1), holder: holder(1), now: at(2999)) == [.failed(key(1), holder(1), error)])
        #expect("\(error)" == "packed it has 101 bytes; the adapter-cache may hold 100")
    }

    @Test func packedFilesThatHaveVanishedAreMadeAgain() throws {
        var cache = try cache(bytes: 100)
        hold(&cache, 1, by: 1, bytes: 60)
        #expect(
            cache.acquire(key(1), holder: holder(2), filesAreThere: false, now: at(1)) == [.load(key(1))])
        #expect(cache.loadMeasured(key(1), bytes: 60, now: at(1)) == [.write(key(1))])
        #expect(cache.loadSucceeded(key(1), now: at(1)) == [.ready(key(1), holder(2), bytes: 60)])
        #expect(cache.report().entries.map(\.holderCount) == [2])
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
        _ = cache.loadMeasured(key(1), bytes: 1, now: at(now))
        _ = cache.loadSucceeded(key(1), now: at(now))
        #expect(cache.report().entries.map(\.state) == [.ready(bytes: 1)])
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
        _ = cache.loadMeasured(key(1), bytes: 1, now: at(0))
        _ = cache.loadSucceeded(key(1), now: at(0))
        _ = cache.release(key(1), holder: holder(1), now: at(0))
        #expect(cache.acquire(key(3), holder: holder(1), now: at(0)) == [.evict(key(1)), .load(key(3))])
    }
}
