import Glibc
import HeddleCore
import HeddleFiles
import Testing

@Suite struct AdapterFolderTests {
    private let model = SmallModel()

    private func open(_ changes: [String: String?], _ tensors: [SafetensorsBytes.Tensor]? = nil) throws -> AdapterFolder
    {
        let folder = try model.adapterFolder()
        var fields = SmallModel.adapterFields
        for (field, value) in changes { fields[field] = value }
        try folder.write("adapter_config.json", SmallModel.json(fields))
        if let tensors { try folder.write("adapter_model.safetensors", SafetensorsBytes.file(tensors)) }
        return try AdapterFolder(path: folder.path, base: model.configuration)
    }

    private func refusal(_ changes: [String: String?], _ tensors: [SafetensorsBytes.Tensor]? = nil) -> String? {
        errorText { _ = try open(changes, tensors) }
    }

    @Test func modulesComeInOrderWithTheirScale() throws {
        let adapter = try open([:])
        #expect(
            adapter.modules.map(\.target.description) == ["layer 0 q", "layer 0 down", "layer 1 q", "layer 1 down"])
        #expect(adapter.modules.allSatisfy { $0.rank == 4 && $0.alpha == 6 && $0.scale == 1.5 })
        #expect(adapter.modules[1].a.shape == [4, 24] && adapter.modules[1].b.shape == [16, 4])
        #expect(adapter.rankMax == 4 && adapter.byteCount == model.adapterTensors().reduce(0) { $0 + $1.bytes.count })
        #expect(try adapter.modules[0].a.floats().count == 64)
    }

    /// A mapping would end the process with SIGBUS where the file has become shorter.
    @Test func anAdapterThatIsOpenDoesNotNoticeThatItsFilesAreWrittenInto() throws {
        let folder = try model.adapterFolder()
        let adapter = try AdapterFolder(path: folder.path, base: model.configuration)
        let floats = try adapter.modules.map { try $0.b.floats() }
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            #expect(truncate("\(folder.path)/\(name)", 0) == 0)
        }
        #expect(try adapter.modules.map { try $0.b.floats() } == floats)
        #expect(errorText { _ = try AdapterFolder(path: folder.path, base: model.configuration) } != nil)
    }

    @Test func weightsLongerThanTheLimitAreNotReadIntoMemory() throws {
        let folder = try model.adapterFolder()
        var limits = AdapterLimits()
        limits.weightsByteCountMax = 100
        let text = errorText { _ = try AdapterFolder(path: folder.path, base: model.configuration, limits: limits) }
        #expect(text?.contains("at most 100 are read") == true)
    }

    @Test func allSevenProjectionsAreRead() throws {
        let all = Projection.allCases
        let names = "[" + all.map { "\"\($0.moduleName)\"" }.joined(separator: ",") + "]"
        let adapter = try open(["target_modules": names], model.adapterTensors(all))
        #expect(
            adapter.modules.map(\.target)
                == (0..<2).flatMap { layer in all.map { .projection(layer: layer, $0) } })
    }

    @Test func ranksAndScalesFollowTheirPatterns() throws {
        #expect(try open(["use_rslora": "true"]).modules[0].scale == 3)
        var tensors = model.adapterTensors()
        tensors[0] = .random(tensors[0].name, [2, 16], seed: 1)
        tensors[1] = .random(tensors[1].name, [32, 2], seed: 1)
        let adapter = try open(
            [
                "rank_pattern": #"{"layers.0.self_attn.q_proj": 2}"#,
                "alpha_pattern": #"{"^model.layers.1.mlp.down_proj": 1, "down_proj": 8}"#,
            ],
            tensors)
        #expect(adapter.modules.map(\.rank) == [2, 4, 4, 4])
        #expect(adapter.modules.map(\.scale) == [3, 2, 1.5, 0.25])
        let one = try open(["rank_pattern": #"{".*\\.0\\..*q_p.oj": 2}"#], tensors)
        #expect(one.modules.map(\.rank) == [2, 4, 4, 4])
        #expect(
            refusal(["rank_pattern": #"{"(?i)Q_proj": 2}"#])?.contains(
                #"rank_pattern = "(?i)Q_proj" is not supported; at character 0 stands a flag"#) == true)
        #expect(refusal(["rank_pattern": #"{"q_proj": 0}"#])?.contains("rank_pattern is 0") == true)
    }

    @Test func targetsMayBeTiedToOneLayer() throws {
        let tensors = Array(model.adapterTensors([.q]).prefix(2))
        let adapter = try open(["target_modules": #"["model.layers.0.self_attn.q_proj"]"#], tensors)
        #expect(adapter.modules.count == 1)
        #expect(
            refusal(["target_modules": #"["oj"]"#])?.hasSuffix(
                "adapter_config.json: target_modules leaves none of the base model's modules q_proj, k_proj, v_proj, o_proj, "
                    + "gate_proj, up_proj, down_proj, lm_head, embed_tokens") == true)
    }

    @Test(arguments: [
        ("peft_type", #""IA3""#, #"peft_type = "IA3" is not supported; only "LORA" is"#),
        ("use_dora", "true", "use_dora = true is not supported"),
        ("modules_to_save", #"["lm_head"]"#, #"modules_to_save = ["lm_head"] is not supported"#),
        ("bias", #""all""#, #"bias = "all" is not supported; only "none" is"#),
        ("lora_bias", "true", "lora_bias = true is not supported"),
        (
            "layers_to_transform", #""0""#,
            #"layers_to_transform is "0"; it must be a number of a layer, or a list of them"#
        ),
        ("layers_pattern", #""layers""#, "the field “layers_to_transform” is missing"),
        ("layer_replication", "[[0, 2]]", "layer_replication = [[0, 2]] is not supported"),
        ("trainable_token_indices", "[5]", "trainable_token_indices = [5] is not supported"),
        ("exclude_modules", #""(?i)Q""#, #"exclude_modules = "(?i)Q" is not supported; at character 0 stands a flag"#),
        ("exclude_modules", "[1]", "exclude_modules is [1]; it must be a pattern or a list of module names"),
        ("target_parameters", #"["a"]"#, "target_parameters = "),
        ("use_qalora", "true", "use_qalora = true is not supported"),
        ("alora_invocation_tokens", "[1]", "alora_invocation_tokens = [1] is not supported"),
        ("init_lora_weights", #""pissa""#, #"init_lora_weights = "pissa" is not supported"#),
        ("init_lora_weights", #""pissa_niter_4""#, #"init_lora_weights = "pissa_niter_4" is not supported"#),
        ("init_lora_weights", #""olora""#, #"init_lora_weights = "olora" is not supported"#),
        ("init_lora_weights", #""corda""#, #"init_lora_weights = "corda" is not supported"#),
        ("init_lora_weights", #""loftq""#, #"init_lora_weights = "loftq" is not supported"#),
        ("init_lora_weights", #""lora_ga""#, #"init_lora_weights = "lora_ga" is not supported"#),
        ("kasa_config", "{}", "kasa_config = {} is not supported; only null is"),
        ("velora_config", "{}", "velora_config = {} is not supported; only null is"),
        ("monteclora_config", "{}", "monteclora_config = {} is not supported; only null is"),
        ("arrow_config", "{}", "arrow_config = {} is not supported; only null is"),
        ("use_bdlora", "{}", "use_bdlora = {} is not supported"),
        ("megatron_config", "{}", "megatron_config = {} is not supported; only null is"),
        ("task_type", #""SEQ_CLS""#, #"task_type = "SEQ_CLS" is not supported"#),
        ("new_method", "1", "the field “new_method” (1) is unknown"),
        ("target_modules", "[]", "target_modules is []; it must be a pattern or at least one module name"),
        ("target_modules", #""q_proj""#, "target_modules leaves none of the base model's modules q_proj, k_proj"),
        (
            "target_modules", #"["q_proj", "qkv_proj"]"#,
            "target_modules names “qkv_proj”, which is none of the base model's q_proj, k_proj"
        ),
        ("r", "0", "r is 0; it must be a whole number from 1 to 4096"),
        ("lora_alpha", #""x""#, #"lora_alpha is "x"; it must be a number"#),
    ])
    func whatIsNotPlainLoRAIsRefusedByName(field: String, value: String, message: String) {
        let text = refusal([field: value])
        #expect(
            text?.contains("adapter_config.json") == true && text?.contains(message) == true, "\(text ?? "accepted")")
    }

    @Test(arguments: ["peft_type", "r", "lora_alpha", "target_modules"])
    func fieldsWithoutADefaultAreMissed(field: String) {
        #expect(
            refusal([field: String?.none])?.hasSuffix("adapter_config.json: the field “\(field)” is missing") == true)
    }

    @Test func anAdapterForAnotherBaseIsRefused() throws {
        let folder = try model.adapterFolder()
        var other = model
        other.hiddenSize = 32
        #expect(
            errorText { _ = try AdapterFolder(path: folder.path, base: other.configuration) }
                == "the adapter's tensor “base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight” has shape [4, 16]; over this base model it must be [4, 32]"
        )
        other = model
        other.layerCount = 1
        #expect(
            errorText { _ = try AdapterFolder(path: folder.path, base: other.configuration) }
                == "the adapter has a tensor “base_model.model.model.layers.1.mlp.down_proj.lora_A.weight” of shape [4, 24] that fits no module of its configuration over this base model"
        )
        other.layerCount = 3
        #expect(
            errorText { _ = try AdapterFolder(path: folder.path, base: other.configuration) }
                == "the adapter has no tensor “base_model.model.model.layers.2.self_attn.q_proj.lora_A.weight”; its configuration and base model need one of shape [4, 16]"
        )
    }

    @Test func tensorsMustFitTheirConfiguration() {
        #expect(
            refusal(["r": "8"])?.contains("lora_A.weight” has shape [4, 16]; over this base model it must be [8, 16]")
                == true)
        #expect(
            refusal(["target_modules": #"["q_proj"]"#])?.contains(
                "the adapter has a tensor “base_model.model.model.layers.0.mlp.down_proj.lora_A.weight”") == true)
        #expect(
            refusal(["target_modules": #"["q_proj", "down_proj", "v_proj"]"#])?.contains(
                "has no tensor “base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight”") == true)
        var tensors = model.adapterTensors()
        tensors.append(.random("base_model.model.model.norm.weight", [16], seed: 1))
        #expect(
            refusal([:], tensors)?.contains("has a tensor “base_model.model.model.norm.weight” of shape [16]") == true)
        tensors = model.adapterTensors()
        tensors[0] = .init(name: tensors[0].name, type: "I8", shape: [4, 16], bytes: [UInt8](repeating: 0, count: 64))
        #expect(refusal([:], tensors)?.contains("has elements of type I8") == true)
    }

    /// Whatever bytes stand in adapter_config.json, reading ends, by modules or by an error.
    @Test func damagedConfigurationsAreReadOrRefused() throws {
        var generator = SeededGenerator(state: 33)
        var fields = SmallModel.adapterFields
        fields["target_modules"] = #"".*\\.(?:q|[dx]own)_pro{1,2}j$""#
        fields["rank_pattern"] = #"{"(0|1)\\..*": 4, "layers": 1}"#
        fields["exclude_modules"] = #"["v_proj", "x"]"#
        let whole = Array(SmallModel.json(fields).utf8)
        let alphabet = Array(#"()[]{}*+?|^$\.,:"0aq-!=<"#.utf8)
        let modules = model.configuration.adaptableModules
        var (readCount, refusedCount) = (0, 0)
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = alphabet[Int.random(in: alphabet.indices, using: &generator)]
                case 1: bytes.remove(at: place)
                default: bytes.insert(alphabet[Int.random(in: alphabet.indices, using: &generator)], at: place)
                }
            }
            guard let object = try? JSONParser.parse(bytes).object else { continue }
            do {
                let changes = try AdapterConfiguration(object, file: "c", limits: AdapterLimits()).changes(of: modules)
                #expect(changes.allSatisfy { $0.change.rank > 0 && $0.change.scale.isFinite })
                readCount += 1
            } catch { refusedCount += 1 }
        }
        #expect(readCount > 100 && refusedCount > 100, "\(readCount) read, \(refusedCount) refused")
    }

    @Test func numbersMustBeFinite() {
        var tensors = model.adapterTensors()
        var values = [Float](repeating: 1, count: 64)
        values[35] = .nan
        tensors[0] = .floats(tensors[0].name, [4, 16], values)
        #expect(
            refusal([:], tensors)
                == "the adapter's tensor “base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight” holds nan in row 2, column 3"
        )
        for (type, pattern) in [("F16", UInt16(0x7C00)), ("BF16", 0xFF80), ("BF16", 0x7FC0)] {
            var patterns = [UInt16](repeating: 0x3C00, count: 128)
            patterns[127] = pattern
            tensors = model.adapterTensors()
            tensors[1] = .halves(tensors[1].name, type: type, [32, 4], patterns)
            #expect(refusal([:], tensors)?.hasSuffix("in row 31, column 3") == true)
        }
    }

    @Test func missingFilesAreNamed() throws {
        let folder = try model.adapterFolder()
        try folder.remove("adapter_model.safetensors")
        #expect(
            errorText { _ = try AdapterFolder(path: folder.path, base: model.configuration) }
                == "there is no file \(folder.path)/adapter_model.safetensors")
        try folder.remove("adapter_config.json")
        #expect(
            errorText { _ = try AdapterFolder(path: folder.path, base: model.configuration) }
                == "there is no file \(folder.path)/adapter_config.json")
    }

    @Test func truncatedTensorsAreRefused() throws {
        let folder = try model.adapterFolder()
        let whole = SafetensorsBytes.file(model.adapterTensors())
        try folder.write("adapter_model.safetensors", whole.dropLast(3))
        #expect(
            errorText { _ = try AdapterFolder(path: folder.path, base: model.configuration) }?.contains(
                "adapter_model.safetensors is truncated") == true)
    }

    @Test func theDigestIsOfConfigurationAndTensors() throws {
        let first = try open([:]).digest
        #expect(try open([:]).digest == first)
        #expect(try open(["lora_dropout": "0.2"]).digest != first)
        var tensors = model.adapterTensors()
        tensors[0].bytes[0] ^= 1
        #expect(try open([:], tensors).digest != first)
    }
}
