import HeddleCore
import HeddleFiles
import HeddleKernels

/// Packs any range of a shard's bytes from the mapped checkpoint, on several threads; the same bytes whatever the ranges.
///
/// Memory holds sixteen rows of a tensor for each thread, one tile, and what of the checkpoint's tensors is mapped until it is
/// forgotten.
final class ShardPacking {
    let layout: ShardLayout
    private let model: ModelFolder
    private let threadCount: Int
    private let scratch: [Scratch]

    /// What one thread works with.
    private struct Scratch {
        let rows: UnsafeMutableBufferPointer<Float>
        let tile: UnsafeMutableRawBufferPointer
    }

    /// A part's piece that lies in the wanted range, at least with some of its bytes.
    private struct Piece {
        var part: Int
        var tile: Int
    }

    init(model: ModelFolder, layout: ShardLayout, threadCount: Int) {
        self.model = model
        self.layout = layout
        self.threadCount = max(1, threadCount)
        let floats = layout.parts.flatMap { part in
            part.leaves.map { $0.count * (part.format == nil ? 1 : PackedMatrix.tileOutputs) }
        }.max() ?? 0
        let bytes = layout.parts.map { $0.bytes(ofTile: 0).count }.max() ?? 0
        scratch = (0..<self.threadCount).map { _ in
            Scratch(
                rows: .allocate(capacity: max(1, floats)), tile: .allocate(byteCount: max(1, bytes), alignment: 64))
        }
    }

    deinit {
        for one in scratch {
            one.rows.deallocate()
            one.tile.deallocate()
        }
    }

    /// Packs the bytes of `range`, counted as the layout's offsets are. Gaps between parts are left as they are.
    ///
    /// - Parameter target: `range.count` bytes, zero.
    func fill(_ range: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(EngineError) {
        let pieces = pieces(in: range)
        let failure = Workers.run(pieces.count, threadCount: threadCount) { worker, index in
            pack(pieces[index], range, target, scratch[worker])
        }
        if let failure { throw failure }
        for part in layout.parts where range.contains(part.bytes.upperBound - 1) {
            model.tensor(part.tensor).forget()
        }
    }

    /// Looks at every number of the embedding, which stays in the checkpoint.
    func checkEmbedding() throws(EngineError) {
        let tensor = model.tensor(.embedding)
        let rowCount = max(1, (1 << 20) / max(1, tensor.columnCount))
        let chunks = (tensor.rowCount + rowCount - 1) / rowCount
        let failure = Workers.run(chunks, threadCount: threadCount) { _, chunk in
            let rows = (chunk * rowCount)..<min(tensor.rowCount, (chunk + 1) * rowCount)
            let numbers = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows.count * tensor.columnCount)
            defer { numbers.deallocate() }
            return Self.read(tensor, rows: rows, columns: 0..<tensor.columnCount, into: numbers)
        }
        if let failure { throw failure }
        tensor.forget()
    }

    private func pieces(in range: Range<Int>) -> [Piece] {
        var pieces: [Piece] = []
        for (index, part) in layout.parts.enumerated() where part.bytes.overlaps(range) {
            for tile in 0..<part.tileCount where part.bytes(ofTile: tile).overlaps(range) {
                pieces.append(Piece(part: index, tile: tile))
            }
        }
        return pieces
    }

    private func pack(
        _ piece: Piece, _ range: Range<Int>, _ target: UnsafeMutableRawBufferPointer, _ scratch: Scratch
    ) -> EngineError? {
        let part = layout.parts[piece.part]
        let bytes = part.bytes(ofTile: piece.tile)
        let isWhole = bytes.lowerBound >= range.lowerBound && bytes.upperBound <= range.upperBound
        // A piece that the range cuts is packed beside it, and again with the next range.
        let place =
            isWhole
            ? UnsafeMutableRawBufferPointer(rebasing: target[bytes.moved(by: -range.lowerBound)])
            : UnsafeMutableRawBufferPointer(rebasing: scratch.tile[..<bytes.count])
        let tensor = model.tensor(part.tensor)
        if let format = part.format {
            let outputs = PackedMatrix.outputs(ofTile: piece.tile, outputs: part.outputs.count)
            if !isWhole { place.initializeMemory(as: UInt8.self, repeating: 0) }
            for (columns, offset) in zip(part.leaves, part.tiles(format).byteOffsets) where !columns.isEmpty {
                let rows = UnsafeMutableBufferPointer(rebasing: scratch.rows[..<(outputs.count * columns.count)])
                let failure = Self.read(
                    tensor, rows: outputs.moved(by: part.outputs.lowerBound), columns: columns, into: rows)
                if let failure { return failure }
                let byteCount = PackedMatrix.byteCount(format: format, outputs: outputs.count, inputs: columns.count)
                PackedMatrix.packTile(
                    format: format, inputs: columns.count, rows: UnsafeBufferPointer(rows),
                    into: UnsafeMutableRawBufferPointer(rebasing: place[offset..<(offset + byteCount)]))
            }
        } else {
            let numbers = UnsafeMutableBufferPointer(rebasing: scratch.rows[..<part.inputs.count])
            if let failure = Self.read(tensor, rows: 0..<1, columns: part.inputs, into: numbers) { return failure }
            let isAddedToOne = part.isNorm && model.configuration.block.normWeight == .onePlus
            for (index, number) in numbers.enumerated() {
                place.storeBytes(of: isAddedToOne ? 1 + number : number, toByteOffset: 4 * index, as: Float.self)
            }
        }
        if isWhole { return nil }
        let wanted = bytes.clamped(to: range)
        let source = UnsafeRawBufferPointer(rebasing: place[wanted.moved(by: -bytes.lowerBound)])
        UnsafeMutableRawBufferPointer(rebasing: target[wanted.moved(by: -range.lowerBound)]).copyMemory(from: source)
        return nil
    }

    /// Reads numbers and looks at each: one infinity or NaN in a weight would be every request's answer.
    private static func read(
        _ tensor: TensorView, rows: Range<Int>, columns: Range<Int>, into target: UnsafeMutableBufferPointer<Float>
    ) -> EngineError? {
        do throws(SafetensorsError) { try tensor.readFloats(rows: rows, columns: columns, into: target) } catch {
            return .tensorUnreadable(name: tensor.name, reason: "\(error)")
        }
        // Without an early end, so that the look runs over lanes.
        let isFinite = target.reduce(0) { $0 | (($1.bitPattern & 0x7F80_0000) == 0x7F80_0000 ? 1 : 0) } == 0
        if isFinite { return nil }
        guard let index = target.firstIndex(where: { !$0.isFinite }), !columns.isEmpty else { return nil }
        return .tensorNotFinite(
            name: tensor.name, row: rows.lowerBound + index / columns.count,
            column: columns.lowerBound + index % columns.count, value: "\(target[index])")
    }
}

extension ShardPart {
    fileprivate var isNorm: Bool {
        switch tensor {
        case .bias: false
        default: format == nil
        }
    }
}
