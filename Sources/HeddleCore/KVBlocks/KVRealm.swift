/// Which sequences may read each other's KV blocks: those of one tenant, through one adapter or none, whose keys and values
/// follow from the tokens in the same way.
///
/// The base model needs no place in it: a group has one, and a group that forms anew begins without blocks.
public struct KVRealm: Hashable, Sendable {
    public let tenant: TenantName
    /// By content: a newer file under the same name is another realm.
    public let adapter: Digest?
    /// What the length of the prompt changes (`KVDependence`); 0 where nothing.
    public let promptVariant: Int

    public init(tenant: TenantName, adapter: Digest?, promptVariant: Int = 0) {
        self.tenant = tenant
        self.adapter = adapter
        self.promptVariant = promptVariant
    }
}

/// What the keys and values at a position follow from, beside the tokens up to it and the adapter.
public enum KVDependence: Hashable, Sendable {
    case nothing
    /// Dynamic scaling: the exact length of a prompt that is longer than this.
    case lengthOfPrompt(beyond: Int)
    /// Two sets of frequencies: whether the prompt is longer than this.
    case promptIsLonger(than: Int)
    /// The same, and a sequence that grows over the length has its blocks computed anew, so it shares none.
    case computedAnew(beyond: Int)
    /// More than one of these at once: no sequence shares blocks.
    case several

    /// The `promptVariant` of a sequence's realm; nil when its blocks are its own.
    ///
    /// - Parameter tokenCountMax: the most tokens that the sequence may come to have.
    public func variant(promptTokenCount: Int, tokenCountMax: Int) -> Int? {
        switch self {
        case .nothing: 0
        case .lengthOfPrompt(let length): promptTokenCount > length ? promptTokenCount : 0
        case .promptIsLonger(let length): promptTokenCount > length ? 1 : 0
        case .computedAnew(let length): promptTokenCount > length ? 1 : tokenCountMax > length ? nil : 0
        case .several: nil
        }
    }
}
