import HeddleFiles

/// What each keyword adds to a shape. All that is added must hold together.
extension SchemaShape {
    mutating func take(_ part: KeywordPart) throws(SchemaError) {
        switch part.keyword {
        case "type": types.formIntersection(try Self.types(part))
        case "enum":
            // An empty list is valid and allows nothing.
            guard let list = part.value.array else { throw part.invalid("it is no list") }
            restrict(to: list, part)
        case "const": restrict(to: [part.value], part)
        case "minLength": lengthMin = max(lengthMin, try part.count())
        case "maxLength": lengthMax = min(lengthMax ?? .max, try part.count())
        case "pattern":
            guard let pattern = part.value.text else { throw part.invalid("it is no text") }
            languages.append(.pattern(pattern, path: part.place))
        case "format":
            guard let name = part.value.text else { throw part.invalid("it is no text") }
            guard let format = StringFormat(rawValue: name) else {
                throw part.unsupported(
                    "format “\(name)” is not enforced; "
                        + StringFormat.allCases.map(\.rawValue).joined(separator: ", ") + " are")
            }
            if !languages.contains(.format(format)) { languages.append(.format(format)) }
        case "minimum", "exclusiveMinimum":
            let bound = try NumberText.Bound(part, isExclusive: part.keyword != "minimum")
            if let known = lower, known.value > bound.value || (known.value == bound.value && known.isExclusive) {
                break
            }
            lower = bound
        case "maximum", "exclusiveMaximum":
            let bound = try NumberText.Bound(part, isExclusive: part.keyword != "maximum")
            if let known = upper, known.value < bound.value || (known.value == bound.value && known.isExclusive) {
                break
            }
            upper = bound
        case "minItems": itemsMin = max(itemsMin, try part.count())
        case "maxItems": itemsMax = min(itemsMax ?? .max, try part.count())
        case "required":
            guard let list = part.value.array else { throw part.invalid("it is no list") }
            for name in list {
                guard case .string(let name) = name else { throw part.invalid("\(name) is no text") }
                if !required.contains(name) { required.append(name) }
            }
        case "properties":
            guard part.value.object != nil else { throw part.invalid("it is no object") }
        case "prefixItems": _ = try part.list()
        case "items":
            if part.value.array != nil { throw part.invalid("a list of schemas is written as prefixItems") }
        case "additionalProperties": break
        default: preconditionFailure("every enforced keyword is taken in")
        }
    }

    mutating func takeMembers(of schema: JSONObject, at place: String) {
        let properties = schema["properties"]?.object?.members ?? []
        let additional = schema["additionalProperties"]
        guard !properties.isEmpty || additional != nil else { return }
        members.append(
            Members(
                properties: properties.map { member in
                    (member.key, "\(place)/properties/\(SchemaReader.escaped(member.key.description))")
                }, additional: additional.map { _ in place + "/additionalProperties" }))
    }

    mutating func takeElements(of schema: JSONObject, at place: String) {
        let prefix = schema["prefixItems"]?.array ?? []
        let rest = schema["items"]
        guard !prefix.isEmpty || rest != nil else { return }
        elements.append(
            Elements(
                prefix: prefix.indices.map { "\(place)/prefixItems/\($0)" }, rest: rest.map { _ in place + "/items" }))
    }

    private mutating func restrict(to list: [JSONValue], _ part: KeywordPart) {
        values = values.map { $0.filter { value in list.contains { $0.isSame(as: value) } } } ?? list
        valuesPath = part.place
    }

    private static func types(_ part: KeywordPart) throws(SchemaError) -> Types {
        let names: [JSONValue]
        switch part.value {
        case .string: names = [part.value]
        case .array(let list): names = list
        default: throw part.invalid("it is neither a type nor a list of types")
        }
        var types: Types = []
        for name in names {
            switch name.text {
            case "null": types.insert(.null)
            case "boolean": types.insert(.boolean)
            case "integer": types.insert(.integer)
            case "number": types.formUnion([.integer, .real])
            case "string": types.insert(.string)
            case "array": types.insert(.array)
            case "object": types.insert(.object)
            default:
                throw part.invalid("\(name) is none of null, boolean, integer, number, string, array and object")
            }
        }
        return types
    }
}

extension NumberText.Bound {
    init(_ part: KeywordPart, isExclusive: Bool) throws(SchemaError) {
        guard let number = part.value.number else { throw part.invalid("\(part.value) is no number") }
        guard let magnitude = NumberText.Magnitude(part.value) else {
            throw part.unsupported(
                "\(part.value) has more than \(NumberText.boundedDigitsMax) digits when it is written without exponent")
        }
        self.init(magnitude: magnitude, isNegative: number < 0, isExclusive: isExclusive)
    }

    /// Exact, because a bound has at most 15 digits.
    var value: Double {
        let digits = magnitude.integer + [0xFE] + magnitude.fraction
        let text = digits.map { $0 == 0xFE ? "." : String($0) }.joined()
        return (isNegative ? -1 : 1) * (Double(text + (magnitude.fraction.isEmpty ? "0" : "")) ?? 0)
    }

    /// The nearest bound among whole numbers.
    func whole(isLower: Bool) -> NumberText.Bound {
        let value = value
        var whole = isLower ? value.rounded(.up) : value.rounded(.down)
        if isExclusive, whole == value { whole += isLower ? 1 : -1 }
        return NumberText.Bound(
            magnitude: NumberText.Magnitude(.integer(Int64(whole))) ?? .zero, isNegative: whole < 0, isExclusive: false)
    }
}

extension NumberText.Magnitude {
    /// The decimal digits of a number without its sign; nil where there are too many.
    init?(_ value: JSONValue) {
        let text: String
        switch value {
        case .integer(let number): text = String(number.magnitude)
        case .real(let number): text = number.magnitude.description
        default: return nil
        }
        let parts = text.split(separator: "e")
        let exponent = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
        guard abs(exponent) <= NumberText.boundedDigitsMax else { return nil }
        let decimals = parts[0].split(separator: ".")
        var integer = decimals[0].utf8.map { $0 - 0x30 }
        var fraction = decimals.count == 2 ? decimals[1].utf8.map { $0 - 0x30 } : []
        for _ in 0..<max(0, exponent) { integer.append(fraction.isEmpty ? 0 : fraction.removeFirst()) }
        for _ in 0..<max(0, -exponent) { fraction.insert(integer.popLast() ?? 0, at: 0) }
        while fraction.last == 0 { fraction.removeLast() }
        while integer.first == 0 { integer.removeFirst() }
        if integer.isEmpty { integer = [0] }
        guard integer.count + fraction.count <= NumberText.boundedDigitsMax else { return nil }
        self.init(integer: integer, fraction: fraction)
    }
}
