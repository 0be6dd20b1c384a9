import CHeddleLinux
import Foundation

/// Ends a supervised process when its supervisor ends, however that happens.
public enum OrphanGuard {
    /// The variable in which a supervisor gives its own process number.
    public static let variable = "HEDDLE_SUPERVISOR_PID"

    /// Has the kernel kill this process with its supervisor; call it first thing, on the main thread.
    ///
    /// - Returns: false where the supervisor is gone already: exit then. A process that nobody supervises may live.
    public static func arm(environment: [String: String] = ProcessInfo.processInfo.environment) -> Bool {
        guard let text = environment[variable], let supervisor = pid_t(text) else { return true }
        _ = heddle_die_with_parent(SIGKILL)
        // It may have ended before the kernel knew whom to tell.
        return getppid() == supervisor
    }
}
