import HeddleCollective
import HeddleCore
import HeddleFiles
import HeddleKernels

/// Runs one rank's shard on this processor.
///
/// Every row goes through the same chain of operations whatever else the step holds, so that a request's logits are the same
/// bits alone or in a batch, in chunks of any size, in any blocks, on any number of threads and ranks.
public final class CPUForwardPass: ForwardPass {
    /// The weights that it runs.
    public let shard: PackedShard
    /// What it was sized with.
    public let limits: ForwardLimits
    /// Positions that a sequence may have here.
    public let positionCountMax: Int
    let collective: (any Collective)?
    let team: ThreadTeam
    let heads: AttentionHeads
    let rotary: RotaryTable
    let kv: KVStorage
    var adapters: [AdapterSlot: PackedAdapter] = [:]
    var scratch = StepScratch()
    var products = ProductList()
    private var logitsMemory = FloatMemory(count: 0)

    /// - Parameter collective: what joins this rank with the others; nil for a model that is not split.
    public init(shard: PackedShard, collective: (any Collective)?, limits: ForwardLimits = ForwardLimits())
        throws(EngineError)
    {
        precondition(
            collective == nil
                ? shard.plan.rankCount == 1
                : collective?.rank == shard.plan.rank && collective?.rankCount == shard.plan.rankCount,
            "the collective's rank is the shard's")
        guard let team = ThreadTeam(threadCount: limits.threadCount, spinMicroseconds: limits.spinMicroseconds) else {
            throw .threadsRefused(count: limits.threadCount)
        }
        self.shard = shard
        self.collective = shard.plan.rankCount == 1 ? nil : collective
        self.limits = limits
        self.team = team
        let heads = shard.attentionHeads
        self.heads = heads
        positionCountMax = min(
            limits.positionCountMax, shard.configuration.positionCountMax, limits.blockCount * kvBlockTokens)
        rotary = RotaryTable(
            headDimension: shard.configuration.headDimension, positionCount: positionCountMax,
            theta: shard.configuration.ropeTheta)
        kv = try KVStorage(heads: heads, layerCount: shard.configuration.layerCount, blockCount: limits.blockCount)
    }

    /// Throws where the adapter is of another shard, or the slot out of range.
    public func mapAdapter(_ adapter: PackedAdapter, slot: AdapterSlot) throws {
        guard (0..<limits.adapterSlotCount).contains(Int(slot.index)) else {
            throw EngineError.adapterSlotOutOfRange(slot: slot.index, slotCount: limits.adapterSlotCount)
        }
        try adapter.check(for: shard)
        adapters[slot] = adapter
    }

    /// Drops the reference; the memory goes with the last.
    public func unmapAdapter(_ slot: AdapterSlot) throws { adapters[slot] = nil }

    /// Throws `PlanError` before anything is done, `CollectiveError` when the group is at its end.
    public func run(_ plan: StepPlan) throws -> Logits {
        try check(plan)
        kv.take(plan.segments)
        let rows = StepRows(plan) { adapters[$0] }
        let states = scratch.states(rows.count, width: shard.configuration.hiddenSize)
        try embed(rows.tokens, into: states)
        for (index, layer) in shard.layers.enumerated() {
            try attend(states, layer, index, rows)
            try feedForward(states, layer, index, rows)
        }
        return try logits(of: states, rows.logitsRows)
    }

    private func check(_ plan: StepPlan) throws(PlanError) {
        guard plan.rowCount <= limits.stepRowCountMax else {
            throw .tooManyRows(count: plan.rowCount, countMax: limits.stepRowCountMax)
        }
        let vocabularyCount = shard.configuration.vocabularyCount
        var seen: Set<SequenceID> = []
        for segment in plan.segments {
            let sequence = segment.sequence
            if segment.tokens.isEmpty { throw .emptySegment(sequence) }
            if !seen.insert(sequence).inserted { throw .sequenceTwice(sequence) }
            for token in segment.tokens where !(0..<vocabularyCount).contains(Int(token)) {
                throw .tokenOutOfRange(sequence, token: token, vocabularyCount: vocabularyCount)
            }
            guard segment.firstPosition >= 0, segment.firstPosition <= positionCountMax - segment.tokens.count else {
                let (last, overflow) = segment.firstPosition.addingReportingOverflow(segment.tokens.count - 1)
                throw .positionOutOfRange(
                    sequence, position: segment.firstPosition < 0 ? segment.firstPosition : overflow ? .max : last,
                    positionCountMax: positionCountMax)
            }
            if let slot = segment.adapter, adapters[slot] == nil { throw .adapterSlotEmpty(sequence, slot: slot) }
        }
        try kv.check(plan.segments)
    }

    private func embed(_ tokens: [TokenID], into states: Rows) throws {
        for (row, token) in tokens.enumerated() {
            try states.withRow(row) {
                try shard.embedding.readFloats(rows: Int(token)..<(Int(token) + 1), columns: nil, into: $0)
            }
        }
    }

    /// The output projection of the wanted rows, gathered at rank 0.
    private func logits(of states: Rows, _ wanted: [Int]) throws -> Logits {
        let count = shard.configuration.vocabularyCount
        let isFirst = shard.plan.rank == 0
        let whole = isFirst ? wanted.count * count : 0
        if logitsMemory.floats.count < whole || !isKnownUniquelyReferenced(&logitsMemory) {
            logitsMemory = FloatMemory(count: whole)
        }
        let logits = Logits(memory: logitsMemory, rowCount: isFirst ? wanted.count : 0, vocabularyCount: count)
        if wanted.isEmpty { return logits }
        let normed = scratch.normed(wanted.count, width: shard.configuration.hiddenSize)
        for (index, row) in wanted.enumerated() {
            RowKernels.rmsNorm(
                states[row..<(row + 1)], weight: shard.finalNorm, epsilon: Float(shard.configuration.rmsNormEpsilon),
                into: normed[index..<(index + 1)], team: team)
        }
        products.removeAll()
        guard let collective else {
            products.add(shard.vocabulary, normed, into: logitsMemory.rows(wanted.count, width: count))
            products.run(team)
            return logits
        }
        let slice = scratch.vocabularySlice(wanted.count, width: shard.plan.vocabulary.count)
        products.add(shard.vocabulary, normed, into: slice)
        products.run(team)
        var target = logitsMemory.floats.extracting(0..<whole).mutableSpan
        try slice.withDense {
            try collective.gather(
                $0.span, rowCount: wanted.count, widths: shard.plan.vocabularyWidths, into: &target)
        }
        return logits
    }
}
