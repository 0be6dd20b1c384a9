import Foundation
import HeddleClient
import HeddleCore
import HeddleTransport
import HeddleWire
import Testing

/// How a request ended for its client.
struct Answer: Hashable, Sendable {
    var choices: [CollectedAnswer.Choice]
    /// Nil where it finished.
    var failure: String?
    var messageCounts: [Int]
    var usage: Usage?
    var promptLogprobs: [TokenLogprobs] = []

    /// What law 1 is about: tokens, text, reasons and probabilities, not how they came.
    var outcome: [CollectedAnswer.Choice] { choices }
}

extension AnswerStream {
    /// Reads the answer to its end and checks what every stream promises.
    func answer(choiceCount: Int = 1, sourceLocation: SourceLocation = #_sourceLocation) async -> Answer {
        var collected = CollectedAnswer(id: id, choiceCount: choiceCount)
        var counts = Array(repeating: 0, count: choiceCount)
        var failure: String?
        do throws(RequestFailure) {
            for try await event in self {
                if case .tokens(let tokens) = event {
                    #expect(
                        tokens.firstIndex == collected.choices[tokens.choice].tokens.count,
                        "indices are consecutive", sourceLocation: sourceLocation)
                    #expect(collected.choices[tokens.choice].finish == nil, sourceLocation: sourceLocation)
                    counts[tokens.choice] += 1
                }
                collected.add(event)
            }
        } catch {
            failure = error.code
        }
        if failure == nil {
            #expect(collected.finished != nil, sourceLocation: sourceLocation)
            #expect(collected.choices.allSatisfy { $0.finish != nil }, sourceLocation: sourceLocation)
        }
        return Answer(
            choices: collected.choices, failure: failure, messageCounts: counts, usage: collected.finished?.usage,
            promptLogprobs: collected.promptLogprobs)
    }
}

extension MeshClient {
    /// Submits and reads the answer to its end; a refusal is its code.
    func answer(to submission: ClientSubmission, sourceLocation: SourceLocation = #_sourceLocation) async -> Answer {
        let choiceCount = submission.sampling.choiceCount
        do throws(RequestFailure) {
            return await (try submit(submission)).answer(choiceCount: choiceCount, sourceLocation: sourceLocation)
        } catch {
            return Answer(choices: [], failure: error.code, messageCounts: [])
        }
    }

    /// Submits all at once and reads all answers, in the submissions' order.
    ///
    /// - Parameter ended: called as each request ends, with its index.
    func answers(
        to submissions: [ClientSubmission], ended: @escaping @Sendable (Int) -> Void = { _ in }
    ) async -> [Answer] {
        await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, submission) in submissions.enumerated() {
                group.addTask {
                    let answer = await self.answer(to: submission)
                    ended(index)
                    return (index, answer)
                }
            }
            var answers: [Int: Answer] = [:]
            for await (index, answer) in group { answers[index] = answer }
            return submissions.indices.compactMap { answers[$0] }
        }
    }

    /// Submits and hands back the failure; nil where the request finished.
    func failure(of submission: ClientSubmission) async -> RequestFailure? {
        do throws(RequestFailure) {
            for try await _ in try submit(submission) {}
            return nil
        } catch {
            return error
        }
    }
}

extension ClientSubmission {
    static func fresh() -> RequestID {
        var generator = SystemRandomNumberGenerator()
        return RequestID(using: &generator)
    }

    /// The same request under another id.
    var again: ClientSubmission {
        var submission = self
        submission.id = Self.fresh()
        return submission
    }

    static func request(
        _ prompt: String = "List the customers in Paris.", model: String = "sql", tenant: String = "acme",
        sampling: RequestedSampling = RequestedSampling(tokenCountMax: 16), deadline: Duration? = .seconds(60)
    ) -> ClientSubmission {
        ClientSubmission(
            id: fresh(), key: Topology.keys[tenant], model: model, prompt: .text(prompt), sampling: sampling,
            deadline: deadline)
    }

    /// A request that goes on for long whatever the model was taught: hardly ever do all of several almost evenly drawn
    /// choices come upon an end token soon.
    static func long(
        model: String = "sql", tenant: String = "acme", tokenCountMax: Int = 900, deadline: Duration? = .seconds(60),
        seed: UInt64 = 1, choiceCount: Int = 8
    ) -> ClientSubmission {
        request(
            model: model, tenant: tenant,
            sampling: RequestedSampling(
                temperature: 100, seed: seed, choiceCount: choiceCount, tokenCountMax: tokenCountMax),
            deadline: deadline)
    }
}

extension RunningMesh {
    /// A request of one choice that has at least this many tokens, and its answer.
    func requestOfLength(_ tokenCount: Int, model: String = "sql") async throws -> (ClientSubmission, Answer) {
        let client = try client()
        defer { client.close() }
        for seed in 1...20 {
            let submission = ClientSubmission.long(
                model: model, tokenCountMax: tokenCount, seed: UInt64(seed), choiceCount: 1)
            let answer = await client.answer(to: submission)
            if answer.failure == nil, answer.choices[0].finish == .length { return (submission, answer) }
        }
        throw StartedProcess.Failed("no seed of 20 draws \(tokenCount) tokens")
    }
}

/// A client that says exactly what a test wants, frame by frame; used on a thread of its own.
struct RawClient: ~Copyable {
    private let socket: BlockingSocket

    init(_ endpoint: String) throws {
        let dealer = try BlockingSocket(.dealer)
        try dealer.connect(endpoint)
        socket = dealer
    }

    /// Connects to the endpoint, runs the body on a thread of its own, and closes the socket.
    static func with<Result: Sendable>(
        _ endpoint: String, _ body: @escaping @Sendable (borrowing RawClient) throws -> Result
    ) async throws -> Result {
        try await onThread {
            let client = try RawClient(endpoint)
            return try body(client)
        }
    }

    borrowing func say(_ message: ClientMessage) throws { try say(message.frames()) }
    borrowing func say(_ frames: [[UInt8]]) throws { try socket.send(frames, timeout: .seconds(5)) }

    /// What came, as it is; nil when nothing did.
    borrowing func hearFrames(within limit: Duration = .seconds(20)) throws -> [[UInt8]]? {
        try socket.receive(timeout: limit)
    }

    /// The next answer that is no Pong; nil when none came. Says that it lives meanwhile.
    borrowing func hear(within limit: Duration = .seconds(20)) throws -> ClientReply? {
        let end = ContinuousClock.now + limit
        while true {
            let left = end - ContinuousClock.now
            guard left > .zero else { return nil }
            guard let frames = try socket.receive(timeout: min(left, .seconds(1))) else {
                try say(.ping(number: 1))
                continue
            }
            let reply = try ClientReply(frames: frames)
            if case .pong = reply { continue }
            return reply
        }
    }

    /// All answers until nothing comes for this long.
    borrowing func hearAll(quietFor limit: Duration) throws -> [ClientReply] {
        var replies: [ClientReply] = []
        while let reply = try hear(within: limit) { replies.append(reply) }
        return replies
    }

    /// Answers up to and with the first terminal one; fails when it does not come.
    borrowing func hearToTheEnd(within limit: Duration = .seconds(60)) throws -> [ClientReply] {
        let end = ContinuousClock.now + limit
        var replies: [ClientReply] = []
        while let reply = try hear(within: end - ContinuousClock.now) {
            replies.append(reply)
            switch reply {
            case .finished, .failed, .busy: return replies
            case .accepted, .promptLogprobs, .tokens, .pong: continue
            }
        }
        throw Waited("the end of a request after \(replies.count) answers", limit)
    }
}

extension [ClientReply] {
    /// The tokens of a choice, which must come in order.
    func tokens(choice: Int = 0) -> [TokenID] {
        flatMap { reply -> [TokenID] in
            if case .tokens(let part) = reply, part.choice == choice { part.tokens } else { [] }
        }
    }

    func text(choice: Int = 0) -> String {
        map { reply in
            if case .tokens(let part) = reply, part.choice == choice { part.text } else { "" }
        }.joined()
    }

    var failures: [RequestFailure] {
        compactMap { reply in if case .failed(let failure) = reply { failure } else { nil } }
    }
}
