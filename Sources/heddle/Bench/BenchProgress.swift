import Foundation

/// One line on a terminal that says what a benchmark does now; nothing where nobody watches.
final class BenchProgress: Sendable {
    private let isShown = isatty(STDERR_FILENO) == 1

    func say(_ text: String) {
        guard isShown else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    /// What is done of so many.
    func say(_ text: String, _ done: Int, of count: Int) {
        let width = 24
        let filled = count == 0 ? width : done * width / count
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        say("\(text) \(bar) \(count == 0 ? 100 : done * 100 / count) %")
    }

    /// Clears the line.
    func done() { say("") }
}
