import CHeddleKernels

extension PackedMatrix {
    /// Tiles of a matrix, one after another: 16 outputs each, the last one what is left.
    public static func tileCount(outputs: Int) -> Int { (outputs + tileOutputs - 1) / tileOutputs }

    /// The outputs of one tile.
    public static func outputs(ofTile tile: Int, outputs: Int) -> Range<Int> {
        (tile * tileOutputs)..<min(outputs, (tile + 1) * tileOutputs)
    }

    /// Where one tile's bytes lie among the matrix's.
    public static func bytes(ofTile tile: Int, format: PackedFormat, outputs: Int, inputs: Int) -> Range<Int> {
        let whole = Int(heddle_tile_bytes(format.code, Int64(tileOutputs), Int64(inputs)))
        let width = Self.outputs(ofTile: tile, outputs: outputs).count
        let own = Int(heddle_tile_bytes(format.code, Int64(width), Int64(inputs)))
        return (tile * whole)..<(tile * whole + own)
    }

    /// Packs one tile, as `pack(format:outputs:inputs:into:read:)` does all of them.
    ///
    /// - Parameters:
    ///   - rows: up to 16 outputs' weights, row-major.
    ///   - bytes: exactly the tile's, aligned to four.
    public static func packTile(
        format: PackedFormat, inputs: Int, rows: UnsafeBufferPointer<Float>,
        into bytes: UnsafeMutableRawBufferPointer
    ) {
        guard inputs > 0, let base = bytes.baseAddress else { return }
        let outputs = rows.count / inputs
        precondition(
            (1...tileOutputs).contains(outputs) && rows.count == outputs * inputs
                && bytes.count == Int(heddle_tile_bytes(format.code, Int64(outputs), Int64(inputs))),
            "\(rows.count) weights of \(inputs) inputs do not make a tile of \(bytes.count) bytes")
        heddle_pack_tile(format.code, rows.baseAddress, Int64(inputs), Int64(outputs), Int64(inputs), base)
    }
}
