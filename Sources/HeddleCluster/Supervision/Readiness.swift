import Foundation

/// How a started process tells its supervisor that it serves.
///
/// The supervisor sets `HEDDLE_READY_FD` to a descriptor; the process writes the line `ready` into it, once, and closes
/// it. A process that nobody supervises has no such variable and says nothing.
public enum Readiness {
    /// The variable that names the descriptor.
    public static let variable = "HEDDLE_READY_FD"
    static let word = "ready\n"

    /// Tells the supervisor, if there is one, that this process serves.
    public static func announce(environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let text = environment[variable], let descriptor = Int32(text), descriptor > 2 else { return }
        _ = word.utf8CString.withUnsafeBytes { write(descriptor, $0.baseAddress, word.utf8.count) }
        close(descriptor)
        unsetenv(variable)
    }
}
