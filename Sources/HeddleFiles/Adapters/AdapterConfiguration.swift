/// Decides what a PEFT adapter_config.json says: which modules it changes, with which rank and scale.
package struct AdapterConfiguration: Sendable {
    let file: String
    let rank: Int
    let alpha: Double
    let usesRankRoot: Bool
    let targets: ModuleSelection
    private let exclusions: ModuleSelection?
    private let layers: LayerSelection?
    private let rankPattern: [(pattern: ModulePattern, value: Int)]
    private let alphaPattern: [(pattern: ModulePattern, value: Double)]
    /// Whether the output projection's adapter is to be the embedding's where the base ties the two modules.
    let tiesAdapters: Bool
    /// The base model's name where it was trained; it says nothing about the base that is here.
    let baseName: String?
    private let limits: AdapterLimits

    package init(_ object: JSONObject, file: String, limits: AdapterLimits) throws(AdapterFileError) {
        do throws(FieldError) {
            guard let kind = object["peft_type"] else { throw .missing(file: file, field: "peft_type") }
            guard kind.text == "LORA" else {
                throw .unsupported(
                    file: file, field: "peft_type", value: kind.description, supported: "only \"LORA\" is")
            }
            try AdapterFields.table.check(object, file: file)
            let reader = FieldReader(object: object, file: file)
            self.file = file
            self.limits = limits
            rank = try reader.integer("r", in: 1...limits.rankMax)
            alpha = try Self.alpha(reader)
            usesRankRoot = try reader.bool("use_rslora", default: false)
            tiesAdapters = try reader.bool("ensure_weight_tying", default: false)
            baseName = reader.present("base_model_name_or_path")?.text
            let targets = try Self.targets(reader, limits: limits)
            self.targets = targets
            let exclusions: ModuleSelection? =
                if let value = reader.present("exclude_modules") {
                    try ModuleSelection(value, field: "exclude_modules", reader, limits: limits)
                } else { nil }
            self.exclusions = exclusions.flatMap { $0.isEmpty ? nil : $0 }
            let targetsAreNames = if case .names = targets { true } else { false }
            layers = try LayerSelection(reader, targetsAreNames: targetsAreNames, limits: limits)
            rankPattern = try Self.pattern("rank_pattern", reader, limits: limits) { (value) throws(FieldError) in
                guard let rank = value.integer, (1...limits.rankMax).contains(rank) else {
                    throw reader.invalid("rank_pattern", value, "whole numbers from 1 to \(limits.rankMax)")
                }
                return rank
            }
            alphaPattern = try Self.pattern("alpha_pattern", reader, limits: limits) { (value) throws(FieldError) in
                guard let alpha = value.number, Float(alpha).isFinite else {
                    throw reader.invalid("alpha_pattern", value, "numbers")
                }
                return alpha
            }
        } catch { throw .field(error) }
    }

    /// What the adapter has for one module.
    package struct Change: Hashable, Sendable {
        package var rank: Int
        package var alpha: Double
        /// What the product B·A is multiplied by: alpha over the rank, or over its root for rank-stabilised adapters.
        package var scale: Float
    }

    /// The modules that PEFT would adapt, each with its rank and scale.
    package func changes(
        of modules: [AdaptableModule]
    ) throws(AdapterFileError) -> [(module: AdaptableModule, change: Change)] {
        var budget = ModulePatternBudget(limits: limits.patterns)
        do throws(ModulePatternError) {
            var changes: [(module: AdaptableModule, change: Change)] = []
            for module in modules where try targets(module, &budget) {
                changes.append((module, try change(of: module.name, &budget)))
            }
            return changes
        } catch { throw .patternsTooSlow(file: file, reason: "\(error)") }
    }

    /// The rank and scale of the module of this name.
    func change(of name: ModuleName, _ budget: inout ModulePatternBudget) throws(ModulePatternError) -> Change {
        let rank = try Self.first(rankPattern, name, &budget) ?? rank
        let alpha = try Self.first(alphaPattern, name, &budget) ?? alpha
        let divisor = usesRankRoot ? Double(rank).squareRoot() : Double(rank)
        return Change(rank: rank, alpha: alpha, scale: Float(alpha / divisor))
    }

    private func targets(
        _ module: AdaptableModule, _ budget: inout ModulePatternBudget
    ) throws(ModulePatternError) -> Bool {
        if let exclusions, try exclusions.match(module, &budget) != .none { return false }
        switch try targets.match(module, &budget) {
        case .none: return false
        case .whole: return true
        case .ending: return layers?.contains(module.name) ?? true
        }
    }

    private static func first<Value>(
        _ patterns: [(pattern: ModulePattern, value: Value)], _ name: ModuleName, _ budget: inout ModulePatternBudget
    ) throws(ModulePatternError) -> Value? {
        for (pattern, value) in patterns where try pattern.matchesTail(name, &budget) { return value }
        return nil
    }

    private static func alpha(_ reader: FieldReader) throws(FieldError) -> Double {
        guard let value = reader.present("lora_alpha") else { throw .missing(file: reader.file, field: "lora_alpha") }
        guard let alpha = value.number, Float(alpha).isFinite else {
            throw reader.invalid("lora_alpha", value, "a number")
        }
        return alpha
    }

    private static func targets(_ reader: FieldReader, limits: AdapterLimits) throws(FieldError) -> ModuleSelection {
        guard let value = reader.present("target_modules") else {
            throw .missing(file: reader.file, field: "target_modules")
        }
        let targets = try ModuleSelection(
            value, field: "target_modules", reader, limits: limits, readsAllLinear: true)
        guard !targets.isEmpty else {
            throw reader.invalid("target_modules", value, "a pattern or at least one module name")
        }
        return targets
    }

    private static func pattern<Value>(
        _ field: String, _ reader: FieldReader, limits: AdapterLimits, read: (JSONValue) throws(FieldError) -> Value
    ) throws(FieldError) -> [(pattern: ModulePattern, value: Value)] {
        guard let value = reader.present(field) else { return [] }
        guard let object = value.object, object.members.count <= limits.patternCountMax else {
            throw reader.invalid(field, value, "an object of at most \(limits.patternCountMax) patterns of modules")
        }
        var patterns: [(pattern: ModulePattern, value: Value)] = []
        for member in object.members {
            let text = member.key.description
            let pattern: ModulePattern
            do { pattern = try ModulePattern(text, limits: limits.patterns) } catch {
                throw .unsupported(file: reader.file, field: field, value: "\"\(text)\"", supported: "\(error)")
            }
            patterns.append((pattern, try read(member.value)))
        }
        return patterns
    }
}
