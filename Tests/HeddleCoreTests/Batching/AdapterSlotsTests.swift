import HeddleCore
import Testing

@Suite struct AdapterSlotsTests {
    @Test func theLeastRecentlyUsedUnpinnedAdapterGoesFirst() {
        var slots = AdapterSlots(slotCount: 2)
        #expect(slots.pin(digest(1)) == .load(AdapterSlot(0), evicted: nil))
        #expect(slots.pin(digest(2)) == .load(AdapterSlot(1), evicted: nil))
        #expect(slots.loaded(digest(1), bytes: 10) == true)
        #expect(slots.loaded(digest(2), bytes: 20) == true)
        slots.unpin(digest(1))
        slots.unpin(digest(2))
        #expect(slots.pin(digest(1)) == .ready(AdapterSlot(0)))
        slots.unpin(digest(1))
        #expect(slots.pin(digest(3)) == .load(AdapterSlot(1), evicted: digest(2)))
        #expect(slots.bytes == 10)
    }

    @Test func aPinnedAdapterIsNeverEvicted() {
        var slots = AdapterSlots(slotCount: 1)
        _ = slots.pin(digest(1))
        #expect(slots.loaded(digest(1), bytes: 1) == true)
        #expect(slots.pin(digest(2)) == .full)
        slots.unpin(digest(1))
        #expect(slots.pin(digest(2)) == .load(AdapterSlot(0), evicted: digest(1)))
    }

    @Test func aLoadUnderWayIsNeverEvicted() {
        var slots = AdapterSlots(slotCount: 1)
        _ = slots.pin(digest(1))
        slots.unpin(digest(1))
        #expect(slots.pin(digest(2)) == .full)
    }

    @Test func anAdapterIsLoadedOnceForAllWhoWantIt() {
        var slots = AdapterSlots(slotCount: 2)
        #expect(slots.pin(digest(1)) == .load(AdapterSlot(0), evicted: nil))
        #expect(slots.pin(digest(1)) == .loading(AdapterSlot(0)))
        #expect(slots.loaded(digest(1), bytes: 7) == true)
        #expect(slots.loaded(digest(1), bytes: 7) == false)
        #expect(slots.pin(digest(1)) == .ready(AdapterSlot(0)))
        #expect(slots.entry(digest(1))?.pinCount == 3)
    }

    @Test func idleAdaptersAreLetGoOfLeastRecentlyUsedFirst() {
        var slots = AdapterSlots(slotCount: 4)
        for number in 1...4 as ClosedRange<UInt8> { _ = slots.pin(digest(number)) }
        for number in 1...3 as ClosedRange<UInt8> { _ = slots.loaded(digest(number), bytes: 1) }
        _ = slots.pin(digest(1))
        slots.unpin(digest(1))
        slots.unpin(digest(1))
        slots.unpin(digest(2))
        // The third is pinned, the fourth is being loaded.
        #expect(slots.letGoOfUnpinned() == [AdapterSlot(1), AdapterSlot(0)])
        #expect(slots.used.map(\.digest) == [digest(3), digest(4)])
        #expect(slots.letGoOfUnpinned() == [])
    }

    @Test func aFailedLoadFreesItsSlot() {
        var slots = AdapterSlots(slotCount: 1)
        _ = slots.pin(digest(1))
        #expect(slots.loadFailed(digest(1)) == true)
        #expect(slots.loadFailed(digest(1)) == false)
        #expect(slots.pin(digest(2)) == .load(AdapterSlot(0), evicted: nil))
    }
}
