import Foundation
import HeddleCore
import Testing

/// Packed weights from the outside: the command that makes them, and nodes that map them.
@Suite(.serialized) struct PackedWeightTests {
    private struct Answer: Decodable {
        struct Shard: Decodable {
            var rank: Int
            var path: String
            var bytes: Int
            var made: Bool
            var refused: String?
        }
        var shards: [Shard]
        var peakMemoryBytes: Int
    }

    private func pack(_ model: String, _ words: [String], within limit: Duration = .seconds(30)) async throws -> Answer {
        let ended = try await HeddleProgram.run(["model", "pack", model, "--json"] + words, within: limit)
        try #require(ended.code == 0, "\(ended.errors)")
        return try JSONDecoder().decode(Answer.self, from: Data(ended.output.utf8))
    }

    @Test func packingTwiceSaysSo() async throws {
        let folder = try TemporaryFolder()
        let words = ["--weights", "int8", "--tensor-parallel", "2", "--into", folder.path + "/cache"]
        let first = try await pack(Topology.model, words)
        #expect(first.shards.map(\.rank) == [0, 1] && first.shards.allSatisfy(\.made))
        #expect(try await pack(Topology.model, words).shards.allSatisfy { !$0.made })
        let text = try await HeddleProgram.run(["model", "pack", Topology.model] + words)
        #expect(text.code == 0 && text.errors.isEmpty && !text.hasColour && !text.output.contains("\r"))
        #expect(text.output.split(separator: "\n").count == 2)
        #expect(text.output.split(separator: "\n").allSatisfy { $0.contains("already packed") }, "\(text.output)")
        // A damaged file is named and made anew.
        let path = first.shards[1].path
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(filePath: path))
        let healed = try await pack(Topology.model, words)
        #expect(healed.shards.map(\.made) == [false, true] && healed.shards[1].refused?.contains("checksum") == true)
        let shown = try await HeddleProgram.run(
            ["model", "show", Topology.model, "--into", folder.path + "/cache"])
        #expect(shown.output.contains("int8, rank 0 of 2") && shown.output.contains("int8, rank 1 of 2"), "\(shown.output)")
        #expect(!shown.output.contains("int4, rank"))
    }

    @Test func whatCannotBePackedIsNamed() async throws {
        let folder = try TemporaryFolder()
        for (words, code) in [
            ([Topology.model, "--rank", "1"], Int32(64)), ([Topology.model, "--tensor-parallel", "9"], 64),
            ([Topology.model, "--weights", "int3"], 64), ([folder.path + "/none"], 1),
        ] {
            let ended = try await HeddleProgram.run(["model", "pack", "--into", folder.path + "/cache"] + words)
            #expect(ended.code == code && !ended.errors.isEmpty, "\(words): \(ended.code) \(ended.errors)")
        }
        let file = try folder.write("", to: "file")
        let ended = try await HeddleProgram.run(["model", "pack", Topology.model, "--into", file])
        #expect(ended.code == 2 && ended.errors.contains(file), "\(ended.errors)")
    }

    /// A checkpoint of 1.6 GB, without blocks on the disk, is packed by a process that never holds a sixth of it: neither of what
    /// it reads nor of what it writes.
    @Test(.timeLimit(.minutes(5))) func packingALargeModelTakesLittleMemory() async throws {
        let folder = try TemporaryFolder()
        let model = folder.path + "/model"
        try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: false)
        let byteCount = try SparseModel(hidden: 2048, layers: 16, feedForward: 6144, vocabulary: 16_384).write(to: model)
        #expect(byteCount > 1_600_000_000)
        let answer = try await pack(
            model, ["--weights", "int4", "--into", folder.path + "/cache"], within: .seconds(280))
        #expect(answer.shards.count == 1 && answer.shards[0].bytes > 400_000_000)
        #expect(answer.peakMemoryBytes < 256 << 20, "\(answer.peakMemoryBytes) bytes")
    }

    /// The first start packs, the second maps, and one that finds a damaged file packs again; each answers.
    @Test(.timeLimit(.minutes(3))) func laterStartsMapWhatTheFirstPacked() async throws {
        let folder = try TemporaryFolder()
        var answers: Set<String> = []
        let says = [
            "packs its weights for this and later starts", "has mapped its packed weights", "packs its weights again",
        ]
        for (start, line) in says.enumerated() {
            let weights = "\(folder.path)/run-weights/shards"
            if start == 2 {
                let files = try FileManager.default.contentsOfDirectory(atPath: weights)
                let name = try #require(files.first { $0.hasSuffix(".heddle") })
                let bytes = try Data(contentsOf: URL(filePath: "\(weights)/\(name)"))
                try FileManager.default.removeItem(atPath: "\(weights)/\(name)")
                try bytes.prefix(bytes.count / 2).write(to: URL(filePath: "\(weights)/\(name)"))
            }
            let file = try RunningMesh.write(.oneProcess, in: folder)
            let mesh = try await RunningMesh.start(file: file, in: folder)
            let ended = try await HeddleProgram.run([
                "submit", "-c", file, "--model", "sql", "--key", "demo-acme", "List the customers in Paris.",
            ])
            answers.insert(ended.output)
            try await mesh.stop()
            let log = try String(contentsOfFile: "\(folder.path)/run/logs/all.log", encoding: .utf8)
            #expect(log.contains(line), "start \(start): \(log)")
            #expect(ended.code == 0 && ended.output.contains("SELECT"), "\(ended.errors)")
        }
        #expect(answers.count == 1)
    }
}

/// A Llama checkpoint whose weights are all zero, in a file without blocks.
private struct SparseModel {
    var hidden: Int
    var layers: Int
    var feedForward: Int
    var vocabulary: Int

    /// Returns the bytes of its tensors.
    func write(to folder: String) throws -> Int {
        let heads = hidden / 64
        let config: [String: Any] = [
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden,
            "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": heads,
            "intermediate_size": feedForward, "vocab_size": vocabulary, "hidden_act": "silu", "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0, "max_position_embeddings": 2048, "tie_word_embeddings": false,
        ]
        try JSONSerialization.data(withJSONObject: config).write(to: URL(filePath: folder + "/config.json"))
        var header: [String: Any] = [:]
        var end = 0
        func add(_ name: String, _ shape: [Int]) {
            let begin = end
            end += 2 * shape.reduce(1, *)
            header[name + ".weight"] = ["dtype": "BF16", "shape": shape, "data_offsets": [begin, end]]
        }
        add("model.embed_tokens", [vocabulary, hidden])
        for layer in 0..<layers {
            let name = "model.layers.\(layer)"
            for norm in ["input_layernorm", "post_attention_layernorm"] { add("\(name).\(norm)", [hidden]) }
            for part in ["q", "k", "v", "o"] { add("\(name).self_attn.\(part)_proj", [hidden, hidden]) }
            for part in ["gate", "up"] { add("\(name).mlp.\(part)_proj", [feedForward, hidden]) }
            add("\(name).mlp.down_proj", [hidden, feedForward])
        }
        add("model.norm", [hidden])
        add("lm_head", [vocabulary, hidden])
        var text = try JSONSerialization.data(withJSONObject: header)
        text.append(Data(repeating: 32, count: (8 - text.count % 8) % 8))
        let count = UInt64(text.count)
        let path = folder + "/model.safetensors"
        try (withUnsafeBytes(of: count.littleEndian) { Data($0) } + text).write(to: URL(filePath: path))
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.truncate(atOffset: 8 + count + UInt64(end))
        try file.close()
        return end
    }
}
