import HeddleCore

/// Owns a LoRA adapter as PEFT lays it out on disk, checked against the base model it will change: every tensor belongs to
/// a module, every module has both, and every number is finite.
public struct AdapterFolder: Sendable {
    /// The folder, as it was given.
    public let path: String
    /// In the order of layers and projections, then output and embedding; never empty.
    public let modules: [AdapterModule]
    /// SHA-256 over the names and contents of adapter_config.json and adapter_model.safetensors, in this order (see
    /// `DigestWriter` for the grammar).
    public let digest: Digest
    /// The largest rank of a module.
    public let rankMax: Int
    /// Bytes of all tensors in the file.
    public let byteCount: Int

    /// Opens the folder and reads every byte of it once. An adapter that holds a copy of the base model's embedding or output
    /// projection, as PEFT saves beside changes of those, is compared with the base model's.
    public init(path: String, model: ModelFolder, limits: AdapterLimits = AdapterLimits()) throws(AdapterFileError) {
        try self.init(AdapterFiles(path: path, limits: limits), base: model.configuration, model: model, limits: limits)
    }

    /// Opens the folder without the base model's weights: an adapter that holds copies of them is refused.
    public init(
        path: String, base: ModelConfiguration, limits: AdapterLimits = AdapterLimits()
    ) throws(AdapterFileError) {
        try self.init(AdapterFiles(path: path, limits: limits), base: base, model: nil, limits: limits)
    }

    init(
        _ files: AdapterFiles, base: ModelConfiguration, model: ModelFolder?, limits: AdapterLimits
    ) throws(AdapterFileError) {
        path = files.path
        let configuration = try AdapterConfiguration(try files.object(), file: files.config.path, limits: limits)
        let fit = try AdapterFit(files.weights, configuration, base: base)
        for (a, b) in fit.pairs {
            try Self.checkFinite(a)
            try Self.checkFinite(b)
        }
        for copy in fit.baseCopies { try Self.checkUnchanged(copy.tensor, copy.role, model) }
        modules = fit.modules
        digest = files.digest()
        rankMax = modules.reduce(0) { max($0, $1.rank) }
        byteCount = files.weights.byteCount
    }

    /// One NaN would spread from its tenant's rows to nobody else's, but would be that tenant's only answer.
    static func checkFinite(_ tensor: TensorView) throws(AdapterFileError) {
        guard let index = tensor.firstNotFinite() else { return }
        let row = index / tensor.columnCount
        let column = index % tensor.columnCount
        var value: Float = .nan
        do throws(SafetensorsError) {
            try withUnsafeMutablePointer(to: &value) { (pointer) throws(SafetensorsError) in
                try tensor.readFloats(
                    rows: row..<(row + 1), columns: column..<(column + 1),
                    into: UnsafeMutableBufferPointer(start: pointer, count: 1))
            }
        } catch { throw .safetensors(error) }
        throw .notFinite(tensor: tensor.name, row: row, column: column, value: value)
    }

    /// A copy of the base model's weights, whatever its type, has the same numbers.
    private static func checkUnchanged(
        _ tensor: TensorView, _ role: ModelTensor, _ model: ModelFolder?
    ) throws(AdapterFileError) {
        guard let model else { throw .baseWeightUnknown(tensor: tensor.name) }
        let own = model.tensor(role)
        if tensor.isSame(as: own) { return }
        var copied = [Float](repeating: 0, count: tensor.columnCount)
        var expected = copied
        for row in 0..<tensor.rowCount {
            do throws(SafetensorsError) {
                try copied.readRow(row, of: tensor)
                try expected.readRow(row, of: own)
            } catch { throw .safetensors(error) }
            guard copied == expected else { throw .baseWeightChanged(tensor: tensor.name, row: row) }
        }
    }
}

extension [Float] {
    fileprivate mutating func readRow(_ row: Int, of tensor: TensorView) throws(SafetensorsError) {
        var failure: SafetensorsError?
        withUnsafeMutableBufferPointer { buffer in
            do throws(SafetensorsError) { try tensor.readFloats(rows: row..<(row + 1), into: buffer) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
