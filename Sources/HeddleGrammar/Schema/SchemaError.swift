import HeddleFiles

/// Why no answer can be constrained to a schema. Each case names the place, as a JSON pointer, and what stands there.
public enum SchemaError: Error, Hashable, Sendable {
    case tooLong(byteCount: Int, byteCountMax: Int)
    case notJSON(JSONError)
    case notSchema(path: String, found: String)
    case unsupportedKeyword(path: String, keyword: String, reason: String?)
    case invalidKeyword(path: String, keyword: String, reason: String)
    case unresolvedReference(path: String, reference: String)
    case endlessReference(path: String)
    case unsatisfiable
    case tooLarge(what: String, countMax: Int)
    /// The model has no token for a byte that every JSON text may need.
    case vocabularyLacks(byte: UInt8)
}

extension SchemaError: CustomStringConvertible {
    /// One sentence.
    public var description: String {
        switch self {
        case .tooLong(let count, let max): "the schema has \(count) bytes; at most \(max) are read"
        case .notJSON(let error): "the schema is not JSON: \(error)"
        case .notSchema(let path, let found): "\(Self.place(path)): \(found) is no schema"
        case .unsupportedKeyword(let path, let keyword, let reason):
            "\(path)/\(keyword): keyword “\(keyword)” is not supported" + (reason.map { ": \($0)" } ?? "")
        case .invalidKeyword(let path, let keyword, let reason): "\(path)/\(keyword): \(reason)"
        case .unresolvedReference(let path, let reference):
            "\(path)/$ref: “\(reference)” is nowhere in the schema; only “#” and “#/…” are followed"
        case .endlessReference(let path): "\(Self.place(path)): the schema refers to itself without an end"
        case .unsatisfiable: "no value satisfies the schema"
        case .tooLarge(let what, let max): "the schema needs more than \(max) \(what)"
        case .vocabularyLacks(let byte): "the model's vocabulary has no token for byte \(byte) alone"
        }
    }

    private static func place(_ path: String) -> String { path.isEmpty ? "/" : path }
}
