import HeddleFiles

/// Takes a schema's subschemas apart into shapes: follows references, merges what must hold together, and multiplies out what
/// may hold instead. A subschema is named by its place, a JSON pointer; several places together mean that all must hold.
struct SchemaReader {
    let root: JSONValue
    let limits: GrammarLimits
    private var shapesRead = 0

    init(text: [UInt8], limits: GrammarLimits) throws(SchemaError) {
        guard text.count <= limits.schemaByteCountMax else {
            throw .tooLong(byteCount: text.count, byteCountMax: limits.schemaByteCountMax)
        }
        var json = JSONLimits()
        json.depthMax = limits.schemaDepthMax
        json.valueCountMax = limits.schemaValueCountMax
        do { root = try JSONParser.parse(text, limits: json) } catch { throw .notJSON(error) }
        self.limits = limits
    }

    init(root: JSONValue, limits: GrammarLimits) {
        self.root = root
        self.limits = limits
    }

    /// All ways to satisfy the schemas at these places together.
    mutating func shapes(of places: [String]) throws(SchemaError) -> [SchemaShape] {
        var conjunction = Conjunction(pending: places.reversed().map { ($0, []) })
        return try expand(&conjunction)
    }

    /// What remains to be taken into a shape.
    private struct Conjunction {
        /// Places, and through which ones they were come to without a step into the value.
        var pending: [(place: String, through: Set<String>)]
        var shape = SchemaShape()
        var seen: Set<String> = []
        /// Of each list one must hold.
        var choices: [[(place: String, through: Set<String>)]] = []
    }

    private mutating func expand(_ conjunction: inout Conjunction) throws(SchemaError) -> [SchemaShape] {
        while let (place, through) = conjunction.pending.popLast() {
            guard !through.contains(place) else { throw .endlessReference(path: place) }
            guard conjunction.seen.insert(place).inserted else { continue }
            switch try value(at: place) {
            case .bool(true): continue
            case .bool(false): return []
            case .object(let schema):
                try take(schema, at: place, through: through.union([place]), into: &conjunction)
            case let other: throw .notSchema(path: place, found: "\(other)")
            }
        }
        guard let branches = conjunction.choices.popLast() else {
            shapesRead += 1
            guard shapesRead <= limits.ruleCountMax * 8 else {
                throw .tooLarge(what: "combinations of subschemas", countMax: limits.ruleCountMax * 8)
            }
            return [conjunction.shape]
        }
        var shapes: [SchemaShape] = []
        for branch in branches {
            var one = conjunction
            one.pending.append(branch)
            shapes += try expand(&one)
            guard shapes.count <= limits.alternativeCountMax else {
                throw .tooLarge(what: "alternatives in one place", countMax: limits.alternativeCountMax)
            }
        }
        return shapes
    }

    private mutating func take(
        _ schema: JSONObject, at place: String, through: Set<String>, into conjunction: inout Conjunction
    ) throws(SchemaError) {
        for member in schema.members {
            let (keyword, value) = (member.key.description, member.value)
            if SchemaKeyword.annotations.contains(keyword) { continue }
            guard SchemaKeyword.enforced.contains(keyword) else {
                throw .unsupportedKeyword(path: place, keyword: keyword, reason: nil)
            }
            let part = KeywordPart(place: place, keyword: keyword, value: value)
            switch keyword {
            case "$ref":
                guard let reference = value.text else { throw part.invalid("it is no text") }
                conjunction.pending.append((try resolve(reference, at: place), through))
            case "allOf":
                for index in try part.list().indices {
                    conjunction.pending.append(("\(place)/allOf/\(index)", through))
                }
            case "anyOf", "oneOf":
                let branches = try part.list().indices.map { "\(place)/\(keyword)/\($0)" }
                if keyword == "oneOf" { try checkDisjoint(branches, part) }
                conjunction.choices.append(branches.map { ($0, through) })
            default: try conjunction.shape.take(part)
            }
        }
        conjunction.shape.takeMembers(of: schema, at: place)
        conjunction.shape.takeElements(of: schema, at: place)
    }

    /// `oneOf` means exactly one: it is `anyOf` only where no value satisfies two of them.
    private mutating func checkDisjoint(_ branches: [String], _ part: KeywordPart) throws(SchemaError) {
        var expanded: [[SchemaShape]] = []
        for branch in branches { expanded.append(try shapes(of: [branch])) }
        for (index, left) in expanded.enumerated() {
            for right in expanded.dropFirst(index + 1) {
                for (one, other) in left.flatMap({ one in right.map { (one, $0) } })
                where try !areDisjoint(one, other, depth: 0) {
                    throw part.unsupported("two of its schemas may hold at once; use anyOf")
                }
            }
        }
    }

    private mutating func areDisjoint(
        _ one: SchemaShape, _ other: SchemaShape, depth: Int
    ) throws(SchemaError) -> Bool {
        let types = one.types.intersection(other.types)
        if types.isEmpty { return true }
        if let left = one.values, let right = other.values {
            return !left.contains { value in right.contains { value.isSame(as: $0) } }
        }
        if let values = one.values ?? other.values { return !values.contains { types.contains($0.schemaType) } }
        guard types == .object, depth < 4 else { return false }
        for name in Set(one.required).union(other.required) {
            let isInBoth = one.required.contains(name) && other.required.contains(name)
            let (left, right) = (one.places(ofProperty: name), other.places(ofProperty: name))
            let (leftShapes, rightShapes) = (try shapes(of: left), try shapes(of: right))
            // One asks for a property that the other does not allow.
            if one.required.contains(name), rightShapes.isEmpty { return true }
            if other.required.contains(name), leftShapes.isEmpty { return true }
            guard isInBoth else { continue }
            var isDisjoint = true
            for (a, b) in leftShapes.flatMap({ a in rightShapes.map { (a, $0) } }) where isDisjoint {
                isDisjoint = try areDisjoint(a, b, depth: depth + 1)
            }
            if isDisjoint { return true }
        }
        return false
    }

    // MARK: Places

    func value(at place: String) throws(SchemaError) -> JSONValue {
        guard let value = find(place) else { throw .unresolvedReference(path: "", reference: "#" + place) }
        return value
    }

    private func resolve(_ reference: String, at place: String) throws(SchemaError) -> String {
        guard reference.hasPrefix("#") else { throw .unresolvedReference(path: place, reference: reference) }
        var target: [UInt8] = []
        var rest = reference.utf8.dropFirst()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let digits = String(rest.prefix(2)), let code = UInt8(digits, radix: 16) {
                target.append(code)
                rest = rest.dropFirst(2)
            } else {
                target.append(byte)
            }
        }
        let found = String(decoding: target, as: UTF8.self)
        guard found.isEmpty || found.hasPrefix("/"), find(found) != nil else {
            throw .unresolvedReference(path: place, reference: reference)
        }
        return found
    }

    private func find(_ place: String) -> JSONValue? {
        var value = root
        for step in place.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            switch value {
            case .object(let object):
                guard let next = object[Self.unescaped(step)] else { return nil }
                value = next
            case .array(let elements):
                guard let index = Int(step), elements.indices.contains(index) else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// A key as one step of a JSON pointer (RFC 6901).
    static func escaped(_ key: String) -> String {
        var text = ""
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func unescaped(_ step: Substring) -> String {
        var text = String.UnicodeScalarView()
        var rest = step.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "~", let digit = rest.first, digit == "0" || digit == "1" {
                rest.removeFirst()
                text.append(digit == "0" ? "~" : "/")
            } else {
                text.append(scalar)
            }
        }
        return String(text)
    }
}

/// One keyword where it stands.
struct KeywordPart {
    let place: String
    let keyword: String
    let value: JSONValue

    func invalid(_ reason: String) -> SchemaError {
        .invalidKeyword(path: place, keyword: keyword, reason: reason)
    }

    func unsupported(_ reason: String) -> SchemaError {
        .unsupportedKeyword(path: place, keyword: keyword, reason: reason)
    }

    func list() throws(SchemaError) -> [JSONValue] {
        guard let list = value.array, !list.isEmpty else { throw invalid("it must be a list that is not empty") }
        return list
    }

    func count() throws(SchemaError) -> Int {
        if let count = value.integer, count >= 0, count <= 1 << 30 { return count }
        if let count = value.number, count >= 0, count <= 0x1p30, count == count.rounded() { return Int(count) }
        throw invalid("\(value) is no whole number from 0 to \(1 << 30)")
    }
}

extension JSONValue {
    /// The one type that it has.
    var schemaType: SchemaShape.Types {
        switch self {
        case .null: .null
        case .bool: .boolean
        case .integer: .integer
        case .real(let number): number == number.rounded() ? .integer : .real
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// Whether JSON Schema takes both for one value: numbers by what they are worth, members in any order.
    func isSame(as other: JSONValue) -> Bool {
        if let left = number, let right = other.number {
            if case .integer(let a) = self, case .integer(let b) = other { return a == b }
            return left == right
        }
        switch (self, other) {
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
        case (.object(let left), .object(let right)):
            return left.members.count == right.members.count
                && left.members.allSatisfy { member in
                    right.members.contains { $0.key == member.key && $0.value.isSame(as: member.value) }
                }
        default: return self == other
        }
    }
}
