import HeddleCore
import HeddleWire

/// Decides what a client says and what its program hears: submissions, credit, pings, resubmission after a loss.
///
/// A value without sockets or clocks: its shell carries the actions out in order and reports what comes back.
package struct ClientCore {
    package enum Action: Hashable {
        case send(ClientMessage)
        case deliver(RequestID, AnswerEvent)
        /// The request is over; nothing more of it follows.
        case end(RequestID, RequestFailure?)
        /// Leave this router's socket for a fresh one, to the next endpoint where there are several. What was sent and
        /// not answered is lost; the actions that follow say again what matters.
        case reconnect
    }

    private let limits: MeshClientLimits
    /// Routers that may be gone to.
    private let endpointCount: Int
    private var requests: [RequestID: RequestProgress] = [:]
    private var lastHeard = Instant(nanoseconds: 0)
    private var lastSent = Instant(nanoseconds: 0)
    private var lastConnected = Instant(nanoseconds: 0)
    /// Whether the router that is connected to now has said anything.
    private var hasHeard = false
    private var pingNumber: UInt64 = 0
    /// Which start and session of a router the last Pong named; nil until one has come since the last `greet`.
    private var session: (incarnation: Incarnation, client: ClientRef)?
    /// Answers to earlier pings speak of a session that is over.
    private var pingNumberMin: UInt64 = 0

    package init(limits: MeshClientLimits, endpointCount: Int = 1) {
        self.limits = limits
        self.endpointCount = endpointCount
    }

    package var requestCount: Int { requests.count }

    package mutating func submitted(_ submission: ClientSubmission, at now: Instant) throws(RequestFailure) -> [Action]
    {
        if let error = submission.firstError(limits: limits.socket) { throw RequestFailure(id: submission.id, error) }
        guard requests[submission.id] == nil else {
            throw RequestFailure(
                id: submission.id,
                .invalidParameter(name: "request_id", value: "\(submission.id)", rule: "one that is not open here"))
        }
        guard requests.count < limits.requestCountMax else {
            throw RequestFailure(id: submission.id, .busy(retryAfter: limits.socket.heartbeatInterval))
        }
        var actions: [Action] = []
        if requests.isEmpty {
            // Silence is counted from when somebody began to wait.
            (lastHeard, lastConnected) = (now, now)
            actions = greet(at: now)
        }
        var progress = RequestProgress(submission, windowTokens: limits.windowTokens, now: now)
        let first = progress.resubmission(now: now)
        requests[submission.id] = progress
        return actions + [.send(.submit(first))]
    }

    /// The program does not want the rest. It hears at once; the router is told.
    package mutating func cancelled(_ id: RequestID, at now: Instant) -> [Action] {
        guard requests.removeValue(forKey: id) != nil else { return [] }
        lastSent = now
        return [.send(.cancel(id)), .end(id, RequestFailure(id: id, .cancelled))]
    }

    /// The program took this many tokens of the request.
    package mutating func taken(_ id: RequestID, tokenCount: Int, at now: Instant) -> [Action] {
        guard let credit = requests[id]?.taken(tokenCount) else { return [] }
        lastSent = now
        return [.send(.credit(id, tokenCount: credit))]
    }

    package mutating func received(_ reply: ClientReply, at now: Instant) -> [Action] {
        (lastHeard, hasHeard) = (now, true)
        switch reply {
        case .accepted(let accepted):
            guard let progress = requests[accepted.id] else { return [] }
            guard let earlier = progress.accepted else {
                requests[accepted.id]?.accepted = accepted
                return [.deliver(accepted.id, .accepted(accepted))]
            }
            // A request that is taken up again is accepted again; the program heard that already.
            return progress.hasTokens && !earlier.hasSameContent(as: accepted) ? changed(accepted.id) : []
        case .tokens(let tokens): return arrived(tokens, at: now)
        case .finished(let finished):
            guard let progress = requests[finished.id] else { return [] }
            guard progress.isComplete(finished) else {
                return gap(finished.id, "it finished before all its tokens came", at: now)
            }
            requests[finished.id] = nil
            return [.deliver(finished.id, .finished(finished)), .end(finished.id, nil)]
        case .failed(let failure):
            guard let id = failure.id else {
                return failure.code == RequestError.busy(retryAfter: .zero).code ? dropped(at: now) : endAll(failure)
            }
            if failure.code == RequestError.shuttingDown.code, let actions = leaving(id, at: now) { return actions }
            guard requests.removeValue(forKey: id) != nil else { return [] }
            return [.end(id, failure)]
        case .busy(let id, let retryAfter): return busy(id, retryAfter: retryAfter, at: now)
        case .pong(let number, let incarnation, let client):
            guard number >= pingNumberMin else { return [] }
            defer { session = (incarnation, client) }
            guard let session, session.incarnation != incarnation || session.client != client else { return [] }
            // The router was started again, or took this client for gone: what was open there is not any more.
            return resubmitAll(at: now)
        }
    }

    /// Something came that cannot be read: this router speaks something else.
    package mutating func receivedGarbage(_ error: RequestError, at now: Instant) -> [Action] {
        lastHeard = now
        return endAll(RequestFailure(id: nil, error))
    }

    /// Time passed.
    package mutating func ticked(at now: Instant) -> [Action] {
        guard !requests.isEmpty else { return [] }
        var actions = overdue(at: now)
        if now.duration(since: lastHeard) >= limits.unreachableAfter {
            let waited = now.duration(since: lastHeard)
            return actions
                + endAll(
                    RequestFailure(
                        id: nil, code: "unreachable", message: "no router has said anything for \(Quantities.duration(waited))"))
        }
        let isElsewherePossible = endpointCount > 1 && !hasHeard
        let patience = isElsewherePossible ? limits.firstAnswerMax : limits.socket.silenceMax
        if now.duration(since: max(lastHeard, lastConnected)) >= patience, !requests.isEmpty {
            return actions + reconnect(at: now)
        }
        for id in requests.keys.sorted() {
            guard let retryAt = requests[id]?.retryAt, retryAt <= now else { continue }
            actions += resubmit(id, at: now)
        }
        if !requests.isEmpty, now.duration(since: lastSent) >= limits.socket.heartbeatInterval {
            actions.append(ping(at: now))
        }
        return actions
    }

    // MARK: Parts

    /// Asks who is there before anything is submitted: the answer is what later ones are compared with.
    private mutating func greet(at now: Instant) -> [Action] {
        session = nil
        let greeting = ping(at: now)
        pingNumberMin = pingNumber
        return [greeting]
    }

    /// Goes to the next router with everything that is open.
    private mutating func reconnect(at now: Instant) -> [Action] {
        (lastConnected, hasHeard) = (now, false)
        return [.reconnect] + greet(at: now) + resubmitAll(at: now)
    }

    /// What to do about a router that ends; nil where there is no other, or all have ended by now.
    private mutating func leaving(_ id: RequestID, at now: Instant) -> [Action]? {
        guard endpointCount > 1, let count = requests[id]?.gapCount, count < limits.gapCountMax else { return nil }
        requests[id]?.gapCount = count + 1
        return reconnect(at: now)
    }

    private mutating func ping(at now: Instant) -> Action {
        pingNumber += 1
        lastSent = now
        return .send(.ping(number: pingNumber))
    }

    private mutating func arrived(_ tokens: DeliveredTokens, at now: Instant) -> [Action] {
        switch requests[tokens.id]?.arrived(tokens) {
        case .deliver(let tokens): return [.deliver(tokens.id, .tokens(tokens))]
        case .duplicate, nil: return []
        case .flood:
            requests[tokens.id] = nil
            let reason = "the router sent more tokens than it has credit for"
            return [
                .send(.cancel(tokens.id)),
                .end(tokens.id, RequestFailure(id: tokens.id, .protocolViolation(reason: reason))),
            ]
        case .gap: return gap(tokens.id, "token \(tokens.firstIndex) came before those in front of it", at: now)
        }
    }

    /// Takes the request up again from what is here, or gives it up when that happened too often.
    private mutating func gap(_ id: RequestID, _ reason: String, at now: Instant) -> [Action] {
        guard let count = requests[id]?.gapCount else { return [] }
        guard count < limits.gapCountMax else {
            requests[id] = nil
            return [.end(id, RequestFailure(id: id, .protocolViolation(reason: reason)))]
        }
        requests[id]?.gapCount = count + 1
        return resubmit(id, at: now)
    }

    /// The router dropped a message of ours unread: what it was is not known, so everything open is said again, later.
    private mutating func dropped(at now: Instant) -> [Action] {
        let retryAt = now.advanced(by: limits.socket.heartbeatInterval)
        for id in requests.keys where requests[id]?.retryAt == nil { requests[id]?.retryAt = retryAt }
        return []
    }

    /// The tokens from here on would be another model's or adapter's than those before.
    private mutating func changed(_ id: RequestID) -> [Action] {
        requests[id] = nil
        let failure = RequestFailure(
            id: id, code: "content_changed",
            message: "the model or adapter was replaced while the answer was interrupted; submit it as a new request")
        return [.send(.cancel(id)), .end(id, failure)]
    }

    private mutating func busy(_ id: RequestID, retryAfter: Duration, at now: Instant) -> [Action] {
        guard let progress = requests[id] else { return [] }
        let retryAt = now.advanced(by: retryAfter)
        let isTooLate = progress.deadline.map { $0 <= retryAt } ?? false
        guard progress.busyCount < limits.busyCountMax, !isTooLate else {
            requests[id] = nil
            return [.end(id, RequestFailure(id: id, .busy(retryAfter: retryAfter)))]
        }
        requests[id]?.busyCount += 1
        requests[id]?.retryAt = retryAt
        return []
    }

    private mutating func overdue(at now: Instant) -> [Action] {
        var actions: [Action] = []
        for id in requests.keys.sorted() {
            guard let progress = requests[id], let deadline = progress.deadline,
                now >= deadline.advanced(by: limits.deadlineGrace), let wanted = progress.submission.deadline
            else { continue }
            requests[id] = nil
            actions += [
                .send(.cancel(id)), .end(id, RequestFailure(id: id, .deadlineExceeded(after: wanted))),
            ]
        }
        return actions
    }

    private mutating func resubmitAll(at now: Instant) -> [Action] {
        requests.keys.sorted().flatMap { resubmit($0, at: now) }
    }

    private mutating func resubmit(_ id: RequestID, at now: Instant) -> [Action] {
        guard var progress = requests[id] else { return [] }
        progress.retryAt = nil
        let submission = progress.resubmission(now: now)
        requests[id] = progress
        lastSent = now
        return [.send(.submit(submission))]
    }

    private mutating func endAll(_ failure: RequestFailure) -> [Action] {
        let ids = requests.keys.sorted()
        requests = [:]
        return ids.map { id in
            var failure = failure
            failure.id = id
            return .end(id, failure)
        }
    }
}
