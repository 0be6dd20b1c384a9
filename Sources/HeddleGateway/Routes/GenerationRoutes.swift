import Foundation
import HTTPTypes
import HeddleCore
import HeddleRoles
import Hummingbird

/// `/v1/completions` and `/v1/chat/completions`: reads what is asked, has the router answer it, and writes the answer.
struct GenerationRoutes: Sendable {
    let core: GatewayCore

    func add(to router: GatewayRouter) {
        router.post("/v1/completions") { request, context in
            try await answer(.completions, request, context)
        }
        router.post("/v1/chat/completions") { request, context in
            try await answer(.chat, request, context)
        }
    }

    private func answer(
        _ endpoint: GenerationRequest.Endpoint, _ request: Request, _ context: GatewayContext
    ) async throws -> Response {
        let (tenant, key) = try core.authenticate(request.headers)
        let body = try await core.body(of: request)
        let generation = try GenerationRequest(endpoint, body: body, limits: core.limits)
        guard let model = core.front.model(behind: generation.model) else {
            throw HTTPFailure(.unknownModel(generation.model))
        }
        let position = try takenUp(request.headers, generation)
        let created = position?.created ?? Int(Date().timeIntervalSince1970)
        let id = try position?.request ?? core.idempotentID(request.headers, tenant: tenant.name) ?? Self.freshID()

        let call = try Call(core, on: context.connection)
        let prompts = try await Prompts(generation, created: created, core: core).written(for: tenant.name, by: model)
        let choiceCount = max(1, generation.choiceCount)
        let submissions = prompts.enumerated().map { index, prompt in
            generation.submission(
                id: HeddleCore.RequestID(high: id.high, low: id.low &+ UInt64(index)), key: key, prompt: prompt.prompt,
                tokenCountMax: prompt.tokenCountMax,
                resumeFrom: position?.choices[(index * choiceCount)..<((index + 1) * choiceCount)].map(\.nextIndex),
                limits: core.limits)
        }
        if let position, position.choices.count != submissions.count * choiceCount { throw Self.otherCall }
        log(generation, id, tenant.name)

        let head = AnswerHead(endpoint: endpoint, request: id, created: created, model: generation.model)
        let start = StreamPosition(
            request: id, created: created,
            choices: Array(repeating: StreamPosition.Choice(), count: submissions.count * choiceCount))
        var progress = AnswerProgress(
            requests: submissions.map(\.id), choiceCount: choiceCount, promptField: endpoint.promptField,
            position: position ?? start)
        for (index, prompt) in prompts.enumerated() where generation.echoes {
            progress.setPromptText(prompt.text, of: index)
        }
        let writer = AnswerWriter(
            request: generation, head: head,
            spelling: TokenSpelling(tokenizer: model.tokenizer, isByID: generation.namesTokensByID))
        let answering = Answering(call: call, submissions: submissions, writer: writer, progress: progress)
        do throws(RequestError) { try answering.submit() } catch {
            throw HTTPFailure(error, promptField: endpoint.promptField)
        }
        var response =
            generation.isStreamed
            ? try await answering.streamed(isTakenUp: position != nil) : try await answering.whole()
        response.headers[.requestID] = id.description
        return response
    }

    private static func freshID() -> HeddleCore.RequestID {
        var generator = SystemRandomNumberGenerator()
        return HeddleCore.RequestID(using: &generator)
    }

    private static let otherCall = HTTPFailure(
        status: 400, message: "Last-Event-ID belongs to a call with other choices", parameter: "Last-Event-ID",
        code: "invalid_parameter")

    /// Where the client's stream broke off; nil for a new call.
    private func takenUp(_ headers: HTTPFields, _ generation: GenerationRequest) throws(HTTPFailure) -> StreamPosition?
    {
        guard let text = headers[.lastEventID], !text.isEmpty else { return nil }
        guard generation.isStreamed else {
            throw .invalid("Last-Event-ID", "Last-Event-ID is of no use without stream")
        }
        guard text.utf8.count <= core.limits.identifierByteCountMax,
            let position = StreamPosition(text, choiceCountMax: core.limits.choiceCountMax)
        else { throw .invalid("Last-Event-ID", "Last-Event-ID is not the id of an event of a stream") }
        guard position.choices.count.isMultiple(of: max(1, generation.choiceCount)) else { throw Self.otherCall }
        return position
    }

    private func log(_ generation: GenerationRequest, _ id: HeddleCore.RequestID, _ tenant: TenantName) {
        guard !generation.labels.isEmpty else { return }
        let labels = generation.labels.map { "\($0.name) \($0.text)" }.joined(separator: ", ")
        core.logger.info("request \(id) of tenant \(tenant): \(labels)")
    }
}
