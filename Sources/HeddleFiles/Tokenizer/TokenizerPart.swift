/// One value of the file with the path that leads to it, for complaints.
struct TokenizerPart {
    let value: JSONValue
    let file: String
    let path: String

    var isNull: Bool { value == .null }

    /// The part of this name; a missing one is null.
    subscript(_ field: String) -> TokenizerPart {
        TokenizerPart(
            value: value.object?[field] ?? .null, file: file, path: path.isEmpty ? field : path + "." + field)
    }

    func type() throws(TokenizerError) -> String {
        guard let type = value.object?["type"]?.text else { throw invalid("the field “type” is missing") }
        return type
    }

    func check(fields: [String]) throws(TokenizerError) {
        guard case .object(let object) = value else { throw invalid("it is no object") }
        for member in object.members where !fields.contains(where: { member.key.equals($0) }) {
            throw self[member.key.description].unsupported("the field is unknown and may change the tokens")
        }
    }

    func elements(countMax: Int) throws(TokenizerError) -> [TokenizerPart] {
        guard case .array(let elements) = value else { throw invalid("it is no list") }
        guard elements.count <= countMax else {
            throw invalid("it has \(elements.count) elements; at most \(countMax) are read")
        }
        return elements.enumerated().map { TokenizerPart(value: $1, file: file, path: "\(path)[\($0)]") }
    }

    /// A truth value; missing and null are `fallback`.
    func bool(default fallback: Bool) throws(TokenizerError) -> Bool {
        if isNull { return fallback }
        guard let truth = value.bool else { throw invalid("\(value) is neither true nor false") }
        return truth
    }

    func token(limits: TokenizerLimits) throws(TokenizerError) -> Int32 {
        guard let id = value.integer, (0..<limits.tokenCountMax).contains(id) else {
            throw invalid("\(value) is no token from 0 to \(limits.tokenCountMax - 1)")
        }
        return Int32(id)
    }

    func unsupported(_ supported: String) -> TokenizerError {
        .unsupported(file: file, part: path, value: value.description, supported: supported)
    }

    func invalid(_ reason: String) -> TokenizerError { .invalid(file: file, part: path, reason: reason) }
}
