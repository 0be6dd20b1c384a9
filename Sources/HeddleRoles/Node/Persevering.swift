import HeddleActors
import HeddleCore

extension RemoteCallError {
    /// Whether the same call may succeed in a moment: its node is away, starts again, or is at its limit.
    var mayPass: Bool {
        switch self {
        case .nodeUnreachable, .nodeLost, .deadlineExceeded, .mailboxFull, .callsInFlightFull, .notSent, .shuttingDown,
            .noActor:
            true
        default: false
        }
    }
}

/// Makes a call again, after a pause that doubles, for as long as what stands in its way may pass and `patience` lasts.
///
/// - Parameter isWanted: asked before each further try; where it says no, the error of the last one is thrown.
func persevering<Result>(
    for patience: Duration, isolation: isolated (any Actor)? = #isolation, while isWanted: () -> Bool = { true },
    _ call: () async throws -> Result
) async throws -> Result {
    let end = now().advanced(by: patience)
    var pause = Duration.milliseconds(20)
    while true {
        do {
            return try await call()
        } catch let error as RemoteCallError where error.mayPass && now() < end && isWanted() {
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(500))
        }
    }
}
