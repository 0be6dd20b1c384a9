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
    /// One for each of the model's rotary encodings.
    var angles: [RotaryAngles]
    let activation: GateActivation
    let residualScale: Float
    let kv: KVStorage
    /// The length beyond which a sequence's cache is computed anew.
    let lengthComputedAnew: Int?
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
        let configuration = shard.configuration
        let positionCountMax = min(
            limits.positionCountMax, configuration.positionCountMax, limits.blockCount * kvBlockTokens)
        self.positionCountMax = positionCountMax
        angles = configuration.rotary.map {
            RotaryAngles($0, headDimension: configuration.headDimension, positionCount: positionCountMax)
        }
        switch configuration.block.activation {
        case .silu: activation = .silu
        case .geluTanh: activation = .geluTanh
        }
        residualScale = Float(configuration.block.residualScale)
        lengthComputedAnew =
            configuration.rotary.lazy.compactMap {
                if case .long(let long) = $0.scaling, long.isComputedAnew { long.originalPositionCount } else { nil }
            }.first
        kv = try KVStorage(
            heads: heads, layerCount: configuration.layerCount, blockCount: limits.blockCount,
            remembersTokens: lengthComputedAnew != nil)
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
        kv.giveUp(plan.givenUp)
        kv.take(plan.segments)
        if let lengthComputedAnew,
            let outgrown = OutgrownSequences(
                plan, lengthMax: lengthComputedAnew,
                rememberedTokens: { [kv] in kv.tokens(of: $0.blocks, count: $1) })
        {
            return try run(outgrown, of: plan)
        }
        return try logits(of: plan)
    }

    /// Runs rows whose blocks are taken.
    func logits(of plan: StepPlan) throws -> Logits {
        let rows = StepRows(plan) { adapters[$0] }
        for index in angles.indices { angles[index].begin(rows) }
        let states = scratch.states(rows.count, width: shard.configuration.hiddenSize)
        try embed(rows, into: states)
        for (index, layer) in shard.layers.enumerated() {
            try attend(states, layer, index, rows)
            try feedForward(states, layer, index, rows)
        }
        return try logits(of: states, rows)
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
        try kv.check(plan.segments, givenUp: plan.givenUp)
    }

    private func embed(_ rows: StepRows, into states: Rows) throws {
        for (row, token) in rows.tokens.enumerated() {
            try states.withRow(row) {
                try shard.embedding.readFloats(rows: Int(token)..<(Int(token) + 1), columns: nil, into: $0)
            }
        }
        changeEmbeddings(rows, states)
        let scale = Float(shard.configuration.block.embeddingScale)
        if scale == 1 { return }
        for row in rows.tokens.indices {
            states.withRow(row) { for index in $0.indices { $0[index] *= scale } }
        }
    }

    /// The output projection of the wanted rows, gathered at rank 0.
    private func logits(of states: Rows, _ rows: StepRows) throws -> Logits {
        let wanted = rows.logitsRows
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
        guard let collective else {
            let all = logitsMemory.rows(wanted.count, width: count)
            projectOutput(normed, rows, into: all)
            cap(all)
            return logits
        }
        let slice = scratch.vocabularySlice(wanted.count, width: shard.plan.vocabulary.count)
        projectOutput(normed, rows, into: slice)
        cap(slice)
        var target = logitsMemory.floats.extracting(0..<whole).mutableSpan
        try slice.withDense {
            try collective.gather(
                $0.span, rowCount: wanted.count, widths: shard.plan.vocabularyWidths, into: &target)
        }
        return logits
    }

    private func cap(_ logits: Rows) {
        let block = shard.configuration.block
        if block.logitDivisor == 1, block.logitCap == nil { return }
        RowKernels.cap(
            logits, divisor: Float(block.logitDivisor), cap: block.logitCap.map(Float.init), team: team)
    }
}
