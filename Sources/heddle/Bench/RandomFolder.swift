import Foundation

/// Writes folders as Hugging Face and PEFT lay them out, with random weights: what benchmarks run on without a download.
///
/// The same seed gives the same numbers: bf16 between 2⁻⁷ and 2⁻⁵ by magnitude, about what trained weights are.
enum RandomFolder {
    /// A model of the shape, in one bf16 safetensors file.
    ///
    /// - Parameter progress: hears of bytes written and bytes in all.
    static func writeModel(
        _ shape: ModelShape, to path: String, seed: UInt64 = 1, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try write(json: shape.configuration, to: path + "/config.json")
        try writeTensors(shape.tensors, to: path + "/model.safetensors", seed: seed, progress: progress)
    }

    /// A LoRA adapter of one rank on the seven projections of every layer.
    static func writeAdapter(_ shape: ModelShape, rank: Int, to path: String, seed: UInt64) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let modules = shape.projections.map { $0.name.split(separator: ".").last.map(String.init) ?? $0.name }
        try write(
            json: [
                "peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "target_modules": modules,
                "task_type": "CAUSAL_LM", "base_model_name_or_path": shape.name, "bias": "none",
            ], to: path + "/adapter_config.json")
        var tensors: [ModelShape.Tensor] = []
        for layer in 0..<shape.layerCount {
            for (name, outputs, inputs) in shape.projections {
                let prefix = "base_model.model.model.layers.\(layer).\(name)"
                tensors.append(.init(name: prefix + ".lora_A.weight", shape: [rank, inputs]))
                tensors.append(.init(name: prefix + ".lora_B.weight", shape: [outputs, rank]))
            }
        }
        try writeTensors(tensors, to: path + "/adapter_model.safetensors", seed: seed) { _, _ in }
    }

    private static func write(json: [String: Any], to path: String) throws {
        try JSONSerialization.data(withJSONObject: json, options: [.sortedKeys]).write(to: URL(fileURLWithPath: path))
    }

    private static func writeTensors(
        _ tensors: [ModelShape.Tensor], to path: String, seed: UInt64, progress: (Int, Int) -> Void
    ) throws {
        var header: [String: Any] = ["__metadata__": ["format": "pt"]]
        var offset = 0
        for tensor in tensors {
            let end = offset + 2 * tensor.count
            header[tensor.name] =
                ["dtype": "BF16", "shape": tensor.shape, "data_offsets": [offset, end]] as [String: Any]
            offset = end
        }
        let total = offset
        var head = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        head += Data(repeating: UInt8(ascii: " "), count: (8 - head.count % 8) % 8)
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { throw CommandFailure("\(path) cannot be written") }
        defer { try? file.close() }
        try file.write(contentsOf: withUnsafeBytes(of: UInt64(head.count).littleEndian) { Data($0) } + head)
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let wordCountMax = 1 << 20
        var words = [UInt64](repeating: 0, count: wordCountMax)
        var written = 0
        for tensor in tensors {
            var left = 2 * tensor.count
            while left > 0 {
                let byteCount = min(left, wordCountMax * 8)
                words.withUnsafeMutableBufferPointer { words in
                    for index in 0..<((byteCount + 7) / 8) {
                        random ^= random << 13
                        random ^= random >> 7
                        random ^= random << 17
                        // Sign, the lowest bit of the exponent and the mantissa are random.
                        words[index] =
                            tensor.isNorm
                            ? 0x3F80_3F80_3F80_3F80 : random & 0x80FF_80FF_80FF_80FF | 0x3C00_3C00_3C00_3C00
                    }
                }
                try words.withUnsafeBytes { try file.write(contentsOf: Data($0[..<byteCount])) }
                left -= byteCount
                written += byteCount
                progress(written, total)
            }
        }
    }
}
