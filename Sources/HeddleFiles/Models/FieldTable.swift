/// Why a field of a configuration file cannot be served. Each case names the field as it stands in the file.
public enum FieldError: Error, Hashable, Sendable {
    case missing(file: String, field: String)
    /// The value is no value of this field at all.
    case invalid(file: String, field: String, value: String, rule: String)
    /// The value has a meaning that changes the result and that Heddle does not compute.
    case unsupported(file: String, field: String, value: String, supported: String)
    /// Nobody here knows the field, so nobody can say that it changes nothing.
    case unknown(file: String, field: String, value: String)
}

extension FieldError: CustomStringConvertible {
    /// One sentence that names file, field and value.
    public var description: String {
        switch self {
        case .missing(let file, let field): "\(file): the field “\(field)” is missing"
        case .invalid(let file, let field, let value, let rule): "\(file): \(field) is \(value); it must be \(rule)"
        case .unsupported(let file, let field, let value, let supported):
            "\(file): \(field) = \(value) is not supported; \(supported)"
        case .unknown(let file, let field, let value):
            "\(file): the field “\(field)” (\(value)) is unknown; it may change the result, so it is refused"
        }
    }
}

/// Decides for every field of a configuration whether it may be there: a field that changes the result is read, has one
/// of the values that change nothing, or is refused by name. None is skipped in silence.
struct FieldTable: Sendable {
    enum Rule: Sendable {
        /// The reader of the file uses it.
        case read
        /// It changes nothing that Heddle computes, whatever its value.
        case harmless
        /// It changes nothing with one of these values, and is refused with any other.
        case only([JSONValue])
    }

    let rules: [String: Rule]

    init(read: [String], harmless: [String], only: [String: [JSONValue]]) {
        var rules = only.mapValues { Rule.only($0) }
        for (field, rule) in harmless.map({ ($0, Rule.harmless) }) + read.map({ ($0, Rule.read) }) {
            precondition(rules.updateValue(rule, forKey: field) == nil, "the field \(field) has two rules")
        }
        self.rules = rules
    }

    /// Throws for the first field that may not be there. Names of fields carry `prefix`.
    func check(_ object: JSONObject, file: String, prefix: String = "") throws(FieldError) {
        if let first = refusals(of: object, file: file, prefix: prefix).first { throw first }
    }

    /// Every field that may not be there, in the order of the file.
    func refusals(of object: JSONObject, file: String, prefix: String = "") -> [FieldError] {
        var refusals: [FieldError] = []
        for member in object.members {
            let field = prefix + member.key.description
            // Canonically equivalent spellings cannot hide here: all known names are ASCII.
            switch rules[member.key.description] {
            case .read, .harmless: continue
            case .only(let values):
                guard !values.contains(where: { $0.means(member.value) }) else { continue }
                let list = values.map(\.description).joined(separator: ", ")
                refusals.append(
                    .unsupported(
                        file: file, field: field, value: member.value.description,
                        supported: values.count == 1 ? "only \(list) is" : "only one of \(list) is"))
            case nil: refusals.append(.unknown(file: file, field: field, value: member.value.description))
            }
        }
        return refusals
    }
}

extension JSONValue {
    /// Whether two values say the same: 1 and 1.0 do.
    fileprivate func means(_ other: JSONValue) -> Bool {
        if let left = number, let right = other.number { return left == right }
        return self == other
    }

    static let emptyObject = JSONValue.object(JSONObject(members: []))
    static func text(_ text: String) -> JSONValue { .string(JSONString(text)) }
}

/// Reads single fields of one configuration object and names what is wrong with them.
struct FieldReader {
    let object: JSONObject
    let file: String
    var prefix = ""

    /// A whole number in `range`; `fallback` where the field is missing or null, an error where there is no fallback.
    func integer(_ field: String, in range: ClosedRange<Int>, default fallback: Int? = nil) throws(FieldError) -> Int {
        guard let value = present(field) else {
            guard let fallback else { throw .missing(file: file, field: prefix + field) }
            return fallback
        }
        guard let number = value.integer, range.contains(number) else {
            throw invalid(field, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A finite number above zero.
    func positiveNumber(_ field: String, default fallback: Double? = nil) throws(FieldError) -> Double {
        guard let value = present(field) else {
            guard let fallback else { throw .missing(file: file, field: prefix + field) }
            return fallback
        }
        guard let number = value.number, number > 0, Float(number).isFinite, Float(number) > 0 else {
            throw invalid(field, value, "a number above zero")
        }
        return number
    }

    /// A number above zero, or null for none; `fallback` where the field is missing, which null is not.
    func numberOrNull(_ field: String, default fallback: Double?) throws(FieldError) -> Double? {
        guard object[field] != nil else { return fallback }
        return present(field) == nil ? nil : try positiveNumber(field)
    }

    /// A whole number in `range`, or null for none; `fallback` where the field is missing, which null is not.
    func integerOrNull(
        _ field: String, in range: ClosedRange<Int>, default fallback: Int?
    ) throws(FieldError) -> Int? {
        guard object[field] != nil else { return fallback }
        return present(field) == nil ? nil : try integer(field, in: range)
    }

    func bool(_ field: String, default fallback: Bool) throws(FieldError) -> Bool {
        guard let value = present(field) else { return fallback }
        guard let truth = value.bool else { throw invalid(field, value, "true or false") }
        return truth
    }

    /// The value, or nil where the field is missing or null.
    func present(_ field: String) -> JSONValue? {
        guard let value = object[field], value != .null else { return nil }
        return value
    }

    func invalid(_ field: String, _ value: JSONValue, _ rule: String) -> FieldError {
        .invalid(file: file, field: prefix + field, value: value.description, rule: rule)
    }
}
