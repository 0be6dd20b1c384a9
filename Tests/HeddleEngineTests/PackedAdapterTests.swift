import Foundation
import HeddleCore
import HeddleEngine
import HeddleFiles
import Testing

@Suite struct PackedAdapterTests {
    private struct Case {
        let golden: Golden
        let adapter: AdapterFolder
        let shape: ShardShape

        init(rank: Int = 0, rankCount: Int = 2) throws {
            golden = try Golden("heads6kv3")
            adapter = try #require(golden.adapters["seventeen"])
            let plan = try ShardPlan(configuration: golden.model.configuration, rank: rank, rankCount: rankCount)
            shape = ShardShape(model: golden.model, plan: plan, weights: .auto)
        }

        func write(to path: String) throws {
            try PackedAdapter.write(folder: adapter, for: shape, to: path)
        }

        func open(_ path: String) throws(PackedFileError) -> PackedAdapter {
            try PackedAdapter(path: path, digest: adapter.digest, for: shape)
        }
    }

    @Test func aPackedFileIsWrittenWholeAndLeavesNothingBeside() throws {
        let these = try Case()
        try withTemporaryFolder { folder in
            try these.write(to: folder + "/a.heddle")
            try these.write(to: folder + "/a.heddle")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.heddle"])
            let adapter = try these.open(folder + "/a.heddle")
            #expect(
                PackedAdapter.byteCount(folder: these.adapter, for: these.shape) == adapter.byteCount)
            #expect(adapter.rankMax == 17)
            #expect(adapter.digest == these.adapter.digest)
        }
    }

    @Test func aTruncatedFileIsRefusedAtEveryLength() throws {
        let these = try Case()
        try withTemporaryFolder { folder in
            let path = folder + "/a.heddle"
            try these.write(to: path)
            let whole = try Data(contentsOf: URL(filePath: path))
            for count in [0, 1, 127, 128, 200, 1000, whole.count / 2, whole.count - 1] {
                try whole.prefix(count).write(to: URL(filePath: path))
                #expect(throws: PackedFileError.self, "\(count) bytes") { try these.open(path) }
            }
            try (whole + [0]).write(to: URL(filePath: path))
            #expect(throws: PackedFileError.tooLong(path: path, byteCount: whole.count + 1, expected: whole.count)) {
                try these.open(path)
            }
        }
    }

    @Test func aDamagedByteIsNoticedWhereverItIs() throws {
        let these = try Case()
        try withTemporaryFolder { folder in
            let path = folder + "/a.heddle"
            try these.write(to: path)
            let whole = try Data(contentsOf: URL(filePath: path))
            // Every byte of the header, then samples; the slack at the end means nothing.
            let places = Array(0..<128) + Array(stride(from: 128, to: whole.count - 64, by: 331))
            for place in places {
                var damaged = whole
                damaged[place] ^= 0x41
                try damaged.write(to: URL(filePath: path))
                #expect(throws: PackedFileError.self, "byte \(place)") { try these.open(path) }
            }
        }
    }

    @Test func aFileOfAnotherAdapterOrShardIsNamed() throws {
        let these = try Case()
        let other = try Case(rank: 1)
        try withTemporaryFolder { folder in
            let path = folder + "/a.heddle"
            try these.write(to: path)
            let error = try #require(throws: PackedFileError.self) { try other.open(path) }
            guard case .otherShard = error else {
                Issue.record("\(error)")
                return
            }
            let three = try #require(these.golden.adapters["three"])
            let wrong = try #require(throws: PackedFileError.self) {
                try PackedAdapter(path: path, digest: three.digest, for: these.shape)
            }
            #expect(
                wrong
                    == .otherDigest(
                        path: path, found: these.adapter.digest.description, expected: three.digest.description))
        }
    }

    @Test func anAdapterOfAnotherShardIsNotMapped() throws {
        let these = try Case(rank: 1)
        let group = try RankGroup(these.golden)
        let adapter = try PackedAdapter(folder: these.adapter, for: these.shape)
        #expect(throws: EngineError.self) { try group.pass(0).mapAdapter(adapter, slot: AdapterSlot(9)) }
        #expect(throws: EngineError.self) { try group.pass(0).mapAdapter(adapter, slot: AdapterSlot(-1)) }
    }

    @Test func aPathThatCannotBeWrittenIsNamed() throws {
        let these = try Case()
        #expect(throws: PackedFileError.self) { try these.write(to: "/nowhere/at/all/a.heddle") }
        #expect(throws: PackedFileError.self) { try these.open("/nowhere/at/all/a.heddle") }
    }
}
