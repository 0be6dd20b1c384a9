/// Why an adapter folder cannot be served over this base model.
public enum AdapterFileError: Error, Hashable, Sendable {
    case file(FileError)
    case notJSON(file: String, JSONError)
    case notAnObject(file: String)
    case field(FieldError)
    case safetensors(SafetensorsError)
    /// A target of `target_modules` that names no projection of the base model.
    case targetUnsupported(file: String, target: String)
    case tensorMissing(tensor: String, shape: [Int])
    /// The usual sign of an adapter for another base.
    case tensorShape(tensor: String, found: [Int], expected: [Int])
    case tensorElementType(tensor: String, found: ElementType)
    case tensorUnexpected(tensor: String, shape: [Int])
    case notFinite(tensor: String, row: Int, column: Int, value: Float)
}

extension AdapterFileError: CustomStringConvertible {
    /// One sentence that names what is wrong and where.
    public var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .notJSON(let file, let error): "\(file) is not JSON: \(error)"
        case .notAnObject(let file): "\(file) does not hold a JSON object"
        case .field(let error): "\(error)"
        case .safetensors(let error): "\(error)"
        case .targetUnsupported(let file, let target):
            "\(file): target_modules names “\(target)”, which is none of the base model's q_proj, k_proj, v_proj, o_proj, "
                + "gate_proj, up_proj, down_proj"
        case .tensorMissing(let tensor, let shape):
            "the adapter has no tensor “\(tensor)”; its configuration and base model need one of shape \(shape)"
        case .tensorShape(let tensor, let found, let expected):
            "the adapter's tensor “\(tensor)” has shape \(found); over this base model it must be \(expected)"
        case .tensorElementType(let tensor, let found):
            "the adapter's tensor “\(tensor)” has elements of type \(found); F32, F16 and BF16 are supported"
        case .tensorUnexpected(let tensor, let shape):
            "the adapter has a tensor “\(tensor)” of shape \(shape) that fits no module of its configuration over this base model"
        case .notFinite(let tensor, let row, let column, let value):
            "the adapter's tensor “\(tensor)” holds \(value) in row \(row), column \(column)"
        }
    }
}

/// What an adapter may have at most.
public struct AdapterLimits: Hashable, Sendable {
    /// The largest rank of a module.
    public var rankMax = 4096
    /// The most entries of target_modules.
    public var targetCountMax = 512
    /// The most keys of rank_pattern and of alpha_pattern.
    public var patternCountMax = 512
    /// The longest adapter_config.json.
    public var configByteCountMax = 4 << 20
    /// The longest adapter_model.safetensors, which is read into memory whole.
    public var weightsByteCountMax = 2 << 30

    /// Room for every adapter published so far, several times over.
    public init() {}
}
