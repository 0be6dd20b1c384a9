import HeddleClient
import HeddleCore

/// Prints the answer of an adapter as it comes, and leaves it after so many tokens.
func printAnswer(from endpoints: [String], key: String, prompt: String, tokenCountMax: Int) async throws {
    let client = try MeshClient(endpoints: endpoints)
    defer { client.close() }
    var generator = SystemRandomNumberGenerator()
    let submission = ClientSubmission(
        id: RequestID(using: &generator), key: key, model: "sql", prompt: .text(prompt),
        sampling: RequestedSampling(tokenCountMax: 64), deadline: .seconds(60))
    let answer = try client.submit(submission)
    var tokenCount = 0
    for try await event in answer {
        switch event {
        case .accepted(let accepted): print("\(accepted.promptTokenCount) prompt tokens go to \(accepted.model)")
        case .promptLogprobs: break
        case .tokens(let delivered):
            print(delivered.text, terminator: "")
            tokenCount += delivered.tokens.count
            // The stream then throws `cancelled`. A reader that just leaves the loop cancels too.
            if tokenCount >= tokenCountMax { answer.cancel() }
        case .finished(let finished): print("\n\(finished.usage.generatedTokenCount) tokens")
        }
    }
}
