/// Decides which known word a person may have meant.
enum Suggestion {
    /// ` (did you mean “x”?)`, or nothing where no word is near.
    static func text(for word: String, among words: some Sequence<String>) -> String {
        let limit = max(1, min(3, word.count / 3))
        var best: (word: String, distance: Int)?
        for candidate in words where abs(candidate.count - word.count) <= limit {
            let distance = editDistance(word.lowercased(), candidate.lowercased())
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        guard let best else { return "" }
        return " (did you mean “\(best.word)”?)"
    }

    /// Letters to insert, delete, replace, or swap with a neighbour.
    static func editDistance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var rows = [Array(0...right.count)]
        for i in 1..<(left.count + 1) {
            var row = [i] + Array(repeating: 0, count: right.count)
            for j in 1..<(right.count + 1) {
                row[j] = min(
                    rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1))
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    row[j] = min(row[j], rows[i - 2][j - 2] + 1)
                }
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
