import Foundation
import Synchronization

/// Decides what Ctrl-C does while a chat is open: it cancels the answer that runs. Where none does, it ends the program,
/// at a terminal only when it is pressed again before anything is said.
final class ChatInterrupt: Sendable {
    private struct State {
        var cancel: (@Sendable () -> Void)?
        var isWarned = false
    }

    private let state = Mutex(State())
    // Safety: the source is made, resumed and cancelled by this object alone, and libdispatch's calls are thread-safe.
    nonisolated(unsafe) private let source: any DispatchSourceSignal
    private let isInteractive: Bool

    init(isInteractive: Bool) {
        self.isInteractive = isInteractive
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { [weak self] in self?.interrupted() }
        signal(SIGINT, SIG_IGN)
        source.resume()
    }

    /// Somebody is there: the next Ctrl-C is the first again.
    func lineWasRead() { state.withLock { $0.isWarned = false } }

    /// From here to `answerEnded`, Ctrl-C calls this.
    func answerBegan(cancel: @escaping @Sendable () -> Void) {
        state.withLock { $0 = State(cancel: cancel) }
    }

    func answerEnded() { state.withLock { $0.cancel = nil } }

    private func interrupted() {
        let (cancel, isWarned) = state.withLock { state in
            defer { state.isWarned = true }
            return (state.cancel, state.isWarned)
        }
        if let cancel {
            cancel()
        } else if isInteractive, !isWarned {
            FileHandle.standardOutput.write(Data("\nCtrl-C again or /quit ends the chat.\n> ".utf8))
        } else {
            exit(130)
        }
    }

    func end() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
