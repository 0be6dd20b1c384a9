import ArgumentParser
import Foundation
import HeddleClient
import HeddleCore
import HeddleTransport

/// Submits one prompt to a running mesh and streams the answer.
struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Submit a prompt to a running mesh and stream the answer.",
        discussion: """
            The prompt is the argument, or standard input where the argument is - or absent. Ctrl-C cancels the request.

            Examples:
              heddle submit --model sql --key "$(cat Cluster/keys/acme.key)" "List all customers from Berlin."
              echo "List all customers." | heddle submit --model sql --json
              heddle submit --model base --temperature 0.8 --seed 7 --n 3 "Once upon a time"

            Exit codes: 0 answered, 1 no such model, adapter or tenant, 2 failed, 64 wrong usage.
            """)

    @OptionGroup var mesh: MeshOptions

    @OptionGroup var asking: AskingOptions

    @OptionGroup var sampling: SamplingOptions

    @Option(help: ArgumentHelp("The prompt as token ids.", valueName: "1,2,3"))
    var promptIds: String?

    @Flag(help: "Print one JSON object when the answer is over.")
    var json = false

    @Argument(help: "The prompt; - for standard input.")
    var prompt: String?

    func validate() throws {
        if promptIds != nil, prompt != nil { throw ValidationError("give a prompt or --prompt-ids, not both") }
    }

    func run() async throws {
        var generator = SystemRandomNumberGenerator()
        let id = RequestID(using: &generator)
        do {
            let submission = try submission(id)
            // What can be seen without the mesh is said before it is looked for.
            if let error = submission.firstError(limits: ClientLimits()) { throw RequestFailure(id: id, error) }
            try await submit(submission, to: try endpoints())
        } catch let failure as RequestFailure {
            report(failure)
            throw Self.exitCode(failure)
        }
    }

    private func submission(_ id: RequestID) throws(RequestFailure) -> ClientSubmission {
        do throws(RequestError) {
            return ClientSubmission(
                id: id, key: asking.key, tenant: asking.tenant, model: asking.model,
                prompt: try PromptSource(argument: prompt, tokenIDs: promptIds).prompt(),
                sampling: sampling.requested(defaultSeed: id.low),
                deadline: .milliseconds(max(1, Int64(asking.deadline * 1000))), echoesPrompt: json)
        } catch {
            throw RequestFailure(id: id, error)
        }
    }

    private func submit(_ submission: ClientSubmission, to endpoints: [String]) async throws(RequestFailure) {
        let client: MeshClient
        do throws(TransportError) {
            client = try MeshClient(endpoints: endpoints, limits: Self.limits)
        } catch {
            throw RequestFailure(id: submission.id, code: "unreachable", message: error.description)
        }
        defer { client.close() }
        let stream = try client.submit(submission)
        let interrupt = Interrupt { stream.cancel() }
        defer { interrupt.end() }
        var answer = CollectedAnswer(id: submission.id, choiceCount: submission.sampling.choiceCount)
        for try await event in stream {
            answer.add(event)
            if !json, submission.sampling.choiceCount == 1, case .tokens(let tokens) = event { write(tokens.text) }
        }
        finish(answer)
    }

    private func finish(_ answer: CollectedAnswer) {
        if json {
            write(answer.json.line + "\n")
        } else if answer.choices.count == 1 {
            if answer.choices[0].text.last?.isNewline != true { write("\n") }
        } else {
            for (index, choice) in answer.choices.enumerated() { write("[\(index)] \(choice.text)\n") }
        }
    }

    /// A person waits: a mesh that is not up is said so before long.
    private static var limits: MeshClientLimits {
        var limits = MeshClientLimits()
        limits.unreachableAfter = .seconds(8)
        return limits
    }

    private func endpoints() throws -> [String] {
        asking.endpoint.isEmpty ? try mesh.load().clientEndpoints : asking.endpoint
    }

    private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    private func report(_ failure: RequestFailure) {
        if json {
            Terminal.complain(failure.json.line)
        } else {
            var text = failure.description
            if let after = failure.retryAfter { text += " (try again in \(Quantities.duration(after)))" }
            Terminal.complain("heddle: \(text)")
        }
    }

    static func exitCode(_ failure: RequestFailure) -> ExitCode {
        switch failure.code {
        case "unknown_model", "unknown_adapter", "unknown_tenant": .notFound
        case "invalid_parameter", "invalid_schema", "empty_prompt": .validationFailure
        default: .degraded
        }
    }
}
