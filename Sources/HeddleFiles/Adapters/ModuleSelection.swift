/// Decides which modules `target_modules` or `exclude_modules` names, as PEFT does.
enum ModuleSelection: Sendable {
    /// Names of modules, or what their names end with behind a dot.
    case names(Set<JSONString>, inOrder: [JSONString])
    /// A regular expression for the whole name.
    case pattern(ModulePattern)
    /// Every linear module but the output projection.
    case allLinear

    /// The field's value; `[]` is a list of no names.
    init(
        _ value: JSONValue, field: String, _ reader: FieldReader, limits: AdapterLimits, readsAllLinear: Bool = false
    ) throws(FieldError) {
        if let text = value.text {
            if readsAllLinear, text.lowercased() == "all-linear" {
                self = .allLinear
                return
            }
            do { self = .pattern(try ModulePattern(text, limits: limits.patterns)) } catch {
                throw .unsupported(
                    file: reader.file, field: reader.prefix + field, value: value.description, supported: "\(error)")
            }
            return
        }
        guard let list = value.array, list.count <= limits.targetCountMax else {
            throw reader.invalid(
                field, value, "a pattern, or a list of at most \(limits.targetCountMax) module names")
        }
        var names: [JSONString] = []
        for element in list {
            guard case .string(let name) = element, !name.bytes.isEmpty else {
                throw reader.invalid(field, value, "a pattern or a list of module names")
            }
            names.append(name)
        }
        self = .names(Set(names), inOrder: names)
    }

    /// Whether it names no module whatever the model: PEFT takes an empty text or list for none.
    var isEmpty: Bool {
        switch self {
        case .names(let names, _): names.isEmpty
        case .pattern(let pattern): pattern.text.isEmpty
        case .allLinear: false
        }
    }
}

/// How a selection names a module.
enum SelectionMatch: Hashable, Sendable {
    case none
    /// By its whole name, which PEFT takes before it looks at layers.
    case whole
    /// By what its name ends with behind a dot.
    case ending
}

extension ModuleSelection {
    func match(
        _ module: AdaptableModule, _ budget: inout ModulePatternBudget
    ) throws(ModulePatternError) -> SelectionMatch {
        switch self {
        case .names(let names, _):
            if names.contains(JSONString(module.name.text)) { return .whole }
            return module.name.endings.contains { names.contains($0) } ? .ending : .none
        case .pattern(let pattern): return try pattern.matchesWhole(module.name, &budget) ? .whole : .none
        case .allLinear: return module.kind == .linear ? .whole : .none
        }
    }

    /// The first name that is none of these modules' and ends none of them.
    func firstUnmatchedName(among modules: [AdaptableModule]) -> String? {
        guard case .names(_, let inOrder) = self else { return nil }
        var known: Set<JSONString> = []
        for module in modules { known.formUnion(module.name.endings) }
        return inOrder.first { !known.contains($0) }?.description
    }
}
