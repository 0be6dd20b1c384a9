/// A table for people: columns as wide as what they hold, two blanks apart, nothing drawn.
public struct TextTable: Hashable, Sendable {
    /// A column's title and on which side its cells stand.
    public struct Column: Hashable, Sendable {
        public var title: String
        public var isNumber: Bool

        public init(_ title: String, isNumber: Bool = false) {
            self.title = title
            self.isNumber = isNumber
        }

        public static func text(_ title: String) -> Column { Column(title) }
        public static func number(_ title: String) -> Column { Column(title, isNumber: true) }
    }

    public var columns: [Column]
    /// Each row has as many cells as there are columns.
    public var rows: [[String]]

    /// The longest cell that is written whole, in characters.
    public static let cellCharacterCountMax = 80

    public init(_ columns: [Column], rows: [[String]]) {
        precondition(rows.allSatisfy { $0.count == columns.count }, "every row of a table has a cell per column")
        self.columns = columns
        self.rows = rows
    }

    /// The lines, each ended; a table without rows is its titles.
    public func text(_ paint: Paint = .plain) -> String {
        let rows = rows.map { $0.map(Self.cell) }
        var widths = columns.map(\.title.count)
        for row in rows { for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) } }
        func line(_ cells: [String]) -> String {
            var line = ""
            for (index, cell) in cells.enumerated() {
                let blanks = String(repeating: " ", count: widths[index] - cell.count)
                line += (index == 0 ? "" : "  ") + (columns[index].isNumber ? blanks + cell : cell + blanks)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        return ([paint.title(line(columns.map(\.title)))] + rows.map(line)).map { $0 + "\n" }.joined()
    }

    /// One line, without what a terminal would obey: names and reasons come from outside.
    private static func cell(_ text: String) -> String {
        if text.isEmpty { return "-" }
        let clean = String(text.map { $0.isNewline || Paint.isControl($0) ? "·" : $0 })
        guard clean.count > cellCharacterCountMax else { return clean }
        return clean.prefix(cellCharacterCountMax - 1) + "…"
    }
}

/// Whether and how output is coloured: only for people who look at a terminal and did not ask for none.
public struct Paint: Hashable, Sendable {
    private let isOn: Bool

    public static let plain = Paint(isOn: false)

    private init(isOn: Bool) { self.isOn = isOn }

    /// - Parameters:
    ///   - isTerminal: whether the output is one.
    ///   - environment: where `NO_COLOR` (any value but the empty one) and `TERM=dumb` forbid colour.
    public init(isTerminal: Bool, environment: [String: String]) {
        isOn = isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }

    public func title(_ text: String) -> String { isOn ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
    public func warning(_ text: String) -> String { isOn ? "\u{1B}[33m\(text)\u{1B}[0m" : text }

    static func isControl(_ character: Character) -> Bool {
        character.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
