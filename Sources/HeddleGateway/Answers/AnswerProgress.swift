import HeddleCore
import HeddleWire

/// Follows a call's requests, one for each prompt, from what the router says: what is new for the client, and whether all have
/// ended.
struct AnswerProgress: Sendable {
    private let requests: [RequestID]
    private let choiceCount: Int
    private let promptField: String
    private var acceptances: [AcceptedRequest?]
    private var isEnded: [Bool]
    private(set) var prompts: [AnsweredPrompt]
    private(set) var usage = AnswerUsage()
    /// How far the router's messages have come.
    private(set) var position: StreamPosition

    init(requests: [RequestID], choiceCount: Int, promptField: String, position: StreamPosition) {
        self.requests = requests
        self.choiceCount = choiceCount
        self.promptField = promptField
        self.position = position
        acceptances = Array(repeating: nil, count: requests.count)
        isEnded = Array(repeating: false, count: requests.count)
        prompts = Array(repeating: AnsweredPrompt(), count: requests.count)
    }

    /// Whether no prompt can be refused any more.
    var isAccepted: Bool { acceptances.allSatisfy { $0 != nil } }
    var isFinished: Bool { isEnded.allSatisfy(\.self) }
    /// The files that answer; the same for all prompts but in the moment in which they are exchanged.
    var fingerprint: String { acceptances.first.flatMap(\.self)?.fingerprint ?? "" }

    /// Takes in one message.
    ///
    /// - Returns: new tokens, with the request that they belong to.
    /// - Throws: the failure of any prompt, which is the call's.
    mutating func add(_ reply: ClientReply) throws(HTTPFailure) -> (request: RequestID, part: AnswerPart)? {
        switch reply {
        case .accepted(let accepted):
            guard let index = requests.firstIndex(of: accepted.id) else { return nil }
            acceptances[index] = accepted
            prompts[index].tokens = accepted.promptTokens
        case .promptLogprobs(let delivered):
            guard let index = requests.firstIndex(of: delivered.id),
                delivered.firstIndex == prompts[index].logprobs.count + 1
            else { return nil }
            prompts[index].logprobs += delivered.logprobs
        case .tokens(let delivered): return new(delivered)
        case .finished(let finished):
            guard let index = requests.firstIndex(of: finished.id), !isEnded[index] else { return nil }
            isEnded[index] = true
            usage.add(finished)
        case .failed(let failure): throw HTTPFailure(failure, promptField: promptField)
        case .busy(_, let after): throw HTTPFailure(.busy(retryAfter: after), promptField: promptField)
        case .pong: break
        }
        return nil
    }

    private mutating func new(_ delivered: DeliveredTokens) -> (request: RequestID, part: AnswerPart)? {
        guard let index = requests.firstIndex(of: delivered.id), (0..<choiceCount).contains(delivered.choice) else {
            return nil
        }
        let choice = index * choiceCount + delivered.choice
        // The end of a choice may come again to a client that takes a stream up.
        guard !position.choices[choice].isEnded, delivered.firstIndex == position.choices[choice].nextIndex else {
            return nil
        }
        position.choices[choice].nextIndex += delivered.tokens.count
        position.choices[choice].isEnded = delivered.finish != nil
        var part = AnswerPart(choice: choice)
        part.add(delivered)
        return (delivered.id, part)
    }

    mutating func setPromptText(_ text: String, of index: Int) { prompts[index].text = text }
}
