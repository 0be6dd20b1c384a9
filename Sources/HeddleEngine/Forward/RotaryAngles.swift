import HeddleFiles
import HeddleKernels

/// Owns the angles of one of the model's rotary encodings, and decides which of them a row gets.
///
/// Where frequencies do not depend on a sequence's length there is one entry for each position. LongRoPE has two sets of
/// them. Under dynamic scaling every length beyond the original has frequencies of its own, so that steps with such rows get
/// a table of their own, one entry a row.
struct RotaryAngles {
    private let encoding: RotaryEncoding
    private let headDimension: Int
    /// Entries of the frequencies for short sequences, then those for long ones where that is another set.
    private var positions: RotaryTable
    private let shortCount: Int
    private(set) var table: RotaryTable
    /// The table's entry of each row of the step.
    private(set) var entries: [Int32] = []

    init(_ encoding: RotaryEncoding, headDimension: Int, positionCount: Int) {
        self.encoding = encoding
        self.headDimension = headDimension
        let scale = Float(encoding.attentionFactor)
        shortCount = min(positionCount, encoding.lengthMax ?? positionCount)
        positions = RotaryTable(
            frequencies: encoding.frequencies(headDimension: headDimension), positionCount: shortCount, scale: scale)
        if case .long(let long) = encoding.scaling, positionCount > shortCount {
            positions.append(
                positions: 0..<positionCount,
                frequencies: encoding.frequencies(
                    headDimension: headDimension, sequenceLength: long.originalPositionCount + 1), scale: scale)
        }
        table = positions
    }

    /// Chooses the angles of a step's rows.
    mutating func begin(_ rows: StepRows) {
        entries.removeAll(keepingCapacity: true)
        guard let lengthMax = encoding.lengthMax else {
            entries += rows.positions.map(Int32.init)
            return
        }
        if case .long = encoding.scaling {
            for (position, length) in zip(rows.positions, rows.sequenceLengths) {
                entries.append(Int32(length > lengthMax ? shortCount + position : position))
            }
            return
        }
        guard rows.sequenceLengths.contains(where: { $0 > lengthMax }) else {
            table = positions
            entries += rows.positions.map(Int32.init)
            return
        }
        table = RotaryTable(frequencyCount: encoding.frequencyCount(headDimension: headDimension))
        for (row, position) in rows.positions.enumerated() {
            // The attention factor of dynamic scaling is 1.
            table.append(
                positions: position..<(position + 1),
                frequencies: encoding.frequencies(
                    headDimension: headDimension, sequenceLength: rows.sequenceLengths[row]))
            entries.append(Int32(row))
        }
    }
}
