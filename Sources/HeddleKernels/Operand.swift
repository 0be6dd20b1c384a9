import CHeddleKernels

/// Rows in the form in which weights of one format are multiplied with them. It keeps its memory alive.
///
/// A row is cut into parts, the inputs of the leaves that it is multiplied with; no part shares a pair or a group with
/// another, so that what a leaf sums depends on its own inputs alone.
public struct Operand {
    /// One leaf's inputs, and where they lie in a row.
    struct Part {
        var inputs: Int
        var valueOffset: Int
        var groupOffset: Int
    }

    /// The weights that it is for.
    public let format: PackedFormat
    /// Rows.
    public let count: Int
    let parts: [Part]
    let handle: heddle_operand
    let memory: AnyObject

    /// f32: the rows as they are.
    init(_ rows: Rows, widths: [Int]) {
        format = .f32
        count = rows.count
        parts = Self.parts(.f32, widths)
        handle = heddle_operand(
            values: rows.base.map { UnsafeRawPointer($0) }, row_bytes: Int64(rows.stride * MemoryLayout<Float>.stride),
            scales: nil, starts: nil, row_groups: 0)
        memory = rows.memory
    }

    /// Rounds rows into memory that has room for them.
    init(_ rows: Rows, format: PackedFormat, widths: [Int], in memory: OperandMemory, team: ThreadTeam) {
        let parts = Self.parts(format, widths)
        let size = OperandMemory.Size(rows: rows.count, parts: parts, format: format)
        let area = memory.area(size)
        let inputs = widths.map(Int64.init)
        let scales = (area.base + size.scalesOffset).assumingMemoryBound(to: Float.self)
        let starts = (area.base + size.startsOffset).assumingMemoryBound(to: Int32.self)
        withExtendedLifetime(rows) {
            heddle_prepare(
                team.handle, format.code, rows.base, Int64(rows.stride), Int64(rows.count), inputs, Int64(inputs.count),
                area.base, Int64(size.rowByteCount), scales, starts, Int64(size.rowGroupCount))
        }
        self.format = format
        self.parts = parts
        count = rows.count
        handle = heddle_operand(
            values: UnsafeRawPointer(area.base), row_bytes: Int64(size.rowByteCount), scales: UnsafePointer(scales),
            starts: UnsafePointer(starts), row_groups: Int64(size.rowGroupCount))
        self.memory = area.owner
    }

    private init(_ whole: Operand, rows: Range<Int>) {
        format = whole.format
        parts = whole.parts
        memory = whole.memory
        count = rows.count
        var handle = whole.handle
        let first = Int64(rows.lowerBound)
        handle.values = handle.values.map { $0 + Int(first * handle.row_bytes) }
        handle.scales = handle.scales.map { $0 + Int(first * handle.row_groups) }
        handle.starts = handle.starts.map { $0 + Int(first * handle.row_groups) }
        self.handle = handle
    }

    /// Some of the rows.
    public subscript(rows: Range<Int>) -> Operand {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) are not within \(count)")
        return Operand(self, rows: rows)
    }

    private static func parts(_ format: PackedFormat, _ widths: [Int]) -> [Part] {
        var next = Part(inputs: 0, valueOffset: 0, groupOffset: 0)
        return widths.map { width in
            var part = next
            part.inputs = width
            next.valueOffset += Int(heddle_operand_bytes(format.code, Int64(width)))
            next.groupOffset += Int(heddle_operand_groups(format.code, Int64(width)))
            return part
        }
    }
}

/// Rows and, for each format that products ask for, their operand: each is prepared once.
public final class RowOperands {
    private let rows: Rows
    private let widths: [Int]
    private let memory: OperandMemory
    private let team: ThreadTeam
    private var operands: [Operand?]

    /// - Parameter widths: inputs of the leaves into which a row is cut, together its width.
    init(_ rows: Rows, widths: [Int], in memory: OperandMemory, team: ThreadTeam) {
        precondition(
            widths.allSatisfy { $0 >= 0 } && widths.reduce(0, +) == rows.width,
            "rows of \(rows.width) are not cut into \(widths)")
        self.rows = rows
        self.widths = widths
        self.memory = memory
        self.team = team
        operands = [Operand?](repeating: nil, count: PackedFormat.allCases.count)
    }

    /// The rows for weights of a format.
    public func callAsFunction(for format: PackedFormat) -> Operand {
        let index = Int(format.rawValue)
        if let operand = operands[index] { return operand }
        let operand =
            format == .f32
            ? Operand(rows, widths: widths)
            : Operand(rows, format: format, widths: widths, in: memory, team: team)
        operands[index] = operand
        return operand
    }
}

/// Owns what operands are prepared into; grows to the most that was asked for between two resets.
public final class OperandMemory {
    /// How an operand's rows lie: values, then scales, then starts.
    struct Size {
        var rowByteCount: Int
        var rowGroupCount: Int
        var scalesOffset: Int
        var startsOffset: Int
        var byteCount: Int

        init(rows: Int, parts: [Operand.Part], format: PackedFormat) {
            let last = parts.last.map {
                (
                    $0.valueOffset + Int(heddle_operand_bytes(format.code, Int64($0.inputs))),
                    $0.groupOffset + Int(heddle_operand_groups(format.code, Int64($0.inputs)))
                )
            }
            // An odd number of cache lines, so that the rows of a block do not fall into the same places of a cache.
            rowByteCount = ((((last?.0 ?? 0) + 63) / 64) | 1) * 64
            rowGroupCount = last?.1 ?? 0
            scalesOffset = rows * rowByteCount
            startsOffset = scalesOffset + rows * rowGroupCount * MemoryLayout<Float>.stride
            let end = startsOffset + rows * rowGroupCount * MemoryLayout<Int32>.stride
            byteCount = (end + 63) / 64 * 64
        }
    }

    private var memory = FloatMemory(count: 0)
    private var usedByteCount = 0

    /// Memory that grows as it is used.
    public init() {}

    /// Makes everything free again. No product of an operand prepared before may run afterwards.
    public func reset() { usedByteCount = 0 }

    /// Rows whose operands lie in this memory.
    public func operands(of rows: Rows, widths: [Int]? = nil, team: ThreadTeam) -> RowOperands {
        RowOperands(rows, widths: widths ?? [rows.width], in: self, team: team)
    }

    func area(_ size: Size) -> (base: UnsafeMutableRawPointer, owner: FloatMemory) {
        let floats = MemoryLayout<Float>.stride
        if usedByteCount + size.byteCount > memory.floats.count * floats {
            // Operands made before hold the memory that they lie in.
            memory = FloatMemory(
                count: max(usedByteCount + size.byteCount, 2 * memory.floats.count * floats) / floats + 16)
            usedByteCount = 0
        }
        guard let base = memory.floats.baseAddress else { preconditionFailure("memory has an address") }
        defer { usedByteCount += size.byteCount }
        return (UnsafeMutableRawPointer(base) + usedByteCount, memory)
    }
}
