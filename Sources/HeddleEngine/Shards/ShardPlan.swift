import HeddleCollective
import HeddleFiles

/// Decides which part of the model a rank holds: whole attention heads and feed-forward columns by the eight segments that
/// it owns, the KV heads that its query heads read, and a slice of the vocabulary.
///
/// The dimension that a row-parallel product sums (the heads for o_proj, the feed-forward columns for down_proj) is cut into
/// eight segments at fixed places, `floor(s · count / 8)`. A rank owns whole segments, so uneven splits are allowed and every
/// rank count gives the same bits. KV heads that two ranks both need are held by both.
public struct ShardPlan: Hashable, Sendable {
    /// This rank, 0 ..< rankCount.
    public let rank: Int
    /// Ranks of the group, 1 ... 8.
    public let rankCount: Int
    /// The tree's leaves that this rank owns.
    public let segments: Range<Int>
    /// Query heads.
    public let heads: Range<Int>
    /// KV heads that those read.
    public let kvHeads: Range<Int>
    /// Feed-forward columns.
    public let feedForward: Range<Int>
    /// Entries of the vocabulary whose logits this rank computes.
    public let vocabulary: Range<Int>
    /// Query heads of the whole model, cut at the segments' boundaries: 8 ranges.
    public let headSegments: [Range<Int>]
    /// The feed-forward columns, cut likewise.
    public let feedForwardSegments: [Range<Int>]
    /// Query heads that share one KV head.
    public let headsPerKVHead: Int
    /// Width of each rank's slice of the vocabulary, in rank order.
    public let vocabularyWidths: [Int]

    /// The part of `rank`; throws where the model cannot be cut so.
    public init(configuration: ModelConfiguration, rank: Int, rankCount: Int) throws(EngineError) {
        let segmentCount = ReductionTree.leafCount
        guard (1...segmentCount).contains(rankCount), (0..<rankCount).contains(rank) else {
            throw .rankOutOfRange(rank: rank, rankCount: rankCount, rankCountMax: segmentCount)
        }
        func cut(_ count: Int, into parts: Int) -> [Range<Int>] {
            (0..<parts).map { (count * $0 / parts)..<(count * ($0 + 1) / parts) }
        }
        let headSegments = cut(configuration.headCount, into: segmentCount)
        let feedForwardSegments = cut(configuration.feedForwardSize, into: segmentCount)
        for other in 0..<rankCount {
            let owned = ReductionTree.leaves(of: other, rankCount: rankCount)
            if headSegments[owned].allSatisfy(\.isEmpty) {
                throw .rankWithoutHead(rank: other, rankCount: rankCount, headCount: configuration.headCount)
            }
        }
        let segments = ReductionTree.leaves(of: rank, rankCount: rankCount)
        func covered(_ cuts: [Range<Int>]) -> Range<Int> {
            cuts[segments.lowerBound].lowerBound..<cuts[segments.upperBound - 1].upperBound
        }
        self.rank = rank
        self.rankCount = rankCount
        self.segments = segments
        self.headSegments = headSegments
        self.feedForwardSegments = feedForwardSegments
        headsPerKVHead = configuration.headCount / configuration.kvHeadCount
        heads = covered(headSegments)
        kvHeads = (heads.lowerBound / headsPerKVHead)..<((heads.upperBound - 1) / headsPerKVHead + 1)
        feedForward = covered(feedForwardSegments)
        let slices = cut(configuration.vocabularyCount, into: rankCount)
        vocabulary = slices[rank]
        vocabularyWidths = slices.map(\.count)
    }
}
