import Synchronization

/// Hands the text of a rendered conversation from the thread that wrote it to the call that asked for it.
final class Rendered: Sendable {
    private let written = Mutex("")

    var text: String { written.withLock { $0 } }

    func set(_ text: String) { written.withLock { $0 = text } }
}
