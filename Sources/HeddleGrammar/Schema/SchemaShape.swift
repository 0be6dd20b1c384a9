import HeddleFiles

/// One way to satisfy a subschema: what every keyword that applies says together, with no alternative left.
struct SchemaShape: Sendable {
    struct Types: OptionSet, Hashable, Sendable {
        let rawValue: UInt8
        static let null = Types(rawValue: 1)
        static let boolean = Types(rawValue: 2)
        static let integer = Types(rawValue: 4)
        /// Numbers that need not be whole; never without `integer`.
        static let real = Types(rawValue: 8)
        static let string = Types(rawValue: 16)
        static let array = Types(rawValue: 32)
        static let object = Types(rawValue: 64)
        static let all = Types(rawValue: 127)
    }

    /// What a string must be a member of, besides its length.
    enum Language: Hashable, Sendable {
        case pattern(String, path: String)
        case format(StringFormat)
    }

    /// What one schema says of an object's members.
    struct Members: Sendable {
        var properties: [(name: JSONString, place: String)] = []
        var additional: String?
    }

    /// What one schema says of an array's elements.
    struct Elements: Sendable {
        var prefix: [String] = []
        var rest: String?
    }

    var types = Types.all
    /// What `enum` and `const` leave; nil where there is neither.
    var values: [JSONValue]?
    var valuesPath = ""
    var lengthMin = 0
    var lengthMax: Int?
    var languages: [Language] = []
    var lower: NumberText.Bound?
    var upper: NumberText.Bound?
    var itemsMin = 0
    var itemsMax: Int?
    var elements: [Elements] = []
    var members: [Members] = []
    /// In the order in which they were named, each once.
    var required: [JSONString] = []

    /// The schemas that an object's property of this name satisfies, by place.
    func places(ofProperty name: JSONString) -> [String] {
        unique(members.compactMap { $0.properties.first { $0.name == name }?.place ?? $0.additional })
    }

    /// The schemas that properties of other names satisfy.
    var additionalPlaces: [String] { unique(members.compactMap(\.additional)) }

    /// Names of properties, declared ones first, in the order of the schema.
    var propertyNames: [JSONString] {
        var names: [JSONString] = []
        var seen: Set<JSONString> = []
        for name in members.flatMap({ $0.properties.map(\.name) }) + required where seen.insert(name).inserted {
            names.append(name)
        }
        return names
    }

    func places(ofElement index: Int) -> [String] {
        unique(elements.compactMap { index < $0.prefix.count ? $0.prefix[index] : $0.rest })
    }

    var prefixCount: Int { elements.map(\.prefix.count).max() ?? 0 }

    private func unique(_ places: [String]) -> [String] { Set(places).sorted() }
}
