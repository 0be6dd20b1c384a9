import Glibc
import HeddleCore
import HeddleFiles
import HeddleKernels

/// Writes and reads the packed file of a shard.
///
/// All numbers are little-endian. Header (128 bytes): magic, layout version, byte count of the head, address, model digest, number
/// of parts, rank, rank count, number of blocks, the file's byte count, and last the checksum of the head. Table (64 bytes a
/// part): what it is, layer, number of leaves, format, its outputs and inputs in the checkpoint's tensor, offset, byte count. Then a checksum
/// for every block of 4 MiB of the parts, and from the next multiple of 4096 the parts. The file ends with slack that kernels may
/// read.
///
/// A reader knows all of it but the checksums beforehand, since they follow from model, plan and format; it compares every
/// number.
enum PackedShardFile {
    static let magic: [UInt8] = Array("HEDDLEWT".utf8)
    static let kind = "a packed shard"
    static let headerByteCount = 128
    static let entryByteCount = 64
    static let blockByteCount = 4 << 20
    /// What is packed, and written, at a time: 32 MiB. Large writes to places that are multiples of 2 MiB are what a file system
    /// keeps in large pages, and maps as such.
    static let blocksPerWindow = 8

    /// Bytes from the beginning of the file to the first part.
    static func headByteCount(_ layout: ShardLayout) -> Int {
        // One block more than the parts fill, where the head's end cuts one.
        let blockCount = layout.byteCount / blockByteCount + 2
        return (headerByteCount + entryByteCount * layout.parts.count + 8 * blockCount + 4095) / 4096 * 4096
    }

    /// Bytes of the whole file.
    static func byteCount(_ layout: ShardLayout) -> Int {
        headByteCount(layout) + layout.byteCount + PackedMemory.slackByteCount
    }

    /// Packs the shard into a file: window by window, so that memory holds one window whatever the model's size. The path has
    /// either nothing, what it had before, or all of it.
    ///
    /// - Parameter onBytes: hears how many bytes of the file were written since it was last called.
    static func write(
        model: ModelFolder, address: ShardAddress, layout: ShardLayout, to path: String, threadCount: Int,
        onBytes: (Int) -> Void
    ) throws {
        var writer = try PackedFileWriter(path: path)
        let packing = ShardPacking(model: model, layout: layout, threadCount: threadCount)
        try packing.checkEmbedding()
        let headByteCount = headByteCount(layout)
        var sums: [UInt64] = []
        let blocks = blocks(of: layout)
        guard let window = PackedWindow(byteCount: blocksPerWindow * blockByteCount) else {
            throw PackedFileError.outOfMemory(byteCount: blocksPerWindow * blockByteCount)
        }
        for first in stride(from: 0, to: blocks.count, by: blocksPerWindow) {
            let these = blocks[first..<min(blocks.count, first + blocksPerWindow)]
            let range = (these.first?.lowerBound ?? 0)..<(these.last?.upperBound ?? 0)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: window.bytes[..<range.count])
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            try packing.fill(range, into: bytes)
            sums += Self.sums(
                of: these.map { UnsafeRawBufferPointer(rebasing: bytes[$0.moved(by: -range.lowerBound)]) },
                threadCount: threadCount)
            try writer.write(UnsafeRawBufferPointer(bytes), at: headByteCount + range.lowerBound)
            onBytes(range.count)
        }
        let slack = [UInt8](repeating: 0, count: PackedMemory.slackByteCount)
        try slack.withUnsafeBytes { try writer.write($0, at: headByteCount + layout.byteCount) }
        let head = head(address, layout, sums: sums)
        try head.withUnsafeBytes { try writer.write($0, at: 0) }
        try writer.commit()
        onBytes(headByteCount + slack.count)
    }

    /// Maps a packed file after checking all of it: header, table, and every block's checksum, which also brings its pages into
    /// this process.
    static func open(
        path: String, address: ShardAddress, layout: ShardLayout, threadCount: Int
    ) throws(PackedFileError) -> (memory: PackedMemory, first: Int) {
        let file = try MappedPackedFile(path: path, headerByteCount: headerByteCount)
        try file.checkKind(magic: magic, version: ShardLayout.version, kind: kind)
        try file.checkByteCount(at: 96)
        let headByteCount = headByteCount(layout)
        let expectedByteCount = byteCount(layout)
        let found = Int(file.number(at: 12, UInt32.self))
        guard found == headByteCount, found <= file.bytes.count else {
            throw .invalidTable(path: path, field: "head byte count", value: found)
        }
        guard file.bytes.count == expectedByteCount else {
            throw .invalidTable(path: path, field: "byte count", value: file.bytes.count)
        }
        try file.checkSeal(headByteCount: headByteCount, at: headerByteCount - 8)
        try check(file, address, layout)
        let blocks = blocks(of: layout)
        let sumsAt = headerByteCount + entryByteCount * layout.parts.count
        let failure = Workers.run(blocks.count, threadCount: threadCount) { _, index -> PackedFileError? in
            let block = UnsafeRawBufferPointer(rebasing: file.bytes[blocks[index].moved(by: headByteCount)])
            return PackedChecksum.sum(of: block) == file.number(at: sumsAt + 8 * index, UInt64.self)
                ? nil : .corrupt(path: path, part: "block \(index) of \(blocks.count)")
        }
        if let failure { throw failure }
        return (file.memory, headByteCount)
    }

    /// Compares the head with the one that this shard must have, field by field.
    private static func check(
        _ file: MappedPackedFile, _ address: ShardAddress, _ layout: ShardLayout
    ) throws(PackedFileError) {
        func digest(at place: Int) -> String {
            Digest(Array(file.bytes[place..<(place + Digest.byteCount)]))?.description ?? ""
        }
        let (model, shard) = (digest(at: 48), digest(at: 16))
        guard model == address.model.description else {
            throw .otherDigest(path: file.path, found: model, expected: address.model.description)
        }
        guard shard == address.digest.description else {
            throw .otherShard(path: file.path, found: shard, expected: address.digest.description)
        }
        let expected = head(address, layout, sums: [UInt64](repeating: 0, count: blocks(of: layout).count))
        func number(_ place: Int) -> UInt32 {
            expected.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self)) }
        }
        let fields = ["part count", "rank", "rank count", "block count"].enumerated().map { ($1, 80 + 4 * $0) }
        let columns = [
            "role", "layer", "leaf count", "format", "first output", "output count", "first input", "input count", "offset",
            "offset's upper half", "byte count", "byte count's upper half",
        ]
        let entries = layout.parts.indices.flatMap { part in
            columns.enumerated().map {
                ("part \(part)'s \($1)", headerByteCount + entryByteCount * part + 4 * $0)
            }
        }
        for (field, place) in fields + entries {
            let found = file.number(at: place, UInt32.self)
            if found != number(place) { throw .invalidTable(path: file.path, field: field, value: Int(found)) }
        }
    }

    private static func head(_ address: ShardAddress, _ layout: ShardLayout, sums: [UInt64]) -> [UInt8] {
        var head = LittleEndianWriter()
        head.append(magic)
        head.append(ShardLayout.version)
        head.append(UInt32(headByteCount(layout)))
        head.append(address.digest.bytes)
        head.append(address.model.bytes)
        head.append(UInt32(layout.parts.count))
        head.append(UInt32(address.rank))
        head.append(UInt32(address.rankCount))
        head.append(UInt32(sums.count))
        head.append(UInt64(byteCount(layout)))
        head.pad(to: headerByteCount)
        for part in layout.parts {
            let begin = head.bytes.count
            head.append(part.code.role)
            head.append(part.code.layer)
            head.append(UInt32(part.leaves.count))
            head.append(part.format?.rawValue ?? UInt32.max)
            head.append(UInt32(part.outputs.lowerBound))
            head.append(UInt32(part.outputs.count))
            head.append(UInt32(part.inputs.lowerBound))
            head.append(UInt32(part.inputs.count))
            head.append(UInt64(part.offset))
            head.append(UInt64(part.byteCount))
            head.pad(to: begin + entryByteCount)
        }
        for sum in sums { head.append(sum) }
        head.pad(to: headByteCount(layout))
        head.seal(at: headerByteCount - 8)
        return head.bytes
    }

    /// The parts' bytes, cut where the file's offset is a multiple of a block.
    private static func blocks(of layout: ShardLayout) -> [Range<Int>] {
        let head = headByteCount(layout)
        var blocks: [Range<Int>] = []
        var first = 0
        while first < layout.byteCount {
            let end = ((first + head) / blockByteCount + 1) * blockByteCount - head
            blocks.append(first..<min(layout.byteCount, end))
            first = blocks[blocks.count - 1].upperBound
        }
        return blocks
    }

    private static func sums(of blocks: [UnsafeRawBufferPointer], threadCount: Int) -> [UInt64] {
        var sums = [UInt64](repeating: 0, count: blocks.count)
        sums.withUnsafeMutableBufferPointer { sums in
            // Safety: each piece writes its own element.
            nonisolated(unsafe) let sums = sums
            _ = Workers.run(blocks.count, threadCount: threadCount) { _, index -> Never? in
                sums[index] = PackedChecksum.sum(of: blocks[index])
                return nil
            }
        }
        return sums
    }
}

/// Owns the memory that one window of a file is packed in.
private final class PackedWindow {
    let bytes: UnsafeMutableRawBufferPointer

    init?(byteCount: Int) {
        guard
            let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED
        else { return nil }
        bytes = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    deinit { munmap(bytes.baseAddress, bytes.count) }
}
