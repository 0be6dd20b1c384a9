import Foundation
import HeddleEngine
import HeddleFiles
import Testing

/// What is done with weights that are no numbers.
@Suite struct WeightSourceTests {
    /// The last bytes of the golden's file are its last tensor's: one infinity there names the tensor and the place.
    @Test func anInfinityAmongTheWeightsIsRefusedByName() throws {
        try withTemporaryFolder { folder in
            let source = "\(Golden.folder)/llama-linear/model"
            for name in ["config.json", "model.safetensors"] {
                try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: "\(folder)/\(name)")
            }
            let path = "\(folder)/model.safetensors"
            var bytes = try Data(contentsOf: URL(filePath: path))
            bytes.replaceSubrange((bytes.count - 2)..., with: [0x80, 0x7F])  // bf16, little-endian
            try bytes.write(to: URL(filePath: path))
            let model = try ModelFolder(path: folder)
            let plan = try ShardPlan(configuration: model.configuration, rank: 0, rankCount: 1)
            var found: EngineError?
            do throws(EngineError) { _ = try PackedShard(model: model, plan: plan) } catch { found = error }
            guard case .tensorNotFinite(let name, _, _, let value) = found else {
                Issue.record("\(String(describing: found))")
                return
            }
            #expect(value == "inf" && model.weights.names.contains(name))
        }
    }
}
