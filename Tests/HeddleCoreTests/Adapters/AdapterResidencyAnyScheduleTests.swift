import HeddleCore
import Testing

/// What an adapter-cache promises under any schedule of events, against a model of what was written and who was answered.
@Suite struct AdapterResidencyAnyScheduleTests {
    private struct Pair: Hashable {
        let key: AdapterKey
        let holder: AdapterHolder
    }

    private struct Model {
        let seed: UInt64
        let byteCountMax: Int
        var waiting: Set<Pair> = []
        var held: Set<Pair> = []
        var loading: [AdapterKey] = []
        /// Read and not let go of.
        var read: Set<AdapterKey> = []
        var writing: [AdapterKey] = []
        var written: Set<AdapterKey> = []
        var sizes: [AdapterKey: Int] = [:]

        var bytes: Int { (Array(written) + writing).reduce(0) { $0 + (sizes[$1] ?? 0) } }

        mutating func take(_ actions: [AdapterResidency.Action]) {
            for action in actions {
                switch action {
                case .load(let key):
                    #expect(!loading.contains(key) && !read.contains(key) && !writing.contains(key), "seed \(seed)")
                    loading.append(key)
                case .write(let key):
                    #expect(read.remove(key) != nil, "seed \(seed): \(key) is written and was not read")
                    written.remove(key)
                    writing.append(key)
                case .forget(let key): #expect(read.remove(key) != nil, "seed \(seed)")
                case .ready(let key, let holder, let bytes):
                    #expect(written.contains(key) && sizes[key] == bytes, "seed \(seed)")
                    #expect(waiting.remove(Pair(key: key, holder: holder)) != nil, "seed \(seed): answered twice")
                    held.insert(Pair(key: key, holder: holder))
                case .failed(let key, let holder, let error):
                    #expect(waiting.remove(Pair(key: key, holder: holder)) != nil, "seed \(seed): answered twice")
                    if case .tooLarge(let bytes, _) = error { #expect(bytes > byteCountMax, "seed \(seed)") }
                case .evict(let key):
                    #expect(!held.contains { $0.key == key }, "seed \(seed): \(key) is held")
                    #expect(written.remove(key) != nil, "seed \(seed)")
                case .askForRoom: #expect(held.count + writing.count > 0, "seed \(seed): nobody can let go")
                }
            }
            #expect(bytes <= byteCountMax, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func anyScheduleAnswersEveryHolderOnceAndKeepsWhatIsHeld(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let (bytes, loads, entries) = (random.number(20...200), random.number(1...3), random.number(3...8))
        var cache = AdapterResidency(
            limits: try AdapterResidencyLimits(
                byteCountMax: bytes, entryCountMax: entries, holderCountMax: 10, loadCountMax: loads,
                backOff: .seconds(1), backOffMax: .seconds(3)))
        var model = Model(seed: seed, byteCountMax: bytes)
        for step in 0..<1500 as Range<UInt64> {
            let now = at(step * 50)
            let key = AdapterKey(source: .digest(digest(UInt8(random.number(1...9)))), shardCount: 1)
            let pair = Pair(key: key, holder: AdapterHolder(UInt64(random.number(1...4))))
            switch random.number(0...9) {
            case 0...3:
                if model.waiting.contains(pair) || model.held.contains(pair) { continue }
                let areThere = !random.chance(5)
                model.waiting.insert(pair)
                if !areThere { model.written.remove(key) }
                model.take(cache.acquire(key, holder: pair.holder, filesAreThere: areThere, now: now))
            case 4...5 where !model.loading.isEmpty:
                let loaded = model.loading.remove(at: random.number(0...model.loading.count - 1))
                let size = model.sizes[loaded] ?? random.number(1...80)
                model.sizes[loaded] = size
                model.read.insert(loaded)
                model.take(cache.loadMeasured(loaded, bytes: size, now: now))
            case 6 where !model.writing.isEmpty:
                let ready = model.writing.removeFirst()
                model.written.insert(ready)
                model.take(cache.loadSucceeded(ready, now: now))
            case 7 where random.chance(50):
                if random.chance(50), !model.writing.isEmpty {
                    model.take(cache.loadFailed(model.writing.removeFirst(), reason: "disk full", now: now))
                } else if !model.loading.isEmpty {
                    model.take(cache.loadFailed(model.loading.removeFirst(), reason: "scripted", now: now))
                }
            case 8:
                model.held.remove(pair)
                model.waiting.remove(pair)
                model.take(cache.release(key, holder: pair.holder, now: now))
            default: model.take(cache.tick())
            }
            let report = cache.report()
            #expect(model.loading.count + model.read.count + model.writing.count <= loads, "seed \(seed)")
            #expect(cache.bytes <= bytes && report.entries.count <= entries, "seed \(seed)")
            #expect(
                report.entries.reduce(0) { $0 + $1.holderCount } >= model.held.count + model.waiting.count, "seed \(seed)")
        }
        settle(&cache, &model)
    }

    /// Everyone lets go of what it holds, in turn: then everyone who waits is answered.
    private func settle(_ cache: inout AdapterResidency, _ model: inout Model) {
        for turn in 0..<1000 as Range<UInt64> where !model.waiting.isEmpty {
            let now = at(1_000_000 + turn)
            while !model.loading.isEmpty {
                let loaded = model.loading.removeFirst()
                let size = model.sizes[loaded] ?? 1
                model.sizes[loaded] = size
                model.read.insert(loaded)
                model.take(cache.loadMeasured(loaded, bytes: size, now: now))
            }
            while !model.writing.isEmpty {
                let ready = model.writing.removeFirst()
                model.written.insert(ready)
                model.take(cache.loadSucceeded(ready, now: now))
            }
            if let pair = model.held.sorted(by: { ($0.key, $0.holder) < ($1.key, $1.holder) }).first {
                model.held.remove(pair)
                model.take(cache.release(pair.key, holder: pair.holder, now: now))
            }
        }
        #expect(model.waiting.isEmpty, "seed \(model.seed): \(model.waiting.count) are not answered")
    }
}
