/// One request as its `RequestTable` keeps it.
struct RequestEntry: Sendable {
    var submission: Submission
    /// Order of acceptance, by which requests are visited.
    let order: UInt64
    var accepted: Instant
    var deadline: Instant
    var attempt = Attempt(1)
    var phase = Phase.queued
    /// When it entered `phase`.
    var since: Instant
    var choices: [Choice]
    /// Whether `choices` are already only those that are answered.
    var isChosen = false
    /// Tokens of choices that were run and not chosen.
    var unchosenTokenCount = 0
    /// Log-probabilities of the prompt's tokens from the second on, as far as they have come.
    var promptLogprobs: [TokenLogprobs] = []
    /// How many of them the client has.
    var promptLogprobSentCount = 0
    var client: ClientRef?
    /// When the client went; nil while there is one.
    var clientGone: Instant?
    /// Tokens that the client allows to be sent.
    var credit: Int
    var lossCount = 0
    var refusalCount = 0
    var reportedTokenCount = 0
    /// The smallest that a delivery told, of any choice and attempt: what was run for one was run for the request.
    var cachedTokenCount: Int?
    /// What the ledger has been told of.
    var settled = Usage(promptTokenCount: 0, generatedTokenCount: 0)

    /// Where the request is.
    enum Phase: Hashable, Sendable {
        case queued
        /// A group did not take it; it is enqueued again then.
        case refused(until: Instant)
        case running(GroupEpoch)
        /// Every choice has ended; tokens wait for credit, or to be scanned.
        case draining
        /// The one terminal event is decided.
        case ended(Outcome)
    }

    enum Outcome: Hashable, Sendable {
        case finished
        case failed(RequestError)
        /// Cancelled because its client went: taken up again when it is submitted again.
        case abandoned

        /// What the ledger sees.
        var error: RequestError? {
            switch self {
            case .finished: nil
            case .failed(let error): error
            case .abandoned: .cancelled
            }
        }
    }

    /// One choice: its tokens, how far they may be and were sent, and how it ended.
    struct Choice: Sendable {
        var tokens: [TokenID] = []
        var logprobs: [TokenLogprobs] = []
        /// Tokens that are no part of a stop string.
        var safeCount = 0
        /// Tokens that the client has, which may be more than are here when it resumes at this router.
        var sentCount = 0
        var finish: FinishReason?
        var isFinishSent = false
        /// Whether the answer to its last scan is still to come.
        var isScanDue = false
        /// Of its tokens together; only where each came with its own.
        var logprob: Double { logprobs.reduce(0) { $0 + Double($1.logprob) } }

        /// Whether no token can be taken back any more.
        var isScanned: Bool { finish != nil && safeCount == tokens.count }
    }

    init(_ submission: Submission, order: UInt64, client: ClientRef, credit: Int, now: Instant) {
        self.submission = submission
        self.order = order
        self.client = client
        self.credit = credit
        accepted = now
        since = now
        deadline = now.advanced(by: submission.deadline)
        choices = Array(repeating: Choice(), count: submission.parameters.runCount)
        isChosen = !submission.parameters.choosesBest
    }

    var id: RequestID { submission.id }

    var isEnded: Bool {
        if case .ended = phase { true } else { false }
    }

    /// Whether the tenant queue and perhaps a group still work on it.
    var isGenerating: Bool {
        switch phase {
        case .queued, .refused, .running: true
        case .draining, .ended: false
        }
    }

    var generatedTokenCount: Int { choices.reduce(unchosenTokenCount) { $0 + $1.tokens.count } }

    var usage: Usage {
        Usage(
            promptTokenCount: submission.promptTokens.count, generatedTokenCount: generatedTokenCount,
            cachedTokenCount: min(cachedTokenCount ?? 0, submission.promptTokens.count))
    }

    /// Tokens that remembering the request costs.
    var rememberedTokenCount: Int {
        submission.promptTokens.count + generatedTokenCount + promptLogprobCountMax * promptLogprobWidth
    }

    /// Log-probabilities that the whole prompt has.
    var promptLogprobCountMax: Int {
        submission.parameters.promptLogprobCount == nil ? 0 : max(0, submission.promptTokens.count - 1)
    }

    private var promptLogprobWidth: Int { 1 + (submission.parameters.promptLogprobCount ?? 0) }

    mutating func enter(_ phase: Phase, now: Instant) {
        self.phase = phase
        since = now
    }

    func ticket(router: RouterRef, now: Instant) -> Ticket {
        Ticket(
            request: id, attempt: attempt, tenant: submission.tenant, model: submission.model,
            adapter: submission.adapter, promptTokenCount: submission.promptTokens.count,
            tokenCountMax: submission.parameters.tokenCountMax,
            choiceCount: max(1, choices.count { $0.finish == nil }), generatedTokenCount: generatedTokenCount,
            router: router, timeLeft: deadline.duration(since: now))
    }

    func assignment(router: RouterRef, now: Instant) -> Assignment {
        Assignment(
            request: id, attempt: attempt, tenant: submission.tenant, model: submission.model,
            adapter: submission.adapter, promptTokens: submission.promptTokens, parameters: submission.parameters,
            choices: choices.enumerated().filter { $0.element.finish == nil }.map { number, choice in
                Assignment.Choice(number: number, tokens: choice.tokens)
            },
            scoredFrom: promptLogprobs.count < promptLogprobCountMax ? promptLogprobs.count + 1 : nil,
            router: router, timeLeft: deadline.duration(since: now))
    }

    /// Log-probabilities of the prompt for the client, in portions that a message holds.
    mutating func takePromptChunks(countMax: Int) -> [RequestTable.PromptChunk] {
        guard client != nil else { return [] }
        var chunks: [RequestTable.PromptChunk] = []
        while promptLogprobSentCount < promptLogprobs.count {
            let end = min(promptLogprobs.count, promptLogprobSentCount + countMax)
            chunks.append(
                RequestTable.PromptChunk(
                    request: id, firstIndex: promptLogprobSentCount + 1,
                    logprobs: Array(promptLogprobs[promptLogprobSentCount..<end])))
            promptLogprobSentCount = end
        }
        return chunks
    }

    /// Leaves, once all choices have ended, only those that are answered: the likeliest first, ties by number.
    ///
    /// - Returns: their numbers until now; nil when nothing was to be left out.
    mutating func choose() -> [Int]? {
        guard !isChosen, !isGenerating, choices.allSatisfy({ $0.isScanned && !$0.isScanDue }) else { return nil }
        let logprobs = choices.map(\.logprob)
        let order = choices.indices.sorted { left, right in
            logprobs[left] == logprobs[right] ? left < right : logprobs[left] > logprobs[right]
        }
        let numbers = Array(order.prefix(submission.parameters.choiceCount))
        let sentCounts = choices.map(\.sentCount)
        let generated = generatedTokenCount
        choices = numbers.map { choices[$0] }
        // What a client has was said of the answer's choices, not of those that were run.
        for index in choices.indices { choices[index].sentCount = sentCounts[index] }
        isChosen = true
        unchosenTokenCount = generated - choices.reduce(0) { $0 + $1.tokens.count }
        return numbers
    }

    /// Chunks for the client, as far as they are safe and its credit reaches. Reasons need no credit.
    mutating func takeChunks(tokenCountMax: Int) -> [RequestTable.Chunk] {
        guard client != nil, isChosen else { return [] }
        var chunks: [RequestTable.Chunk] = []
        for number in choices.indices {
            while let chunk = takeChunk(of: number, tokenCountMax: tokenCountMax) { chunks.append(chunk) }
        }
        return chunks
    }

    private mutating func takeChunk(of number: Int, tokenCountMax: Int) -> RequestTable.Chunk? {
        let choice = choices[number]
        let count = min(max(0, choice.safeCount - choice.sentCount), credit, tokenCountMax)
        let end = choice.sentCount + count
        let isLast = choice.isScanned && end >= choice.tokens.count && !choice.isFinishSent
        guard count > 0 || isLast else { return nil }
        let first = min(choice.sentCount, choice.tokens.count)
        credit -= count
        choices[number].sentCount = end
        if isLast { choices[number].isFinishSent = true }
        return RequestTable.Chunk(
            request: id, choice: number, firstIndex: first, tokens: Array(choice.tokens[first..<first + count]),
            logprobs: submission.parameters.logprobCount == nil || choice.logprobs.isEmpty
                ? [] : Array(choice.logprobs[first..<first + count]),
            finish: isLast ? choice.finish : nil)
    }

    var isAllSent: Bool { choices.allSatisfy(\.isFinishSent) }
}
