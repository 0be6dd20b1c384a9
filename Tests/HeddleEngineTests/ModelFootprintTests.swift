import HeddleEngine
import HeddleFiles
import Testing

/// What `heddle model show` says is what the engine then takes.
@Suite struct ModelFootprintTests {
    @Test(arguments: Golden.names) func packedBytesAreThoseOfAShard(_ name: String) throws {
        let model = try Golden(name).model
        let footprint = ModelFootprint(model.configuration)
        for format in WeightFormat.allCases {
            let plan = try ShardPlan(configuration: model.configuration, rank: 0, rankCount: 1)
            let shard = try PackedShard(model: model, plan: plan, format: format)
            #expect(footprint.packedByteCount(format) { model.tensor($0).elementType } == shard.byteCount)
        }
        let counted = model.weights.names.reduce(0) { $0 + (model.weights.tensor($1)?.elementCount ?? 0) }
        #expect(footprint.parameterCount == counted)
        #expect(PackedShard.refusal(of: model.configuration) == nil)
        #expect(ModelFolder.refusals(path: model.path).isEmpty)
    }

    @Test func keysAndValuesOfAToken() throws {
        var configuration = ModelConfiguration(
            layerCount: 22, hiddenSize: 2048, headCount: 32, kvHeadCount: 4, headDimension: 64, feedForwardSize: 5632,
            vocabularyCount: 32_000)
        #expect(ModelFootprint(configuration).kvByteCountPerToken == 22 * 4 * 64 * 2 * 4)
        #expect(ModelFootprint(configuration).rankCountMax == 8)
        configuration.headCount = 5
        configuration.kvHeadCount = 5
        #expect(ModelFootprint(configuration).rankCountMax == 4)
        configuration.headDimension = 320
        #expect(
            PackedShard.refusal(of: configuration)
                == .unsupportedShape(field: "head dimension", value: 320, rule: "even and at most 256"))
    }
}
