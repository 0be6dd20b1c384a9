/// Decides what a PEFT adapter_config.json says: which modules it changes, with which rank and scale.
struct AdapterConfiguration: Sendable {
    let file: String
    let rank: Int
    let alpha: Double
    let usesRankRoot: Bool
    /// Names or ends of names of modules.
    let targets: [String]
    let rankPattern: [(pattern: String, value: Int)]
    let alphaPattern: [(pattern: String, value: Double)]

    init(_ object: JSONObject, file: String, limits: AdapterLimits) throws(AdapterFileError) {
        do throws(FieldError) {
            guard let kind = object["peft_type"] else { throw .missing(file: file, field: "peft_type") }
            guard kind.text == "LORA" else {
                throw .unsupported(
                    file: file, field: "peft_type", value: kind.description, supported: "only \"LORA\" is")
            }
            try Self.table.check(object, file: file)
            let reader = FieldReader(object: object, file: file)
            self.file = file
            rank = try reader.integer("r", in: 1...limits.rankMax)
            alpha = try Self.alpha(reader)
            usesRankRoot = try reader.bool("use_rslora", default: false)
            targets = try Self.targets(reader, limits: limits)
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

    /// Whether PEFT would adapt the module of this full name: a target is its name, or ends it after a dot.
    func targets(module: String) -> Bool { targets.contains { Self.matches($0, module: module) } }

    /// The first target that matches none of these modules.
    func firstUnmatchedTarget(among modules: [String]) -> String? {
        targets.first { target in !modules.contains { Self.matches(target, module: $0) } }
    }

    /// The rank of a module.
    func rank(ofModule module: String) -> Int {
        rankPattern.first { Self.matches(pattern: $0.pattern, module: module) }?.value ?? rank
    }

    /// What the product B·A is multiplied by: alpha over the rank, or over its root for rank-stabilised adapters.
    func scale(ofModule module: String) -> Float {
        let alpha = alphaPattern.first { Self.matches(pattern: $0.pattern, module: module) }?.value ?? alpha
        let rank = Double(rank(ofModule: module))
        return Float(usesRankRoot ? alpha / rank.squareRoot() : alpha / rank)
    }

    private static func matches(_ target: String, module: String) -> Bool {
        let rest = module.utf8.count - target.utf8.count
        guard rest >= 0, module.utf8.dropFirst(rest).elementsEqual(target.utf8) else { return false }
        return rest == 0 || module.utf8.dropFirst(rest - 1).first == UInt8(ascii: ".")
    }

    /// PEFT takes a pattern's key as a regular expression behind `(.*\.)?`; of those, plain names are supported, in which
    /// a dot stands for any character, and which `^` may tie to the start.
    private static func matches(pattern: String, module: String) -> Bool {
        let isTied = pattern.utf8.first == UInt8(ascii: "^")
        let wanted = Array(pattern.utf8.dropFirst(isTied ? 1 : 0))
        let name = Array(module.utf8)
        guard wanted.count <= name.count else { return false }
        let start = name.count - wanted.count
        guard start == 0 || (!isTied && name[start - 1] == UInt8(ascii: ".")) else { return false }
        return zip(wanted, name[start...]).allSatisfy { $0 == UInt8(ascii: ".") || $0 == $1 }
    }

    private static func alpha(_ reader: FieldReader) throws(FieldError) -> Double {
        guard let value = reader.present("lora_alpha") else { throw .missing(file: reader.file, field: "lora_alpha") }
        guard let alpha = value.number, Float(alpha).isFinite else {
            throw reader.invalid("lora_alpha", value, "a number")
        }
        return alpha
    }

    private static func targets(_ reader: FieldReader, limits: AdapterLimits) throws(FieldError) -> [String] {
        guard let value = reader.present("target_modules") else {
            throw .missing(file: reader.file, field: "target_modules")
        }
        guard let list = value.array else {
            throw .unsupported(
                file: reader.file, field: "target_modules", value: value.description,
                supported: "a list of module names is")
        }
        guard (1...limits.targetCountMax).contains(list.count) else {
            throw reader.invalid("target_modules", value, "1 to \(limits.targetCountMax) module names")
        }
        var targets: [String] = []
        for element in list {
            guard let text = element.text, !text.isEmpty else {
                throw reader.invalid("target_modules", value, "a list of module names")
            }
            targets.append(text)
        }
        return targets
    }

    private static func pattern<Value>(
        _ field: String, _ reader: FieldReader, limits: AdapterLimits, read: (JSONValue) throws(FieldError) -> Value
    ) throws(FieldError) -> [(pattern: String, value: Value)] {
        guard let value = reader.present(field) else { return [] }
        guard let object = value.object, object.members.count <= limits.patternCountMax else {
            throw reader.invalid(field, value, "an object of at most \(limits.patternCountMax) module names")
        }
        var patterns: [(pattern: String, value: Value)] = []
        for member in object.members {
            let name = member.key.description
            let plain = name.utf8.dropFirst(name.utf8.first == UInt8(ascii: "^") ? 1 : 0)
            guard !plain.isEmpty, plain.allSatisfy(Self.isPlain) else {
                throw .unsupported(
                    file: reader.file, field: field, value: "\"\(name)\"", supported: "plain module names are")
            }
            patterns.append((name, try read(member.value)))
        }
        return patterns
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static let table = FieldTable(
        read: ["peft_type", "r", "lora_alpha", "use_rslora", "target_modules", "rank_pattern", "alpha_pattern"],
        harmless: [
            "auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "peft_version", "lora_dropout",
            "megatron_core", "qalora_group_size", "ensure_weight_tying", "runtime_config",
        ],
        only: [
            "task_type": [.text("CAUSAL_LM"), .null],
            "bias": [.text("none")],
            "lora_bias": [.bool(false), .null],
            "fan_in_fan_out": [.bool(false), .null],
            "use_dora": [.bool(false), .null],
            "use_qalora": [.bool(false), .null],
            "use_bdlora": [.bool(false), .null],
            "modules_to_save": [.null, .array([])],
            "exclude_modules": [.null, .array([])],
            "layers_to_transform": [.null, .array([])],
            "layers_pattern": [.null, .array([])],
            "layer_replication": [.null, .array([])],
            "trainable_token_indices": [.null],
            "target_parameters": [.null, .array([])],
            "alora_invocation_tokens": [.null],
            // PiSSA, OLoRA, CorDA and LoftQ change the base model too.
            "init_lora_weights": [.bool(true), .bool(false), .text("gaussian"), .text("orthogonal"), .null],
            "loftq_config": [.null, .emptyObject],
            "eva_config": [.null],
            "corda_config": [.null],
            "lora_ga_config": [.null],
            "arrow_config": [.null],
            "kasa_config": [.null],
            "velora_config": [.null],
            "monteclora_config": [.null],
            "megatron_config": [.null],
        ])
}
