import HeddleCore
import HeddleKernels

/// Owns what drawing one token writes to, so that a vocabulary's worth of memory is taken once and not for every token.
///
/// One thread at a time uses it; nothing in it outlives the draw.
public final class SamplingMemory {
    /// Logits after the processors; then, of what may still be drawn, how far each is below the largest.
    private(set) var scores = FloatMemory(count: 0)
    /// exp of the scores.
    private(set) var weights = FloatMemory(count: 0)
    /// What a cut sorts by.
    private(set) var keys = FloatMemory(count: 0)
    /// Ids of what may still be drawn, ascending.
    private(set) var tokens = UnsafeMutableBufferPointer<TokenID>.allocate(capacity: 0)
    /// Sums of a selection's buckets.
    let buckets = UnsafeMutableBufferPointer<Double>.allocate(capacity: MassSelection.bucketCount)

    /// Nothing yet; it grows to the vocabulary when it is first used.
    public init() {}

    deinit {
        tokens.deallocate()
        buckets.deallocate()
    }

    /// Room for a vocabulary.
    func reserve(_ vocabularyCount: Int) {
        guard scores.floats.count < vocabularyCount else { return }
        scores = FloatMemory(count: vocabularyCount)
        weights = FloatMemory(count: vocabularyCount)
        keys = FloatMemory(count: vocabularyCount)
        tokens.deallocate()
        tokens = .allocate(capacity: vocabularyCount)
    }
}
