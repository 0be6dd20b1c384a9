import HeddleCore
import HeddleKernels

/// A checked plan as rows: sorted by adapter, so that each adapter's rows are neighbours, with positions and blocks.
struct StepRows {
    /// Rows that go through one adapter.
    struct AdapterRows {
        var adapter: PackedAdapter
        var rows: Range<Int>
    }

    private(set) var tokens: [TokenID] = []
    private(set) var positions: [Int] = []
    /// For each row the length of its sequence, as rotations take it: the prompt's, or what the row's position makes it.
    private(set) var sequenceLengths: [Int] = []
    private(set) var sequences = SequenceRows()
    private(set) var adapters: [AdapterRows] = []
    /// The rows whose logits are wanted, in the order of the plan's segments.
    private(set) var logitsRows: [Int] = []

    var count: Int { tokens.count }

    init(_ plan: StepPlan, adapter: (AdapterSlot) -> PackedAdapter?) {
        let order = plan.segments.indices.sorted { left, right in
            let (a, b) = (plan.segments[left].adapter?.index ?? -1, plan.segments[right].adapter?.index ?? -1)
            return a == b ? left < right : a < b
        }
        var firstRows = [Int](repeating: 0, count: plan.segments.count)
        var lastSlot: AdapterSlot?
        for index in order {
            let segment = plan.segments[index]
            let first = tokens.count
            firstRows[index] = first
            tokens += segment.tokens
            for position in segment.firstPosition..<(segment.firstPosition + segment.tokens.count) {
                positions.append(position)
                sequenceLengths.append(max(segment.promptTokenCount, position + 1))
            }
            sequences.append(
                rowCount: segment.tokens.count, firstPosition: segment.firstPosition,
                blocks: segment.blocks.map(\.index))
            if let slot = segment.adapter, let adapter = adapter(slot) {
                if slot == lastSlot, let last = adapters.indices.last {
                    adapters[last].rows = adapters[last].rows.lowerBound..<tokens.count
                } else {
                    adapters.append(AdapterRows(adapter: adapter, rows: first..<tokens.count))
                }
            }
            lastSlot = segment.adapter
        }
        for (index, segment) in plan.segments.enumerated() {
            let rows = firstRows[index]..<(firstRows[index] + segment.tokens.count)
            switch segment.logits {
            case .none: break
            case .last: logitsRows.append(rows.upperBound - 1)
            case .all: logitsRows += rows
            }
        }
    }
}
