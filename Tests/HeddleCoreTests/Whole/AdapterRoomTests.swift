import HeddleCore
import Testing

/// An adapter-cache and the worker groups of its host, all of them the real cores: far more adapters than slots and bytes.
@Suite struct AdapterRoomTests {
    /// Groups of one rank that share a cache, whose messages are carried at once.
    private struct Host {
        var cache: AdapterResidency
        var groups: [ScriptedGroup]
        /// The slot of each group that holds or waits for an adapter.
        var holders: [AdapterHolder: (group: Int, slot: AdapterSlot, key: AdapterKey)] = [:]
        var numberLast: UInt64 = 0
        var now: UInt64 = 0
        var faults: [String] = []

        func size(_ key: AdapterKey) -> Int {
            if case .digest(let digest) = key.source { 20 + Int(digest.bytes[0]) } else { 0 }
        }

        mutating func take(_ actions: [AdapterResidency.Action]) {
            for action in actions {
                switch action {
                case .load(let key): take(cache.loadMeasured(key, bytes: size(key), now: at(now)))
                case .write(let key): take(cache.loadSucceeded(key, now: at(now)))
                case .ready(_, let holder, let bytes):
                    guard let index = holders[holder]?.group else { continue }
                    groups[index].finishLoad(of: holders[holder].map(\.slot), bytes: bytes)
                    release(index)
                case .failed(let key, _, let error): faults.append("\(key): \(error)")
                case .askForRoom:
                    for index in groups.indices {
                        groups[index].wantRoom(now: at(now))
                        release(index)
                    }
                case .forget, .evict: break
                }
            }
        }

        /// Tells the cache of slots that no longer hold what they held.
        mutating func release(_ index: Int) {
            let gone = holders.filter { _, held in
                held.group == index && groups[index].holding(held.slot).map { .digest($0) } != held.key.source
            }
            for (number, held) in gone.sorted(by: { $0.key < $1.key }) {
                guard holders.removeValue(forKey: number) != nil else { continue }
                take(cache.release(held.key, holder: number, now: at(now)))
            }
        }

        mutating func step(_ index: Int) {
            _ = groups[index].step(now: at(now))
            release(index)
            for (adapter, slot) in groups[index].loading
            where !holders.values.contains(where: { $0.group == index && $0.slot == slot }) {
                numberLast += 1
                let key = AdapterKey(source: .digest(adapter.digest), shardCount: 1)
                holders[AdapterHolder(numberLast)] = (index, slot, key)
                take(cache.acquire(key, holder: AdapterHolder(numberLast), now: at(now)))
            }
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func everyAdapterIsServedInTurnHoweverLittleFits(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        // One adapter at least fits; they have 21 to 50 bytes.
        let bytes = random.number(50...120)
        let limits = try BatchLimits(
            blockCount: 40, runningCountMax: 4, stepTokenCountMax: 32, adapterSlotCount: random.number(1...5),
            passedOverStepCountMax: random.number(1...8))
        var host = Host(
            cache: AdapterResidency(limits: try AdapterResidencyLimits(byteCountMax: bytes, loadCountMax: random.number(1...4))),
            groups: (0..<random.number(1...3)).map { _ in ScriptedGroup(limits) })
        for number in 1...120 as ClosedRange<UInt64> {
            let adapter = adapter(UInt8(random.number(1...30)))
            host.groups[random.number(0...host.groups.count - 1)].admit(
                [sequence(number, adapter: adapter, max: random.number(1...6))], now: at(0))
        }
        var turns = 0
        while !host.groups.allSatisfy(\.scheduler.isIdle), turns < 20_000, host.faults.isEmpty {
            turns += 1
            host.now += 1
            for index in host.groups.indices { host.step(index) }
            if turns % 10 == 0 { host.take(host.cache.tick()) }
        }
        #expect(turns < 20_000, "seed \(seed): no progress")
        #expect(host.faults == [], "seed \(seed)")
        #expect(host.groups.allSatisfy { $0.faults.isEmpty && $0.failures.isEmpty }, "seed \(seed)")
        #expect(host.groups.reduce(0) { $0 + $1.released.count } == 120, "seed \(seed)")
        // Nothing is packed twice while it is here, and nothing is packed for nothing.
        let counts = host.cache.report().counts
        #expect(counts.failures == 0 && counts.loads <= counts.evictions + host.cache.entryCount, "seed \(seed)")
    }
}
