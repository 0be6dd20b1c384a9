import HeddleCore
import Testing

@Suite struct PlacementPolicyTests {
    private func table(_ names: [String], kv: Int = 640, sequences: Int = 4, slots: Int = 2) throws -> GroupTable {
        var table = GroupTable(groupCountMax: 8)
        for name in names {
            let capacity = try GroupCapacity(
                sequenceCountMax: sequences, kvTokenCountMax: kv, sequenceTokenCountMax: 320, adapterSlotCount: slots)
            #expect(table.insert(group(name), capacity: capacity, now: at(0)) == true)
        }
        return table
    }

    private func choice(_ ticket: Ticket, _ table: GroupTable, _ policy: PlacementPolicy = .pack) -> String? {
        policy.choose(for: ticket, among: table.groups)?.id.group.text
    }

    @Test func theBusiestGroupWithRoomIsChosenAndTiesGoByName() throws {
        var table = try table(["b", "a", "c"])
        #expect(choice(ticket(1), table) == "a")
        table.reserve(ticket(1), at: group("c"))
        #expect(choice(ticket(2), table) == "c")
        #expect(choice(ticket(2), table, .spread) == "a")
        for number in 2...4 as ClosedRange<UInt64> { table.reserve(ticket(number), at: group("c")) }
        #expect(choice(ticket(5), table) == "a")
    }

    @Test func aGroupThatRunsTheAdapterComesFirstThenOneThatHeldIt() throws {
        var table = try table(["a", "b", "c"])
        table.reserve(ticket(1, prompt: 200), at: group("a"))
        table.reserve(ticket(2, adapter: adapter(1)), at: group("b"))
        table.reserve(ticket(3, adapter: adapter(1)), at: group("c"))
        #expect(choice(ticket(9, adapter: adapter(1)), table) == "b")
        table.release(ticket(2, adapter: adapter(1)), at: group("b"))
        #expect(choice(ticket(9, adapter: adapter(1)), table) == "c")
        table.release(ticket(3, adapter: adapter(1)), at: group("c"))
        #expect(choice(ticket(9, adapter: adapter(1)), table) == "b")
        #expect(choice(ticket(9, adapter: adapter(2)), table) == "a")
        #expect(choice(ticket(9), table) == "a")
    }

    @Test func aGroupWhoseSlotsAreAllInUseHasNoRoomForAnotherAdapter() throws {
        var table = try table(["a"])
        table.reserve(ticket(1, adapter: adapter(1)), at: group("a"))
        table.reserve(ticket(2, adapter: adapter(2)), at: group("a"))
        #expect(choice(ticket(3, adapter: adapter(3)), table) == nil)
        #expect(choice(ticket(3, adapter: adapter(2)), table) == "a")
        #expect(choice(ticket(3), table) == "a")
        table.release(ticket(1, adapter: adapter(1)), at: group("a"))
        #expect(choice(ticket(3, adapter: adapter(3)), table) == "a")
    }

    @Test func roomIsCountedInSequencesBlocksAndTokensOfOneSequence() throws {
        var table = try table(["a"])
        #expect(choice(ticket(1, choices: 5), table) == nil)
        #expect(choice(ticket(1, choices: 4), table) == "a")
        #expect(choice(ticket(1, prompt: 300, max: 21), table) == nil)
        #expect(choice(ticket(1, prompt: 300, max: 20), table) == "a")
        table.reserve(ticket(1, prompt: 300, max: 20), at: group("a"))
        #expect(choice(ticket(2, prompt: 300, max: 20), table) == "a")
        table.reserve(ticket(2, prompt: 300, max: 4), at: group("a"))
        // 16 positions are left.
        #expect(choice(ticket(3, prompt: 8, max: 9), table) == nil)
        #expect(choice(ticket(3, prompt: 8, max: 8), table) == "a")
    }

    @Test func whatIsLateAboutAnEpochThatIsOverIsRecognised() throws {
        var table = try table(["a"])
        table.remove(upTo: group("a", 3))
        #expect(table.groups.isEmpty)
        #expect(table.isOver(group("a", 3)) && table.isOver(group("a", 1)))
        #expect(!table.isOver(group("a", 4)) && !table.isOver(group("b", 1)))
    }
}
