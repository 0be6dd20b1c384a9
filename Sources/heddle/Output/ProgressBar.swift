import Foundation
import HeddleClient

/// Shows on a terminal how far a long piece of work is: a bar, bytes, rate and the time that is left. Where standard error is no
/// terminal it writes nothing.
final class ProgressBar {
    private let isShown: Bool
    private let now: () -> ContinuousClock.Instant
    private var subject = ""
    private var isBytes = true
    private var total = 0
    private var done = 0
    private var started: ContinuousClock.Instant
    private var drawn: ContinuousClock.Instant?

    /// - Parameter isWanted: false keeps it silent whatever standard error is.
    init(isWanted: Bool = true) {
        isShown = isWanted && isatty(2) == 1
        now = { .now }
        started = .now
    }

    /// Begins a piece of work.
    ///
    /// - Parameter pieceCount: what there is to do where it is not counted in bytes.
    func begin(_ subject: String, byteCount: Int?, pieceCount: Int = 0) {
        clear()
        self.subject = subject
        isBytes = byteCount != nil
        total = byteCount ?? pieceCount
        done = 0
        started = now()
        drawn = nil
    }

    /// Some more of it is done.
    func add(_ byteCount: Int) {
        done += byteCount
        guard isShown else { return }
        let time = now()
        if let drawn, drawn.duration(to: time) < .milliseconds(100), done < total { return }
        drawn = time
        let line = line(after: started.duration(to: time))
        FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
    }

    /// Takes the bar off the screen.
    func clear() {
        if isShown, drawn != nil { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        drawn = nil
    }

    private func line(after elapsed: Duration) -> String {
        let width = 24
        let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
        let full = Int(share * Double(width))
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
        let rate = seconds > 0 ? Double(done) / seconds : 0
        let rest = rate > 0 ? Double(max(0, total - done)) / rate : 0
        func amount(_ count: Int) -> String { isBytes ? Quantities.bytes(UInt64(max(0, count))) : "\(count)" }
        return "\(subject)  [" + String(repeating: "#", count: full) + String(repeating: ".", count: width - full)
            + "]  "
            + "\(amount(done)) of \(amount(total))"
            + (isBytes ? "  \(amount(Int(rate)))/s" : "")
            + (done < total ? "  \(Quantities.duration(.milliseconds(Int64(rest * 1000)))) left" : "")
    }
}
