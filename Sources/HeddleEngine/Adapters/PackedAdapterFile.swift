import HeddleCore
import HeddleFiles
import HeddleKernels

/// A packed adapter as it was found: mapped, and not trusted until every number in it was checked.
struct PackedAdapterFile {
    private let file: MappedPackedFile
    private var path: String { file.path }
    var memory: PackedMemory { file.memory }

    init(path: String) throws(PackedFileError) {
        file = try MappedPackedFile(path: path, headerByteCount: PackedAdapterLayout.headerByteCount)
    }

    /// The table, after header, checksums, digest, shard and every offset were checked.
    func entries(
        digest: Digest, for shape: ShardShape
    ) throws(PackedFileError) -> [PackedAdapterLayout.Entry] {
        typealias Layout = PackedAdapterLayout
        let bytes = memory.bytes
        try file.checkKind(magic: Layout.magic, version: Layout.version, kind: "a packed adapter")
        let headByteCount = Int(number(at: 12, UInt32.self))
        let moduleCount = Int(number(at: 48, UInt32.self))
        let nameByteCount = Int(number(at: 52, UInt32.self))
        try file.checkByteCount(at: 56)
        guard moduleCount <= Layout.moduleCountMax else {
            throw .invalidTable(path: path, field: "module count", value: moduleCount)
        }
        let tableBegin = Layout.headerByteCount + Layout.aligned(nameByteCount)
        guard headByteCount == Layout.aligned(tableBegin + Layout.entryByteCount * moduleCount),
            headByteCount <= bytes.count - PackedMemory.slackByteCount
        else { throw .invalidTable(path: path, field: "header byte count", value: headByteCount) }
        try checkSums(headByteCount: headByteCount)
        guard let found = Digest(Array(bytes[16..<48])) else {
            throw .otherKind(path: path, expected: "a packed adapter")
        }
        guard found == digest else {
            throw .otherDigest(path: path, found: found.description, expected: digest.description)
        }
        let name = String(
            decoding: bytes[Layout.headerByteCount..<(Layout.headerByteCount + nameByteCount)], as: UTF8.self)
        let expected = shape.name
        guard name == expected else { throw .otherShard(path: path, found: name, expected: expected) }
        var entries: [Layout.Entry] = []
        for index in 0..<moduleCount {
            entries.append(
                try entry(at: tableBegin + index * Layout.entryByteCount, headByteCount, shape))
        }
        return entries
    }

    private func checkSums(headByteCount: Int) throws(PackedFileError) {
        typealias Layout = PackedAdapterLayout
        try file.checkSeal(headByteCount: headByteCount, at: Layout.headerByteCount - 8)
        let body = memory.bytes[headByteCount..<(memory.bytes.count - PackedMemory.slackByteCount)]
        guard PackedChecksum.sum(of: UnsafeRawBufferPointer(rebasing: body)) == number(at: 64, UInt64.self) else {
            throw .corrupt(path: path, part: "matrices")
        }
    }

    private func entry(
        at begin: Int, _ headByteCount: Int, _ shape: ShardShape
    ) throws(PackedFileError) -> PackedAdapterLayout.Entry {
        let path = path
        func invalid(_ field: String, _ value: Int) -> PackedFileError {
            .invalidTable(path: path, field: field, value: value)
        }
        let layer = Int(number(at: begin, UInt32.self))
        let code = Int(number(at: begin + 4, UInt32.self))
        guard let target = PackedAdapterLayout.target(layer: layer, code: code, shape.configuration) else {
            throw invalid("target \(code) of layer", layer)
        }
        let rank = Int(number(at: begin + 8, UInt32.self))
        guard (1...(1 << 16)).contains(rank) else { throw invalid("rank", rank) }
        let format = number(at: begin + 12, UInt32.self)
        guard format == shape.adapterFormat.rawValue else { throw invalid("format", Int(format)) }
        let scale = Float(bitPattern: number(at: begin + 20, UInt32.self))
        guard scale.isFinite else { throw invalid("scale", 0) }
        let cut = PackedAdapterLayout.cut(target, shape)
        let partCount = number(at: begin + 32, UInt64.self)
        guard partCount == cut.inputs.count else { throw invalid("part count", Int(clamping: partCount)) }
        var entry = PackedAdapterLayout.Entry(
            target: target, rank: rank, format: shape.adapterFormat, scale: scale,
            inputs: cut.inputs, outputs: cut.outputs.count, offsetsA: [], offsetB: 0)
        func offset(_ at: Int, _ byteCount: Int) throws(PackedFileError) -> Int {
            let found = number(at: at, UInt64.self)
            let room = memory.bytes.count - PackedMemory.slackByteCount - byteCount
            guard let offset = Int(exactly: found), offset >= headByteCount, offset <= room,
                offset % PackedAdapterLayout.alignment == 0
            else { throw invalid("offset", Int(clamping: found)) }
            return offset
        }
        for part in cut.inputs.indices {
            entry.offsetsA.append(try offset(begin + 40 + 8 * part, entry.byteCountA(part)))
        }
        entry.offsetB = try offset(begin + 24, entry.byteCountB)
        return entry
    }

    private func number<Number: FixedWidthInteger>(at offset: Int, _ type: Number.Type) -> Number {
        file.number(at: offset, type)
    }
}
