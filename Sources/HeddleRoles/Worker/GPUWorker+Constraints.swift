import HeddleActors
import HeddleCore
import HeddleGrammar

/// Requests whose constraint is not compiled yet: they wait beside the loop, and what is said of them meanwhile waits with them.
extension GPUWorker {
    /// Whether the message is about a request that waits, now or from now on.
    func waitsForConstraint(_ message: WorkerMessage, from router: RouterRef) -> Bool {
        guard let request = message.request else { return false }
        if compiling[request] != nil {
            compiling[request]?.append(message)
            return true
        }
        guard case .run(let assignment, let group) = message, let constraint = assignment.parameters.constraint,
            group == formation.formed, constraints.kept(constraint) == nil
        else { return false }
        compiling[request] = [message]
        outliving { Task { await compile(constraint, of: assignment, on: group, from: router) } }
        return true
    }

    private func compile(
        _ constraint: OutputConstraint, of assignment: Assignment, on group: GroupEpoch, from router: RouterRef
    ) async {
        let started = now()
        let outcome: Result<ConstraintMatcher, RequestError>
        do {
            outcome = .success(try await constraints.matcher(constraint, for: assignment.tenant))
        } catch {
            outcome = .failure(error as? RequestError ?? .noCapacity(reason: "\(error)"))
        }
        for message in compiling.removeValue(forKey: assignment.request) ?? [] {
            guard case .run(var assignment, let group) = message else {
                take(message, from: router)
                continue
            }
            switch outcome {
            case .success(let matcher):
                assignment.timeLeft -= now().duration(since: started)
                let isSame = assignment.parameters.constraint == constraint
                take(.run(assignment, on: group), from: router, matcher: isSame ? matcher : nil)
            case .failure(let error):
                answer(router, .failed(assignment.request, assignment.attempt, error, on: group))
            }
        }
        wake()
    }
}

extension WorkerMessage {
    /// The request that it is about; nil where it is about all.
    fileprivate var request: RequestID? {
        switch self {
        case .run(let assignment, _): assignment.request
        case .cancel(let request, _, _, _): request
        case .over: nil
        }
    }
}
