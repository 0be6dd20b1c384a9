import Glibc
import HeddleCore
import HeddleFiles
import HeddleKernels

/// A packed file as it was found: mapped, and not trusted until every number in it was checked.
struct PackedAdapterFile {
    let path: String
    let memory: PackedMemory

    init(path: String) throws(PackedAdapterError) {
        func failure(_ call: String) -> PackedAdapterError {
            let code = errno
            return .system(call: call, path: path, code: code, reason: String(cString: strerror(code)))
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 { throw failure("open") }
        defer { close(file) }
        var status = stat()
        if fstat(file, &status) != 0 { throw failure("fstat") }
        let count = Int(status.st_size)
        if count < PackedAdapterLayout.headerByteCount {
            throw .tooShort(path: path, byteCount: count, expected: PackedAdapterLayout.headerByteCount)
        }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0), base != MAP_FAILED else {
            throw failure("mmap")
        }
        self.path = path
        memory = PackedMemory(adopting: UnsafeRawBufferPointer(start: base, count: count)) {
            munmap(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
        }
    }

    /// The table, after header, checksums, digest, shard and every offset were checked.
    func entries(
        digest: Digest, for shape: ShardShape
    ) throws(PackedAdapterError) -> [PackedAdapterLayout.Entry] {
        typealias Layout = PackedAdapterLayout
        let bytes = memory.bytes
        guard bytes[..<8].elementsEqual(Layout.magic) else { throw .notPackedAdapter(path: path) }
        let version = number(at: 8, UInt32.self)
        guard version == Layout.version else {
            throw .otherLayout(path: path, found: version, expected: Layout.version)
        }
        let headByteCount = Int(number(at: 12, UInt32.self))
        let moduleCount = Int(number(at: 48, UInt32.self))
        let nameByteCount = Int(number(at: 52, UInt32.self))
        guard let byteCount = Int(exactly: number(at: 56, UInt64.self)) else {
            throw .invalidTable(path: path, field: "byte count", value: .max)
        }
        if bytes.count < byteCount { throw .tooShort(path: path, byteCount: bytes.count, expected: byteCount) }
        if bytes.count > byteCount { throw .tooLong(path: path, byteCount: bytes.count, expected: byteCount) }
        guard moduleCount <= Layout.moduleCountMax else {
            throw .invalidTable(path: path, field: "module count", value: moduleCount)
        }
        let tableBegin = Layout.headerByteCount + Layout.aligned(nameByteCount)
        guard headByteCount == Layout.aligned(tableBegin + Layout.entryByteCount * moduleCount),
            headByteCount <= byteCount - PackedMemory.slackByteCount
        else { throw .invalidTable(path: path, field: "header byte count", value: headByteCount) }
        try checkSums(headByteCount: headByteCount)
        guard let found = Digest(Array(bytes[16..<48])) else { throw .notPackedAdapter(path: path) }
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

    private func checkSums(headByteCount: Int) throws(PackedAdapterError) {
        typealias Layout = PackedAdapterLayout
        var head = Array(memory.bytes[..<headByteCount])
        let sumAt = Layout.headerByteCount - 8
        head.replaceSubrange(sumAt..<(sumAt + 8), with: repeatElement(0, count: 8))
        guard head.withUnsafeBytes({ Layout.checksum($0) }) == number(at: sumAt, UInt64.self) else {
            throw .corrupt(path: path, part: "header")
        }
        let body = memory.bytes[headByteCount..<(memory.bytes.count - PackedMemory.slackByteCount)]
        guard Layout.checksum(UnsafeRawBufferPointer(rebasing: body)) == number(at: 64, UInt64.self) else {
            throw .corrupt(path: path, part: "matrices")
        }
    }

    private func entry(
        at begin: Int, _ headByteCount: Int, _ shape: ShardShape
    ) throws(PackedAdapterError) -> PackedAdapterLayout.Entry {
        let path = path
        func invalid(_ field: String, _ value: Int) -> PackedAdapterError {
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
        func offset(_ at: Int, _ byteCount: Int) throws(PackedAdapterError) -> Int {
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
        Number(littleEndian: memory.bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
