/// Why an adapter folder cannot be served over this base model.
public enum AdapterFileError: Error, Hashable, Sendable {
    case file(FileError)
    case notJSON(file: String, JSONError)
    case notAnObject(file: String)
    case field(FieldError)
    case safetensors(SafetensorsError)
    /// Weights in Python's pickle format, which is a program.
    case pickled(file: String)
    /// Two tensors or more are missing or left over, and this name of `target_modules` is none of the base model's.
    case targetUnsupported(file: String, target: String, modules: [String])
    /// `target_modules`, less `exclude_modules` and other layers than `layers_to_transform`, leaves nothing.
    case nothingTargeted(file: String, modules: [String])
    case patternsTooSlow(file: String, reason: String)
    /// What PEFT then does has changed between its releases.
    case tiedAdapters(file: String, module: String)
    case tensorMissing(tensor: String, shape: [Int])
    /// The usual sign of an adapter for another base.
    case tensorShape(tensor: String, found: [Int], expected: [Int])
    case tensorElementType(tensor: String, found: ElementType)
    case tensorUnexpected(tensor: String, shape: [Int])
    case notFinite(tensor: String, row: Int, column: Int, value: Float)
    /// PEFT would put this tensor in place of the base model's.
    case baseWeightChanged(tensor: String, row: Int)
    /// The base model's weights are not here to be compared with.
    case baseWeightUnknown(tensor: String)
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
        case .pickled(let file):
            "\(file) holds weights as a Python pickle, which may run any program; only adapter_model.safetensors is supported"
        case .targetUnsupported(let file, let target, let modules):
            "\(file): target_modules names “\(target)”, which is none of the base model's "
                + modules.joined(separator: ", ")
        case .nothingTargeted(let file, let modules):
            "\(file): target_modules leaves none of the base model's modules "
                + modules.joined(separator: ", ")
        case .patternsTooSlow(let file, let reason):
            "\(file): the patterns of target_modules, exclude_modules, rank_pattern and alpha_pattern: \(reason)"
        case .tiedAdapters(let file, let module):
            "\(file): ensure_weight_tying = true is not supported beside the target “\(module)” over a base model with tied"
                + " embeddings; only false is"
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
        case .baseWeightChanged(let tensor, let row):
            "the adapter's tensor “\(tensor)” replaces a weight of the base model and differs from it in row \(row); adapters"
                + " that change base weights are not supported"
        case .baseWeightUnknown(let tensor):
            "the adapter's tensor “\(tensor)” replaces a weight of the base model, which is not here to be compared with"
        }
    }
}
