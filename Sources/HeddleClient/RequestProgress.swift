import HeddleCore

/// How far one request has come on the client's side, and what has to be said to a router to take it up from there.
struct RequestProgress {
    private(set) var submission: ClientSubmission
    let deadline: Instant?
    /// The index of the next token of each choice.
    private(set) var nextIndices: [Int]
    private(set) var finishes: [FinishReason?]
    /// The router's first word on it, which names what answers; nil until it came.
    var accepted: AcceptedRequest?
    var busyCount = 0
    var gapCount = 0
    /// When it is to be submitted again after a busy router's answer; nil while it is submitted.
    var retryAt: Instant?
    /// Tokens that the program has taken and the router does not know of yet.
    private var takenTokens = 0
    /// Tokens that a router may still send.
    private var grantedTokens: Int
    /// Tokens that came and that the program has not taken.
    private var waitingTokens = 0
    private let windowTokens: Int

    init(_ submission: ClientSubmission, windowTokens: Int, now: Instant) {
        self.submission = submission
        deadline = submission.deadline.map { now.advanced(by: $0) }
        nextIndices = submission.resumeFrom
        finishes = Array(repeating: nil, count: submission.sampling.choiceCount)
        self.windowTokens = windowTokens
        grantedTokens = windowTokens
    }

    /// The submission that takes the request up where it is now, with what is left of its deadline.
    mutating func resubmission(now: Instant) -> ClientSubmission {
        var submission = submission
        submission.resumeFrom = nextIndices
        submission.deadline = deadline.map { max(.microseconds(1), $0.duration(since: now)) }
        // What was taken and not granted is part of the new credit; what waits in the program's buffer is not.
        grantedTokens = max(1, min(windowTokens, grantedTokens + takenTokens))
        takenTokens = 0
        submission.creditTokens = grantedTokens
        return submission
    }

    var hasTokens: Bool { nextIndices.contains { $0 > 0 } }

    /// What a message with tokens is to the program.
    enum Arrival {
        case deliver(DeliveredTokens)
        /// It came already.
        case duplicate
        /// Something before it did not come.
        case gap
        /// Far more than the router was given credit for.
        case flood
    }

    mutating func arrived(_ tokens: DeliveredTokens) -> Arrival {
        guard nextIndices.indices.contains(tokens.choice) else { return .gap }
        if finishes[tokens.choice] != nil { return .duplicate }
        let next = nextIndices[tokens.choice]
        let end = tokens.firstIndex + tokens.tokens.count
        // Nothing to keep, and so nothing that a program could be made to keep without bound.
        if tokens.tokens.isEmpty, tokens.finish == nil { return .duplicate }
        if tokens.firstIndex == next {
            waitingTokens += tokens.tokens.count
            // A router that was submitted to twice may for a moment count the credit twice.
            guard waitingTokens <= 4 * windowTokens else { return .flood }
            nextIndices[tokens.choice] = end
            finishes[tokens.choice] = tokens.finish
            grantedTokens -= min(grantedTokens, tokens.tokens.count)
            return .deliver(tokens)
        }
        return tokens.firstIndex < next && end <= next && tokens.finish == nil ? .duplicate : .gap
    }

    /// Whether every token of every choice that the router counts has come.
    func isComplete(_ finished: FinishedRequest) -> Bool {
        finished.choices.count == nextIndices.count
            && zip(finished.choices, zip(nextIndices, finishes)).allSatisfy { choice, here in
                choice.tokenCount == here.0 && here.1 != nil
            }
    }

    /// The program took tokens; returns the credit to grant now, in portions of half a window.
    mutating func taken(_ tokenCount: Int) -> Int? {
        takenTokens += tokenCount
        waitingTokens -= min(waitingTokens, tokenCount)
        guard takenTokens * 2 >= windowTokens else { return nil }
        defer { takenTokens = 0 }
        grantedTokens += takenTokens
        return takenTokens
    }
}
