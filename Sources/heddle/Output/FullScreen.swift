import Foundation

/// Owns the terminal while a command draws on all of it: key by key, on the other screen, without a cursor. However the command
/// ends, the terminal is as it was.
final class FullScreen {
    private var before = termios()
    private var isOn = true
    private let signals: [any DispatchSourceSignal]
    private let ended: Flag

    /// Set from the thread of signals.
    private final class Flag: @unchecked Sendable {
        // Safety: one word that only ever becomes true, behind a lock.
        private let lock = NSLock()
        private var value = false
        var isSet: Bool { lock.withLock { value } }
        func set() { lock.withLock { value = true } }
    }

    /// Nil where standard input or output is no terminal.
    init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &before) == 0 else {
            return nil
        }
        let flag = Flag()
        ended = flag
        signals = [SIGTERM, SIGHUP, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { flag.set() }
            source.resume()
            return source
        }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw)
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
    }

    deinit { leave() }

    /// Gives the terminal back.
    func leave() {
        guard isOn else { return }
        isOn = false
        write("\u{1B}[?25h\u{1B}[?1049l")
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
    }

    /// Columns and rows as they are now.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    func draw(_ lines: [String]) {
        // Each line is cleared behind its text, so that nothing flickers.
        write("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// The key that is pressed within the time; nil for none. A signal that ends the command is `q`.
    func key(within seconds: Double) -> UInt8? {
        let end = Date(timeIntervalSinceNow: seconds)
        while !ended.isSet {
            let left = min(0.1, end.timeIntervalSinceNow)
            guard left > 0 else { return nil }
            var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&input, 1, Int32(left * 1000) + 1) > 0 else { continue }
            var byte: UInt8 = 0
            // The terminal is gone.
            guard read(STDIN_FILENO, &byte, 1) == 1 else { return UInt8(ascii: "q") }
            return byte
        }
        return UInt8(ascii: "q")
    }

    private func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
