/// The adapter that a request pinned when it was admitted: its name for people, its digest for everything that is keyed.
///
/// A newer file under the same name has another digest; running requests keep the digest they hold here.
public struct AdapterRef: Hashable, Sendable, CustomStringConvertible {
    public let name: AdapterName
    public let digest: Digest
    /// The LoRA rank, which is what a row of this adapter costs.
    public let rank: Int

    public init(name: AdapterName, digest: Digest, rank: Int) {
        self.name = name
        self.digest = digest
        self.rank = rank
    }

    public var description: String { "\(name)@\(digest.short)" }
}
