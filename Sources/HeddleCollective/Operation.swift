/// Which call a rank is in, as ranks tell each other.
enum Operation: UInt32, CustomStringConvertible {
    case reduce = 1
    case gather = 2
    case broadcast = 3

    var description: String {
        switch self {
        case .reduce: "reduceTree"
        case .gather: "gather"
        case .broadcast: "broadcast"
        }
    }

    static func describe(_ code: UInt32, elementCount: UInt64) -> String {
        "\(Operation(rawValue: code)?.description ?? "number \(code)") of \(elementCount) elements"
    }
}

/// Where the columns that each rank holds lie in the gathered matrix.
struct GatherShape {
    let rowCount: Int
    let widths: [Int]
    let rank: Int
    /// Columns of the whole matrix.
    let width: Int
    /// Where each rank's columns begin.
    let firstColumns: [Int]

    init(rowCount: Int, widths: [Int], rank: Int, rankCount: Int) {
        precondition(widths.count == rankCount, "\(rankCount) ranks need as many widths, not \(widths.count)")
        precondition(rowCount >= 0 && widths.allSatisfy { $0 >= 0 }, "counts of rows and columns are not negative")
        self.rowCount = rowCount
        self.widths = widths
        self.rank = rank
        var firstColumns: [Int] = []
        var width = 0
        for columns in widths {
            firstColumns.append(width)
            width += columns
        }
        self.firstColumns = firstColumns
        self.width = width
    }

    func sliceCount(of rank: Int) -> Int { rowCount * widths[rank] }
    /// Floats of the longest slice.
    var sliceCountMax: Int { rowCount * (widths.max() ?? 0) }
    /// Floats of the whole matrix.
    var elementCount: Int { rowCount * width }

    func check(sliceCount: Int, wholeCount: Int?) {
        precondition(
            sliceCount == self.sliceCount(of: rank),
            "rank \(rank) gathers \(rowCount) × \(widths[rank]) floats, not \(sliceCount)")
        if let wholeCount {
            precondition(
                wholeCount == elementCount, "the whole has \(rowCount) × \(width) floats, not \(wholeCount)")
        }
    }

    /// Puts `count` floats of a rank's slice, from its element `first`, where they belong.
    ///
    /// Safety: `check` passed, and `first + count` is within the rank's slice.
    func place(
        _ source: UnsafePointer<Float>, first: Int, count: Int, of rank: Int, into whole: UnsafeMutablePointer<Float>
    ) {
        let columns = widths[rank]
        var done = 0
        while done < count {
            let (row, column) = (first + done).quotientAndRemainder(dividingBy: columns)
            let run = min(columns - column, count - done)
            (whole + row * width + firstColumns[rank] + column).update(from: source + done, count: run)
            done += run
        }
    }
}
