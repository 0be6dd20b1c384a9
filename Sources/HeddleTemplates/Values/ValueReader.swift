import HeddleFiles

/// Turns JSON into the values of a template.
enum ValueReader {
    static func value(of json: JSONValue, limits: TemplateLimits) throws(TemplateError) -> Value {
        try value(of: json, depthLeft: limits.valueDepthMax, limits)
    }

    private static func value(
        of json: JSONValue, depthLeft: Int, _ limits: TemplateLimits
    ) throws(TemplateError) -> Value {
        guard depthLeft > 0 else {
            throw TemplateError(
                kind: .limit, message: "values are nested deeper than \(limits.valueDepthMax)", line: 0)
        }
        switch json {
        case .null: return .none
        case .bool(let truth): return .bool(truth)
        case .integer(let number): return .integer(Int(number))
        case .real(let number):
            // A whole number beyond 64 bits has lost digits that Python would print.
            guard number.magnitude < 0x1p63 else {
                throw TemplateError(kind: .unsupported, message: "the number \(number) is too large", line: 0)
            }
            return .float(number)
        case .string(let string): return .text(Text(string.bytes))
        case .array(let elements):
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for element in elements { values.append(try value(of: element, depthLeft: depthLeft - 1, limits)) }
            return .list(Items(values))
        case .object(let object):
            var pairs: [(hash: HashKey, key: Value, value: Value)] = []
            for member in object.members {
                let key = Text(member.key.bytes)
                pairs.append((.text(key), .text(key), try value(of: member.value, depthLeft: depthLeft - 1, limits)))
            }
            return .mapping(Mapping(pairs))
        }
    }
}
