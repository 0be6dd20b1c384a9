import HeddleCore
import HeddleFiles
import HeddleGrammar
import HeddleTransport

/// Owns the compiled constraints of a group's rank 0: made on a thread of its own, the tenants in turn, so that no step and no
/// other tenant waits for a large schema; the ones used last are kept.
final class ConstraintCompiler: Sendable {
    /// Compiled constraints that are kept; sequences that run keep theirs besides.
    static let keptCountMax = 16
    /// Constraints of one tenant that wait at most.
    static let depthMax = 64
    static let retryAfter: Duration = .milliseconds(250)

    private struct Work: Sendable {
        let constraint: OutputConstraint
        let continuation: CheckedContinuation<ConstraintMatcher, any Error>
    }

    private struct State {
        var work = RoundRobin<TenantName, Work>(depthMax: ConstraintCompiler.depthMax)
        var isRunning = false
        /// The one that was used last comes last.
        var kept: [(constraint: OutputConstraint, matcher: ConstraintMatcher)] = []
        /// Read when the first constraint comes.
        var vocabulary: TokenVocabulary?
    }

    private let tokenizerPath: String
    private let vocabularyCount: Int
    private let endTokens: [TokenID]
    private let state = Locked(State())

    init(tokenizerPath: String, vocabularyCount: Int, endTokens: [TokenID]) {
        self.tokenizerPath = tokenizerPath
        self.vocabularyCount = vocabularyCount
        self.endTokens = endTokens
    }

    /// The constraint, where it is compiled already.
    func kept(_ constraint: OutputConstraint) -> ConstraintMatcher? {
        state.withLock { state in
            guard let index = state.kept.firstIndex(where: { $0.constraint == constraint }) else { return nil }
            let entry = state.kept.remove(at: index)
            state.kept.append(entry)
            return entry.matcher
        }
    }

    /// Compiles a constraint, or waits for its turn to be.
    func matcher(_ constraint: OutputConstraint, for tenant: TenantName) async throws -> ConstraintMatcher {
        try await withCheckedThrowingContinuation { continuation in
            let work = Work(constraint: constraint, continuation: continuation)
            let (isTaken, starts) = state.withLock { state in
                let isTaken = state.work.add(work, to: tenant)
                let starts = isTaken && !state.isRunning
                if starts { state.isRunning = true }
                return (isTaken, starts)
            }
            guard isTaken else { return continuation.resume(throwing: RequestError.busy(retryAfter: Self.retryAfter)) }
            guard starts else { return }
            let thread = NamedThread(name: "constraints") { self.run() }
            // Nobody waits for its end: a join that does not wait leaves the thread to itself.
            _ = thread.join(timeout: .zero)
        }
    }

    /// Until nothing waits.
    private func run() {
        while true {
            let next = state.withLock { state in
                let next = state.work.next()
                if next == nil { state.isRunning = false }
                return next
            }
            guard let next else { return }
            next.continuation.resume(with: Result { try compile(next.constraint) })
        }
    }

    private func compile(_ constraint: OutputConstraint) throws -> ConstraintMatcher {
        if let known = kept(constraint) { return known }
        let vocabulary = try vocabulary()
        let automaton: Automaton
        do throws(SchemaError) {
            automaton = try Automaton(constraint, bytes: vocabulary.spelled)
        } catch { throw RequestError.schemaInvalid(reason: error.description) }
        let matcher = ConstraintMatcher(automaton, vocabulary: vocabulary)
        matcher.prepare()
        state.withLock { state in
            state.kept.append((constraint, matcher))
            if state.kept.count > Self.keptCountMax { state.kept.removeFirst() }
        }
        return matcher
    }

    private func vocabulary() throws -> TokenVocabulary {
        if let known = state.withLock({ $0.vocabulary }) { return known }
        let vocabulary = TokenVocabulary(
            try Tokenizer(path: tokenizerPath), vocabularyCount: vocabularyCount, endTokens: endTokens)
        state.withLock { $0.vocabulary = vocabulary }
        return vocabulary
    }
}
