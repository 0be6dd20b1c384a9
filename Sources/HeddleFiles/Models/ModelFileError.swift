/// Why a model folder cannot be served.
public enum ModelFileError: Error, Hashable, Sendable {
    case file(FileError)
    case notJSON(file: String, JSONError)
    case notAnObject(file: String)
    case field(FieldError)
    case safetensors(SafetensorsError)
    case noWeights(folder: String)
    case tensorMissing(tensor: String, shape: [Int])
    case tensorShape(tensor: String, found: [Int], expected: [Int])
    case tensorElementType(tensor: String, found: ElementType)
    /// The checkpoint holds a tensor that this architecture, as configured, would not use.
    case tensorUnexpected(tensor: String, shape: [Int])
    /// The configuration ties the output to the embedding, and the checkpoint holds another output.
    case outputNotTied(tensor: String)
}

extension ModelFileError: CustomStringConvertible {
    /// One sentence that names what is wrong and where.
    public var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .notJSON(let file, let error): "\(file) is not JSON: \(error)"
        case .notAnObject(let file): "\(file) does not hold a JSON object"
        case .field(let error): "\(error)"
        case .safetensors(let error): "\(error)"
        case .noWeights(let folder):
            "\(folder) has neither model.safetensors nor model.safetensors.index.json"
        case .tensorMissing(let tensor, let shape):
            "the checkpoint has no tensor “\(tensor)”; its configuration needs one of shape \(shape)"
        case .tensorShape(let tensor, let found, let expected):
            "tensor “\(tensor)” has shape \(found); its configuration needs \(expected)"
        case .tensorElementType(let tensor, let found):
            "tensor “\(tensor)” has elements of type \(found); F32, F16 and BF16 are supported"
        case .tensorUnexpected(let tensor, let shape):
            "the checkpoint has a tensor “\(tensor)” of shape \(shape) that this architecture would not use"
        case .outputNotTied(let tensor):
            "tie_word_embeddings is true, but the checkpoint holds a “\(tensor)” that is not the embedding"
        }
    }
}
