import HeddleFiles

/// Reads the members of one JSON object by name, each of the kind that it must have, and complains of those that nobody read.
///
/// A member that is null is one that is not there, as in OpenAI's own programs.
struct FieldReader {
    private let object: JSONObject
    /// What stands before the names in complaints, with its dot.
    private let prefix: String
    private var taken: Set<String> = []

    init(_ object: JSONObject, prefix: String = "") {
        self.object = object
        self.prefix = prefix
    }

    /// The object that must be here.
    init(_ value: JSONValue, at path: String) throws(HTTPFailure) {
        guard let object = value.object else { throw .invalid(path, "\(path) must be an object, not \(value)") }
        self.init(object, prefix: "\(path).")
    }

    func path(_ name: String) -> String { prefix + name }

    mutating func value(_ name: String) -> JSONValue? {
        taken.insert(name)
        guard let value = object[name], value != .null else { return nil }
        return value
    }

    mutating func text(_ name: String) throws(HTTPFailure) -> String? {
        try read(name, "a text") { $0.text }
    }

    mutating func integer(_ name: String) throws(HTTPFailure) -> Int? {
        try read(name, "a whole number") { value in
            // Some programs write whole numbers as 5.0.
            value.integer ?? value.number.flatMap { Int(exactly: $0) }
        }
    }

    mutating func number(_ name: String) throws(HTTPFailure) -> Float? {
        try read(name, "a number") { $0.number.map { Float($0) } }
    }

    mutating func flag(_ name: String) throws(HTTPFailure) -> Bool? {
        try read(name, "true or false") { $0.bool }
    }

    mutating func list(_ name: String) throws(HTTPFailure) -> [JSONValue]? {
        try read(name, "a list") { $0.array }
    }

    mutating func object(_ name: String) throws(HTTPFailure) -> JSONObject? {
        try read(name, "an object") { $0.object }
    }

    private mutating func read<Value>(
        _ name: String, _ kind: String, _ convert: (JSONValue) -> Value?
    ) throws(HTTPFailure) -> Value? {
        guard let value = value(name) else { return nil }
        guard let converted = convert(value) else {
            throw .invalid(path(name), "\(path(name)) is \(value); it must be \(kind)")
        }
        return converted
    }

    /// Complains of the first member that was not read.
    func finish() throws(HTTPFailure) {
        guard let stranger = object.members.first(where: { !taken.contains($0.key.description) }) else { return }
        let name = path(String(stranger.key.description.prefix(64)))
        throw HTTPFailure(
            status: 400, message: "there is no field “\(name)”", parameter: name, code: "unknown_parameter")
    }
}
