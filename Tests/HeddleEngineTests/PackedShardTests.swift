import Foundation
import HeddleCore
import HeddleEngine
import HeddleFiles
import Synchronization
import Testing

/// Packed shards in files: the same bits as in memory, and nothing is believed that was not checked.
@Suite struct PackedShardTests {
    private struct Case {
        let model: ModelFolder
        let plan: ShardPlan
        let format: WeightFormat
        let store: PackedShardStore
        let address: ShardAddress

        init(_ folder: String, _ name: String = "heads6kv3", format: WeightFormat = .int8, rank: Int = 0) throws {
            model = try Golden(name).model
            plan = try ShardPlan(configuration: model.configuration, rank: rank, rankCount: 2)
            self.format = format
            store = PackedShardStore(directory: folder + "/cache")
            address = store.address(model, plan, format)
        }

        var path: String { store.path(of: address) }
        var file: Data { get throws { try Data(contentsOf: URL(filePath: path)) } }

        func replace(_ bytes: Data) throws { try bytes.write(to: URL(filePath: path)) }

        @discardableResult func pack(_ store: PackedShardStore? = nil) throws -> PackedShardStore.Packing {
            try (store ?? self.store).pack(address, model: model, plan: plan, format: format)
        }

        func open() throws -> PackedShard { try store.open(address, model: model, plan: plan, format: format) }

        /// The file with another number at a place of its head, and the head's checksum made anew.
        func changed(_ whole: Data, at place: Int, to number: UInt32) -> Data {
            var bytes = whole
            withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(place..<(place + 4), with: $0) }
            let headByteCount = Int(
                whole.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 12, as: UInt32.self) })
            bytes.replaceSubrange(120..<128, with: repeatElement(0, count: 8))
            let sum = bytes.prefix(headByteCount).withUnsafeBytes { PackedChecksum.sum(of: $0) }
            withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(120..<128, with: $0) }
            return bytes
        }
    }

    /// All architectures, all formats, on one rank and on three: every logit is the same bits from a file as from memory.
    @Test(arguments: Golden.ofEachArchitecture, WeightFormat.allCases)
    func aMappedShardComputesTheSameBits(_ name: String, _ format: WeightFormat) throws {
        let golden = try Golden(name)
        try withTemporaryFolder { folder in
            let store = PackedShardStore(directory: folder)
            let rankCounts =
                (try? ShardPlan(configuration: golden.model.configuration, rank: 0, rankCount: 3)) == nil
                ? [1] : [1, 3]
            for rankCount in rankCounts {
                let feeds = [golden.feed(0)]
                func run(_ store: PackedShardStore?) throws -> [[[UInt32]]] {
                    let group = try RankGroup(golden, rankCount: rankCount, format: format, store: store)
                    return try Driver.run(feeds, on: group, chunk: 8, blocks: Array(0..<64))
                        .map { $0.map { $0.map(\.bitPattern) } }
                }
                let (mapped, inMemory) = (try run(store), try run(nil))
                #expect(mapped == inMemory)
            }
        }
    }

    @Test func packingTwiceFindsTheFirst() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            guard case .made(let byteCount, nil) = try these.pack() else {
                Issue.record("nothing was made")
                return
            }
            let whole = try these.file
            #expect(whole.count == byteCount && these.store.byteCount(of: these.address) == byteCount)
            #expect(
                byteCount == these.store.packedByteCount(model: these.model, plan: these.plan, format: these.format))
            #expect(try these.pack() == .found(byteCount: byteCount))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/cache/shards")
            #expect(names == [these.address.fileName])
            let mode = try FileManager.default.attributesOfItem(atPath: these.path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    /// Threads and windows decide nothing: one thread packs what three do.
    @Test(arguments: WeightFormat.allCases) func everyThreadCountPacksTheSameBytes(_ format: WeightFormat) throws {
        try withTemporaryFolder { folder in
            let one = try Case(folder + "/1", format: format)
            let three = try Case(folder + "/3", format: format)
            try one.pack()
            _ = try three.store.pack(
                three.address, model: three.model, plan: three.plan, format: format, threadCount: 3)
            #expect(try one.file == three.file)
        }
    }

    @Test func theAddressSaysAllThatDecidesTheBytes() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            let others = [
                try Case(folder, rank: 1).address, try Case(folder, format: .int4).address,
                try Case(folder, "heads8kv2").address,
                these.store.address(
                    these.model, try ShardPlan(configuration: these.model.configuration, rank: 0, rankCount: 3), .int8),
            ]
            #expect(Set(others + [these.address]).count == 5)
            #expect(Set((others + [these.address]).map(\.fileName)).count == 5)
            // A checkpoint of bf16 alone: both names are one file.
            #expect(try Case(folder, format: .auto).address == Case(folder, format: .bf16).address)
        }
    }

    @Test func aTruncatedFileIsRefusedAtEveryLengthAndPackedAgain() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            try these.pack()
            let whole = try these.file
            for count in [0, 1, 127, 128, 200, 4095, 4096, whole.count / 2, whole.count - 64, whole.count - 1] {
                try these.replace(whole.prefix(count))
                #expect(throws: PackedFileError.self, "\(count) bytes") { try these.open() }
            }
            try these.replace(whole + [0])
            let tooLong = PackedFileError.tooLong(path: these.path, byteCount: whole.count + 1, expected: whole.count)
            #expect(throws: tooLong) { try these.open() }
            #expect(try these.pack() == .made(byteCount: whole.count, refused: tooLong))
            #expect(try these.file == whole)
            _ = try these.open()
        }
    }

    @Test func aDamagedByteIsNoticedWhereverItIs() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            try these.pack()
            let whole = try these.file
            for place in Array(0..<128) + Array(stride(from: 128, to: whole.count - 64, by: 509)) {
                var damaged = whole
                damaged[place] ^= 0x41
                try these.replace(damaged)
                #expect(throws: PackedFileError.self, "byte \(place)") { try these.open() }
            }
        }
    }

    /// Whoever forges a file can make its checksums right; every number is compared with what it must be all the same.
    @Test func aForgedNumberIsRefusedByName() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            try these.pack()
            let whole = try these.file
            let partCount = Int(whole.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 80, as: UInt32.self) })
            let table = (0..<partCount).flatMap { part in (0..<12).map { 128 + 64 * part + 4 * $0 } }
            for place in [8, 12, 80, 84, 88, 92, 96, 100] + table {
                let old = whole.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt32.self) }
                for number in [0, UInt32.max, old &+ 1] where number != old {
                    try these.replace(these.changed(whole, at: place, to: number))
                    let error = try #require(throws: PackedFileError.self, "\(number) at \(place)") {
                        try these.open()
                    }
                    #expect(!"\(error)".isEmpty)
                    if place >= 128 {
                        guard case .invalidTable(_, let field, let value) = error else {
                            Issue.record("\(number) at \(place): \(error)")
                            continue
                        }
                        #expect(field.contains("part \((place - 128) / 64)'s") && value == Int(number))
                    }
                }
            }
        }
    }

    @Test func aFileOfAnotherModelOrShardIsNamed() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            let other = try Case(folder, rank: 1)
            try these.pack()
            try other.pack()
            try these.replace(try other.file)
            let error = try #require(throws: PackedFileError.self) { try these.open() }
            switch error {
            case .otherShard, .invalidTable: break
            default: Issue.record("\(error)")
            }
            #expect(throws: PackedFileError.self) {
                try these.replace(Data("HEDDLELA".utf8) + Data(count: 200))
                _ = try these.open()
            }
        }
    }

    /// Many at once, as ranks of two replicas that start together: one packs, the others find it.
    @Test func ofManyWhoWantAShardOnePacksIt() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            let outcomes = Mutex<[PackedShardStore.Packing]>([])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                if let outcome = try? these.pack() { outcomes.withLock { $0.append(outcome) } }
            }
            let made = outcomes.withLock { $0.filter { if case .made = $0 { true } else { false } } }
            #expect(made.count == 1 && outcomes.withLock(\.count) == 8)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/cache/shards")
            #expect(names == [these.address.fileName])
        }
    }

    @Test func theFilesUsedLongestAgoMakeRoom() throws {
        try withTemporaryFolder { folder in
            let cases = try [Case(folder), Case(folder, rank: 1), Case(folder, format: .bf16)]
            let sizes = try cases.map { these in
                try these.pack()
                return try these.file.count
            }
            // The first is used again, later than the second.
            for (index, seconds) in [(0, 300.0), (1, 100), (2, 200)] {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: cases[index].path)
            }
            let last = try Case(folder, format: .int4)
            let byteCount = last.store.packedByteCount(model: last.model, plan: last.plan, format: .int4)
            let small = PackedShardStore(
                directory: folder + "/cache", byteCountMax: sizes[0] + sizes[2] + byteCount)
            try last.pack(small)
            #expect(cases.map { small.byteCount(of: $0.address) } == [sizes[0], nil, sizes[2]])
            let tiny = PackedShardStore(directory: folder + "/cache", byteCountMax: sizes[1] - 1)
            #expect(
                throws: PackedFileError.overBudget(
                    directory: folder + "/cache", byteCount: sizes[1], byteCountMax: sizes[1] - 1)
            ) { try cases[1].pack(tiny) }
            #expect(small.byteCount(of: cases[0].address) == sizes[0])
        }
    }

    @Test func whatAKilledPackerLeftGoes() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            try FileManager.default.createDirectory(
                atPath: folder + "/cache/shards", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            for name in ["\(these.address.fileName).1.2.part", "other.heddle.1.2.part", "old.heddle.3.4.part"] {
                try Data([1]).write(to: URL(filePath: "\(folder)/cache/shards/\(name)"))
            }
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1)],
                ofItemAtPath: folder + "/cache/shards/old.heddle.3.4.part")
            try these.pack()
            let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/cache/shards").sorted()
            #expect(names == [these.address.fileName, "other.heddle.1.2.part"])
        }
    }

    @Test func aFolderThatOthersMayWriteIntoIsNotUsed() throws {
        try withTemporaryFolder { folder in
            let these = try Case(folder)
            try these.pack()
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o777], ofItemAtPath: folder + "/cache/shards")
            for use in [{ _ = try these.open() }, { _ = try these.pack() }] {
                let error = try #require(throws: PackedFileError.self) { try use() }
                guard case .notPrivate = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    /// What the bytes of a packed shard are is fixed by the layout's version: whoever changes this file's numbers, or the kernels'
    /// tiles and with them these sums, counts `ShardLayout.version` up, or old files would be read wrongly.
    @Test(arguments: WeightFormat.allCases) func packedBytesOfThisLayout(_ format: WeightFormat) throws {
        let expected: [WeightFormat: UInt64] = [
            .auto: 0x0706_a836_17f8_8184, .f32: 0x959f_47bd_4b87_2fb4, .bf16: 0x0706_a836_17f8_8184,
            .int8: 0x2cb1_30e3_c9a5_bca8, .int4: 0xf516_f2e7_9efa_9821,
        ]
        try withTemporaryFolder { folder in
            let these = try Case(folder, format: format)
            try these.pack()
            let whole = try these.file
            let head = Int(whole.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 12, as: UInt32.self) })
            let sum = whole[head...].withUnsafeBytes { PackedChecksum.sum(of: $0) }
            #expect(sum == expected[format], "0x\(String(sum, radix: 16))")
        }
    }
}
