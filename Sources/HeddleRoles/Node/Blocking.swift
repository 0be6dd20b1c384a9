import HeddleTransport

/// Runs what blocks on a thread that is made for it, so that no shared thread waits.
func onThread<Result: Sendable>(
    named name: String, _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        let thread = NamedThread(name: name) { continuation.resume(with: Swift.Result { try body() }) }
        // Nobody waits for its end: a join that does not wait leaves the thread to itself.
        _ = thread.join(timeout: .zero)
    }
}
