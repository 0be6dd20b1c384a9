import HeddleCore
import HeddleFiles
import Testing

/// Forms of LoRA beyond a list of projections: layers, exclusions, the output projection and the embedding.
@Suite struct AdapterFormsTests {
    private let model = SmallModel()
    private let prefix = "base_model.model."

    private func tensors(_ modules: [String], rank: Int = 4) -> [SafetensorsBytes.Tensor] {
        model.configuration.adaptableModules.filter { modules.contains($0.name.text) }.flatMap { module in
            let name = prefix + module.name.text
            let isLinear = module.name.text != "model.embed_tokens"
            return [
                SafetensorsBytes.Tensor.random(
                    name + (isLinear ? ".lora_A.weight" : ".lora_embedding_A"), [rank, inputs(module.name.text)],
                    seed: 3),
                .random(
                    name + (isLinear ? ".lora_B.weight" : ".lora_embedding_B"), [outputs(module.name.text), rank],
                    seed: 4),
            ]
        }
    }

    private func inputs(_ name: String) -> Int {
        if name == "model.embed_tokens" { return model.vocabularyCount }
        return name.hasSuffix("down_proj") ? 24 : name.hasSuffix("o_proj") ? 32 : 16
    }

    private func outputs(_ name: String) -> Int {
        switch name.split(separator: ".").last {
        case "lm_head": model.vocabularyCount
        case "q_proj": 32
        case "k_proj", "v_proj": 16
        case "gate_proj", "up_proj": 24
        default: 16
        }
    }

    private func open(
        _ changes: [String: String], _ tensors: [SafetensorsBytes.Tensor], over base: SmallModel? = nil,
        withWeights: Bool = true
    ) throws -> AdapterFolder {
        let (folder, base) = (try model.adapterFolder(), base ?? model)
        try folder.write(
            "adapter_config.json", SmallModel.json(SmallModel.adapterFields.merging(changes) { $1 }))
        try folder.write("adapter_model.safetensors", SafetensorsBytes.file(tensors))
        guard withWeights else { return try AdapterFolder(path: folder.path, base: base.configuration) }
        let files = try base.folder()
        return try AdapterFolder(path: folder.path, model: ModelFolder(path: files.path))
    }

    private func names(_ layers: [Int], _ parts: [String]) -> [String] {
        layers.flatMap { layer in parts.map { "model.layers.\(layer).\($0)" } }
    }

    @Test(
        arguments: [
            ([:], #"["q_proj", "v_proj"]"#, [0, 1], ["self_attn.q_proj", "self_attn.v_proj"]),
            (["layers_to_transform": "1"], #"["q_proj"]"#, [1], ["self_attn.q_proj"]),
            (
                ["layers_to_transform": "[0, 7]", "layers_pattern": #""layers""#], #"["q_proj"]"#, [0],
                ["self_attn.q_proj"]
            ),
            (["exclude_modules": #"["0.mlp.up_proj", "down_proj"]"#], #"".*(up|down)_proj""#, [1], ["mlp.up_proj"]),
            (
                ["exclude_modules": #"".*\\.0\\..*""#], #"".*\\.mlp\\..*""#, [1],
                ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
            ),
            (["fan_in_fan_out": "true"], #"["o_proj"]"#, [0, 1], ["self_attn.o_proj"]),
            (
                ["init_lora_weights": #""eva""#, "eva_config": #"{"rho": 2.0}"#], #"["k_proj"]"#, [0, 1],
                ["self_attn.k_proj"]
            ),
            ([:], #"["k_proj", "query_key_value"]"#, [0, 1], ["self_attn.k_proj"]),
        ] as [([String: String], String, [Int], [String])])
    func formsChooseTheirModules(changes: [String: String], targets: String, layers: [Int], parts: [String]) throws {
        let wanted = names(layers, parts)
        let adapter = try open(changes.merging(["target_modules": targets]) { $1 }, tensors(wanted))
        #expect(adapter.modules.map(\.name) == wanted)
    }

    @Test func allLinearIsAllButTheOutputProjection() throws {
        let all = names([0, 1], Projection.allCases.map { "\($0.blockName).\($0.moduleName)" })
        let adapter = try open(["target_modules": #""All-Linear""#], tensors(all))
        #expect(adapter.modules.map(\.name) == all)
    }

    @Test func outputAndEmbeddingAreTargets() throws {
        let both = ["lm_head", "model.embed_tokens"]
        let adapter = try open(
            ["target_modules": #"["lm_head", "embed_tokens"]"#, "alpha_pattern": #"{"lm_head": 2}"#], tensors(both))
        #expect(adapter.modules.map(\.target) == [.output, .embedding])
        #expect(adapter.modules.map(\.scale) == [0.5, 1.5])
        #expect(adapter.modules[1].a.shape == [4, 40] && adapter.modules[1].b.shape == [16, 4])
        var transposed = tensors(both)
        transposed[2].shape = [40, 4]
        let text = errorText { _ = try open(["target_modules": #"["lm_head", "embed_tokens"]"#], transposed) }
        #expect(
            text
                == "the adapter's tensor “base_model.model.model.embed_tokens.lora_embedding_A” has shape [40, 4]; over this base model it must be [4, 40]"
        )
    }

    /// PEFT saves the base model's embedding and output projection beside changes of either.
    @Test func copiesOfTheBaseModelAreComparedWithIt() throws {
        let targets = ["target_modules": #"["embed_tokens", "lm_head"]"#]
        let own = tensors(["model.embed_tokens", "lm_head"])
        func copy(_ tensor: ModelTensor, as name: String) throws -> SafetensorsBytes.Tensor {
            let index = try #require(model.configuration.tensors.firstIndex(of: tensor))
            var copy = model.tensors[index]
            copy.name = prefix + name
            return copy
        }
        let copies = [
            try copy(.embedding, as: "model.embed_tokens.base_layer.weight"),
            try copy(.output, as: "lm_head.base_layer.weight"),
        ]
        let adapter = try open(targets, own + copies)
        #expect(adapter.modules.count == 2)
        #expect(try open([:], model.adapterTensors() + [copy(.output, as: "lm_head.weight")]).modules.count == 4)

        var changed = copies
        changed[1].bytes[16 * 4 * 5] ^= 1
        #expect(
            errorText { _ = try open(targets, own + changed) }
                == "the adapter's tensor “base_model.model.lm_head.base_layer.weight” replaces a weight of the base model and differs from it in row 5; adapters that change base weights are not supported"
        )
        #expect(
            errorText { _ = try open(targets, own + copies, withWeights: false) }
                == "the adapter's tensor “base_model.model.lm_head.base_layer.weight” replaces a weight of the base model, which is not here to be compared with"
        )
        var larger = copies
        larger[0].shape = [41, 16]
        larger[0].bytes += [UInt8](repeating: 0, count: 64)
        #expect(
            errorText { _ = try open(targets, own + larger) }?.hasSuffix(
                "embed_tokens.base_layer.weight” has shape [41, 16]; over this base model it must be [40, 16]") == true)
    }

    @Test func tiedAdaptersAreRefusedOverTiedEmbeddingsOnly() throws {
        var tied = model
        tied.tied = true
        let fields = ["target_modules": #"["embed_tokens"]"#, "ensure_weight_tying": "true"]
        let embedding = tensors(["model.embed_tokens"])
        #expect(try open(fields, embedding).modules.count == 1)
        #expect(try open(["ensure_weight_tying": "true"], model.adapterTensors(), over: tied).modules.count == 4)
        #expect(
            try open(fields.merging(["ensure_weight_tying": "false"]) { $1 }, embedding, over: tied).modules.count == 1)
        #expect(
            errorText { _ = try open(fields, embedding, over: tied) }?.hasSuffix(
                "adapter_config.json: ensure_weight_tying = true is not supported beside the target “model.embed_tokens” over a base model with tied embeddings; only false is"
            ) == true)
    }

    @Test func picklesAreRefusedByName() throws {
        let folder = try model.adapterFolder()
        try folder.remove("adapter_model.safetensors")
        try folder.write("adapter_model.bin", "PK")
        #expect(
            errorText { _ = try AdapterFolder(path: folder.path, base: model.configuration) }
                == "\(folder.path)/adapter_model.bin holds weights as a Python pickle, which may run any program; only adapter_model.safetensors is supported"
        )
    }

    @Test func ranksUpTo512AreRead() throws {
        for rank in [1, 2, 511, 512] {
            let adapter = try open(["r": "\(rank)"], model.adapterTensors(rank: rank))
            #expect(adapter.rankMax == rank && adapter.modules[0].scale == 6 / Float(rank))
        }
    }
}
