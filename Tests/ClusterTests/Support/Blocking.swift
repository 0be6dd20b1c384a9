import Foundation

/// Runs what waits on a thread made for it, so that no shared thread of the tests waits.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// What a test waited for and did not get.
struct Waited: Error, CustomStringConvertible {
    let description: String
    init(_ what: String, _ limit: Duration) { description = "\(what): not within \(limit)" }
}

/// Looks again and again until it is so; throws `Waited` after the limit, with what was seen last.
///
/// For states that can only be asked for. Whatever tells of itself is waited for instead.
func eventually<Seen: Sendable>(
    _ what: String, within limit: Duration = .seconds(20), look: () async throws -> Seen,
    until isSo: (Seen) -> Bool
) async throws -> Seen {
    let end = ContinuousClock.now + limit
    while true {
        let seen = try await look()
        if isSo(seen) { return seen }
        guard ContinuousClock.now < end else { throw Waited("\(what) (last seen: \(seen))", limit) }
        try await Task.sleep(for: .milliseconds(10))
    }
}
