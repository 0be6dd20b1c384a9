import Glibc

/// Reads the rotary embedding's fields in both spellings: `rope_theta` beside `rope_scaling`, and the `rope_parameters` of
/// transformers 5.
struct RotaryFields {
    /// What a family leaves to its configuration.
    struct Family {
        var theta = 10_000.0
        /// Whether `partial_rotary_factor` may be other than 1.
        var isPartial = false
        /// The length that Phi-3 assumes where its configuration does not state one; nil takes the longest sequence.
        var originalPositionCount: Int?
        /// Whether the older names of LongRoPE are understood, and whether its cache is computed anew.
        var isPhi = false
        /// Types that are refused.
        var refused: Set<String> = []
    }

    let reader: FieldReader
    let headDimension: Int
    let positionCountMax: Int
    let limits: ModelLimits

    /// The encoding of a configuration that has one for all layers.
    func encoding(_ family: Family) throws(FieldError) -> RotaryEncoding {
        let (field, object) = try parameters()
        return try encoding(
            object ?? .init(members: []), field: field, outerTheta: "rope_theta", outer: reader, family)
    }

    /// The object that states the scaling, and the field that holds it; both spellings may stand there if they agree.
    func parameters() throws(FieldError) -> (field: String, object: JSONObject?) {
        var found: (field: String, object: JSONObject?) = ("rope_parameters", nil)
        for field in ["rope_scaling", "rope_parameters"] {
            guard let value = reader.present(field) else { continue }
            guard case .object(let object) = value else { throw reader.invalid(field, value, "an object or null") }
            if let other = found.object, other != object {
                throw reader.invalid(field, value, "the same as \(found.field) where both are given")
            }
            found = (field, object)
        }
        return found
    }

    /// The encoding that one object states; `outer` holds the fields that stand beside it.
    func encoding(
        _ object: JSONObject, field: String, outerTheta: String, outer: FieldReader, _ family: Family
    ) throws(FieldError) -> RotaryEncoding {
        let inner = FieldReader(object: object, file: reader.file, prefix: outer.prefix + field + ".")
        let type = try type(of: object, field, family)
        guard let table = Self.tables[type] else { preconditionFailure("\(type) has no table") }
        try table.check(object, file: reader.file, prefix: inner.prefix)
        var encoding = RotaryEncoding()
        encoding.theta = try same(outer, outerTheta, inner, "rope_theta") ?? family.theta
        encoding.partialFactor = try same(outer, "partial_rotary_factor", inner, "partial_rotary_factor") ?? 1
        let dimension = Int(Double(headDimension) * encoding.partialFactor)
        guard encoding.partialFactor == 1 || family.isPartial && encoding.partialFactor < 1 && dimension >= 2 else {
            throw .unsupported(
                file: reader.file, field: "partial_rotary_factor", value: "\(encoding.partialFactor)",
                supported: family.isPartial ? "only a part of the head of at least 2 elements is" : "only 1 is")
        }
        encoding.scaling = try scaling(type, inner, field, dimension, encoding.theta, family)
        return encoding
    }

    private func type(of object: JSONObject, _ field: String, _ family: Family) throws(FieldError) -> String {
        let value = object["rope_type"] ?? object["type"] ?? .text("default")
        var type = value.text ?? ""
        if family.isPhi, ["su", "yarn"].contains(type) { type = "longrope" }
        let known = Self.tables.keys.filter { !family.refused.contains($0) }.sorted()
        guard known.contains(type) else {
            throw .unsupported(
                file: reader.file, field: field, value: JSONValue.object(object).description,
                supported: "only the types \(known.joined(separator: ", ")) are")
        }
        return type
    }

    private func scaling(
        _ type: String, _ inner: FieldReader, _ field: String, _ dimension: Int, _ theta: Double, _ family: Family
    ) throws(FieldError) -> RotaryEncoding.Scaling {
        func original() throws(FieldError) -> Int {
            let beside = try whole(reader, "original_max_position_embeddings") ?? family.originalPositionCount
            if let beside { return beside }
            return try whole(inner, "original_max_position_embeddings") ?? positionCountMax
        }
        switch type {
        case "linear": return .linear(factor: try factor(inner))
        case "dynamic":
            guard dimension > 2 else {
                throw reader.invalid("head_dim", .integer(Int64(headDimension)), "above 2 where rope is dynamic")
            }
            return .dynamic(factor: try factor(inner), originalPositionCount: positionCountMax)
        case "llama3":
            let numbers = RotaryEncoding.Llama3(
                factor: try factor(inner), lowFrequencyFactor: try inner.positiveNumber("low_freq_factor"),
                highFrequencyFactor: try inner.positiveNumber("high_freq_factor"),
                originalPositionCount: try original())
            guard numbers.lowFrequencyFactor < numbers.highFrequencyFactor else {
                throw inner.invalid(
                    "high_freq_factor", .real(numbers.highFrequencyFactor),
                    "above low_freq_factor = \(numbers.lowFrequencyFactor)")
            }
            return .llama3(numbers)
        case "yarn": return .yarn(try yarn(inner, original: original(), theta: theta))
        case "longrope":
            return .long(try long(inner, original: original(), frequencyCount: (dimension + 1) / 2, family))
        default: return .none
        }
    }

    private func yarn(_ inner: FieldReader, original: Int, theta: Double) throws(FieldError) -> RotaryEncoding.Yarn {
        guard theta != 1 else { throw inner.invalid("rope_theta", .real(theta), "other than 1 where rope is yarn") }
        let factor = try inner.object["factor"] == .null ? ratio(to: original, inner) : factor(inner)
        func scale(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1 }
        var attention = scale(1)
        if let weight = try number(inner, "mscale"), let all = try number(inner, "mscale_all_dim") {
            attention = scale(weight) / scale(all)
        }
        if let stated = try number(inner, "attention_factor") { attention = stated }
        guard Float(attention).isFinite, attention > 0 else {
            throw inner.invalid("mscale", inner.object["mscale"] ?? .null, "a scale of a finite factor above zero")
        }
        return RotaryEncoding.Yarn(
            factor: factor, fastRotationCount: try inner.positiveNumber("beta_fast", default: 32),
            slowRotationCount: try inner.positiveNumber("beta_slow", default: 1), originalPositionCount: original,
            isTruncated: try inner.bool("truncate", default: true), attentionFactor: attention)
    }

    private func long(
        _ inner: FieldReader, original: Int, frequencyCount: Int, _ family: Family
    ) throws(FieldError) -> RotaryEncoding.Long {
        guard original > 1 else {
            throw reader.invalid("original_max_position_embeddings", .integer(Int64(original)), "above 1")
        }
        let factor = try number(inner, "factor") ?? ratio(to: original, inner)
        let derived = factor <= 1 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot()
        return RotaryEncoding.Long(
            shortFactors: try factors(inner, "short_factor", count: frequencyCount),
            longFactors: try factors(inner, "long_factor", count: frequencyCount), originalPositionCount: original,
            attentionFactor: try number(inner, "attention_factor") ?? derived, isComputedAnew: family.isPhi)
    }

    private func ratio(to original: Int, _ inner: FieldReader) -> Double {
        Double(positionCountMax) / Double(original)
    }

    private func factor(_ inner: FieldReader) throws(FieldError) -> Double {
        let factor = try inner.positiveNumber("factor")
        guard factor >= 1 else { throw inner.invalid("factor", .real(factor), "at least 1") }
        return factor
    }

    private func factors(_ inner: FieldReader, _ field: String, count: Int) throws(FieldError) -> [Double] {
        guard let value = inner.present(field) else { throw .missing(file: inner.file, field: inner.prefix + field) }
        let numbers = (value.array ?? []).compactMap(\.number).filter { $0 > 0 && Float($0).isFinite && Float($0) > 0 }
        guard numbers.count == count, value.array?.count == count else {
            throw inner.invalid(field, value, "a list of \(count) numbers above zero")
        }
        return numbers
    }

    private func whole(_ from: FieldReader, _ field: String) throws(FieldError) -> Int? {
        guard from.present(field) != nil else { return nil }
        return try from.integer(field, in: 1...limits.positionCountMax)
    }

    private func number(_ from: FieldReader, _ field: String) throws(FieldError) -> Double? {
        guard from.present(field) != nil else { return nil }
        return try from.positiveNumber(field)
    }

    /// A number that may stand inside or beside, or both alike.
    private func same(
        _ outer: FieldReader, _ outerField: String, _ inner: FieldReader, _ innerField: String
    ) throws(FieldError) -> Double? {
        let (beside, inside) = (try number(outer, outerField), try number(inner, innerField))
        if let beside, let inside, beside != inside {
            throw inner.invalid(innerField, .real(inside), "the same wherever it stands in the file")
        }
        return inside ?? beside
    }

    /// For each type the fields that its object may hold.
    private static let tables: [String: FieldTable] = {
        func table(_ fields: [String], harmless: [String] = []) -> FieldTable {
            FieldTable(
                read: ["rope_type", "type", "rope_theta", "partial_rotary_factor"] + fields, harmless: harmless,
                only: [:])
        }
        return [
            "default": table([]),
            "linear": table(["factor"]),
            "dynamic": table(["factor"]),
            "llama3": table(["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"]),
            "yarn": table([
                "factor", "original_max_position_embeddings", "attention_factor", "beta_fast", "beta_slow", "mscale",
                "mscale_all_dim", "truncate",
            ]),
            "longrope": table([
                "factor", "original_max_position_embeddings", "attention_factor", "short_factor", "long_factor",
            ]),
        ]
    }()
}
