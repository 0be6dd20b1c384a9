import HeddleCore
import HeddleFiles
import HeddleKernels

/// An adapter about to be packed: where each matrix will lie, and the bytes once they are asked for.
struct PackedAdapterImage {
    let entries: [PackedAdapterLayout.Entry]
    private let folder: AdapterFolder
    /// For each entry the rows of the module's B that this shard has.
    private let outputs: [Range<Int>]
    private let shardName: String
    private let headByteCount: Int
    /// Without the slack behind it.
    let byteCount: Int

    init(folder: AdapterFolder, for shape: ShardShape) {
        typealias Layout = PackedAdapterLayout
        self.folder = folder
        shardName = shape.name
        let nameRoom = Layout.aligned(shardName.utf8.count)
        headByteCount = Layout.aligned(Layout.headerByteCount + nameRoom + Layout.entryByteCount * folder.modules.count)
        var offset = headByteCount
        var entries: [Layout.Entry] = []
        var outputs: [Range<Int>] = []
        for (index, module) in folder.modules.enumerated() {
            let cut = Layout.cut(module.target, shape)
            var entry = Layout.Entry(
                target: module.target, rank: module.rank, format: shape.adapterFormat, scale: module.scale,
                inputs: cut.inputs, outputs: cut.outputs.count, offsetsA: [], offsetB: 0)
            if index > 0, folder.modules[index - 1].name == module.name {
                entry.offsetsA = entries[index - 1].offsetsA
            } else {
                for part in cut.inputs.indices {
                    entry.offsetsA.append(offset)
                    offset = Layout.aligned(offset + entry.byteCountA(part))
                }
            }
            entry.offsetB = offset
            offset = Layout.aligned(offset + entry.byteCountB)
            entries.append(entry)
            outputs.append(cut.outputs.moved(by: module.outputs.lowerBound))
        }
        self.entries = entries
        self.outputs = outputs
        byteCount = offset
    }

    /// Header, table and matrices in anonymous memory, with the slack behind them.
    func memory() throws(PackedFileError) -> PackedMemory {
        let memory: PackedMemory?
        do {
            memory = try PackedMemory(byteCount: byteCount) { bytes in try fill(bytes) }
        } catch let error as PackedFileError { throw error } catch {
            throw .tensorUnreadable(name: folder.path, reason: "\(error)")
        }
        guard let memory else { throw .outOfMemory(byteCount: byteCount) }
        return memory
    }

    /// Writes beside the path, flushes, then renames.
    func write(to path: String) throws(PackedFileError) {
        let memory = try memory()
        var writer = try PackedFileWriter(path: path)
        try writer.write(memory.bytes, at: 0)
        try writer.commit()
    }

    private func fill(_ bytes: UnsafeMutableRawBufferPointer) throws {
        typealias Layout = PackedAdapterLayout
        for (index, module) in folder.modules.enumerated() {
            let entry = entries[index]
            if index == 0 || entry.offsetsA != entries[index - 1].offsetsA { try fillA(module.a, entry, bytes) }
            let area = bytes[entry.offsetB..<(entry.offsetB + entry.byteCountB)]
            try PackedMatrix.pack(
                format: entry.format, outputs: entry.outputs, inputs: entry.rank,
                into: UnsafeMutableRawBufferPointer(rebasing: area)
            ) { try module.b.readFloats(rows: $0.moved(by: outputs[index].lowerBound), columns: nil, into: $1) }
        }
        var head = LittleEndianWriter()
        head.append(Layout.magic)
        head.append(Layout.version)
        head.append(UInt32(headByteCount))
        head.append(folder.digest.bytes)
        head.append(UInt32(entries.count))
        head.append(UInt32(shardName.utf8.count))
        head.append(UInt64(byteCount + PackedMemory.slackByteCount))
        head.append(PackedChecksum.sum(of: UnsafeRawBufferPointer(rebasing: bytes[headByteCount...])))
        head.pad(to: Layout.headerByteCount)
        head.append(Array(shardName.utf8))
        head.pad(to: Layout.headerByteCount + Layout.aligned(shardName.utf8.count))
        for entry in entries {
            let begin = head.bytes.count
            let code = Layout.code(of: entry.target)
            head.append(UInt32(code.layer))
            head.append(UInt32(code.target))
            head.append(UInt32(entry.rank))
            head.append(entry.format.rawValue)
            head.append(UInt32(0))
            head.append(entry.scale.bitPattern)
            head.append(UInt64(entry.offsetB))
            head.append(UInt64(entry.offsetsA.count))
            for offset in entry.offsetsA { head.append(UInt64(offset)) }
            head.pad(to: begin + Layout.entryByteCount)
        }
        head.pad(to: headByteCount)
        head.seal(at: Layout.headerByteCount - 8)
        bytes.copyBytes(from: head.bytes)
    }
}

extension PackedAdapterImage {
    private func fillA(
        _ tensor: TensorView, _ entry: PackedAdapterLayout.Entry, _ bytes: UnsafeMutableRawBufferPointer
    ) throws {
        for (part, inputs) in entry.inputs.enumerated() {
            let area = UnsafeMutableRawBufferPointer(
                rebasing: bytes[entry.offsetsA[part]..<(entry.offsetsA[part] + entry.byteCountA(part))])
            if entry.target == .embedding {
                try PackedTable.packTransposed(tensor, format: entry.format, into: area)
                continue
            }
            try PackedMatrix.pack(
                format: entry.format, outputs: entry.rank, inputs: inputs.count, into: area
            ) { try tensor.readFloats(rows: $0, columns: inputs, into: $1) }
        }
    }
}
