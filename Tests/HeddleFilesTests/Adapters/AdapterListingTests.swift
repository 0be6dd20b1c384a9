import HeddleFiles
import Testing

@Suite struct AdapterListingTests {
    private let model = SmallModel()

    @Test func aListingNamesEverythingThatIsRefused() throws {
        let folder = try model.adapterFolder()
        var fields = SmallModel.adapterFields
        fields["use_dora"] = "true"
        fields["bias"] = #""all""#
        fields["something"] = "1"
        try folder.write("adapter_config.json", SmallModel.json(fields))
        let listing = try AdapterListing(path: folder.path)
        #expect(
            listing.refusals.map { String($0.drop { $0 != ":" }.dropFirst(2)) } == [
                #"bias = "all" is not supported; only "none" is"#,
                "the field “something” (1) is unknown; it may change the result, so it is refused",
                "use_dora = true is not supported; only one of false, null is",
            ])
        #expect(listing.modules.map(\.rank) == [4, 4, 4, 4] && listing.modules.allSatisfy { $0.scale == nil })
    }

    @Test func aListingHasRankAlphaAndScaleWithAndWithoutABase() throws {
        let folder = try model.adapterFolder()
        let alone = try AdapterListing(path: folder.path)
        let base = try model.folder()
        let over = try AdapterListing(path: folder.path, model: ModelFolder(path: base.path))
        #expect(alone.refusals.isEmpty && over.refusals.isEmpty)
        #expect(alone.baseName == "somewhere" && alone.digest == over.digest)
        #expect(Set(alone.modules) == Set(over.modules))
        #expect(over.modules.map(\.name).first == "model.layers.0.self_attn.q_proj")
        #expect(over.modules.allSatisfy { $0.rank == 4 && $0.alpha == 6 && $0.scale == 1.5 && $0.elementType == .f32 })
        #expect(over.modules.map(\.byteCount) == [768, 640, 768, 640])
        #expect(
            alone.settings.map(\.field) == [
                "alpha_pattern", "lora_alpha", "peft_type", "r", "rank_pattern", "target_modules", "use_rslora",
            ])
        #expect(alone.settings.first { $0.field == "target_modules" }?.value == #"["q_proj", "down_proj"]"#)
    }

    @Test func aListingSaysWhatDoesNotFitTheBase() throws {
        let folder = try model.adapterFolder()
        var other = model
        other.hiddenSize = 32
        let base = try other.folder()
        let listing = try AdapterListing(path: folder.path, model: ModelFolder(path: base.path))
        #expect(listing.refusals.count == 1)
        #expect(listing.refusals.first?.contains("has shape [4, 16]; over this base model it must be [4, 32]") == true)
        #expect(listing.modules.count == 4)
    }
}
