/// What an adapter may have at most.
public struct AdapterLimits: Hashable, Sendable {
    /// The largest rank of a module.
    public var rankMax = 4096
    /// The most entries of target_modules, of exclude_modules and of layers_pattern.
    public var targetCountMax = 16_384
    /// The most keys of rank_pattern and of alpha_pattern.
    public var patternCountMax = 16_384
    /// The most entries of layers_to_transform.
    public var layerCountMax = 16_384
    /// The longest adapter_config.json.
    public var configByteCountMax = 4 << 20
    /// The longest adapter_model.safetensors, which is read into memory whole.
    public var weightsByteCountMax = 2 << 30
    /// What its regular expressions may have.
    var patterns = ModulePatternLimits()

    /// Room for every adapter published so far, several times over.
    public init() {}
}
