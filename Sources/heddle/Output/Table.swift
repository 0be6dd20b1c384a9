/// Lays rows out in columns as wide as their widest cell, two spaces apart, without colour.
struct Table {
    var header: [String]
    var rows: [[String]] = []

    init(_ header: [String]) { self.header = header }

    /// Lines without trailing spaces.
    var lines: [String] {
        let widths = header.indices.map { column in
            ([header] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return ([header] + rows).map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell + String(repeating: " ", count: max(0, widths[column] - cell.count) + 2)
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
