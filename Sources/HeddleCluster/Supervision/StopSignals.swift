import Foundation
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into calls of `Supervisor.requestStop`.
public enum StopSignals {
    /// Where the handler writes; one supervisor a process can be stopped by signals.
    private static let descriptor = Atomic<Int32>(-1)

    static func send(to descriptor: Int32) {
        Self.descriptor.store(descriptor, ordering: .releasing)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // A handler may only call what is safe at any point: an atomic load and `write` are.
            signal(number) { _ in
                let descriptor = StopSignals.descriptor.load(ordering: .acquiring)
                let error = errno
                var byte: UInt8 = 1
                if descriptor >= 0 { _ = write(descriptor, &byte, 1) }
                errno = error
            }
        }
    }

    static func stopSending() {
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
        descriptor.store(-1, ordering: .releasing)
    }
}
