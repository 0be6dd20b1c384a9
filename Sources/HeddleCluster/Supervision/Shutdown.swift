import CHeddleLinux
import Foundation

/// Ends a cluster that another process supervises.
public enum Shutdown {
    /// What became of the cluster.
    public enum Outcome: Hashable, Sendable {
        /// No supervisor runs it; what a killed one left was removed.
        case wasNotUp
        case ended(process: Int32)
        /// It did not end in time and was killed; its processes ended with it.
        case killed(process: Int32)
    }

    /// Asks the supervisor to end and waits until it has.
    ///
    /// - Parameter limit: how long it may take; longer than `Supervision.Limits.graceMax`.
    public static func end(_ directory: RuntimeDirectory, limit: Duration = .seconds(30)) throws -> Outcome {
        guard let holder = SupervisorLock.holder(of: directory) else {
            try removeLeftovers(directory)
            return .wasNotUp
        }
        let watch = heddle_pidfd_open(holder)
        guard watch >= 0 else {
            try removeLeftovers(directory)
            return .wasNotUp
        }
        defer { close(watch) }
        guard kill(holder, SIGTERM) == 0 else { throw SystemError(call: "signal to process \(holder)") }
        if hasEnded(watch, within: limit) { return .ended(process: holder) }
        kill(holder, SIGKILL)
        _ = hasEnded(watch, within: .seconds(10))
        try removeLeftovers(directory)
        return .killed(process: holder)
    }

    private static func hasEnded(_ watch: Int32, within limit: Duration) -> Bool {
        var descriptor = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: limit.components.seconds * 1000)
        return poll(&descriptor, 1, milliseconds) > 0
    }

    private static func removeLeftovers(_ directory: RuntimeDirectory) throws {
        guard FileManager.default.fileExists(atPath: directory.path) else { return }
        let lock = try SupervisorLock(directory)
        directory.removeLeftovers()
        withExtendedLifetime(lock) {}
    }
}
