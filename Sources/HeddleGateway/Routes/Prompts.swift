import Foundation
import HeddleCore
import HeddleRoles
import HeddleTemplates

/// Writes the prompts of a call as the router takes them: text as it is, a conversation as its template's tokens.
struct Prompts: Sendable {
    /// One prompt and what may follow it.
    struct Written: Sendable {
        var prompt: ClientSubmission.Prompt
        /// What is echoed.
        var text: String
        var tokenCountMax: Int
    }

    let generation: GenerationRequest
    /// What templates take for now, so that a stream that is taken up has the same prompt.
    let created: Int
    let core: GatewayCore

    init(_ generation: GenerationRequest, created: Int, core: GatewayCore) {
        self.generation = generation
        self.created = created
        self.core = core
    }

    func written(for tenant: TenantName, by model: RouterFront.Model) async throws -> [Written] {
        switch generation.prompts {
        case .plain(let prompts):
            return prompts.map { prompt in
                let text: String =
                    switch prompt {
                    case .text(let text): text
                    case .tokens(let tokens): generation.echoes ? model.tokenizer.decode(tokens) : ""
                    }
                return Written(prompt: prompt, text: text, tokenCountMax: generation.tokenCountMax ?? 1)
            }
        case .chat(let fields):
            let (text, tokens) = try await rendered(fields, for: tenant, by: model)
            // The whole of the model's context, where the client sets no end.
            let room = max(1, model.sequenceTokenCountMax - tokens.count)
            return [Written(prompt: .tokens(tokens), text: text, tokenCountMax: generation.tokenCountMax ?? room)]
        }
    }

    /// A template may take as long as its limits allow, so it is rendered where prompts are tokenised, tenants in turn.
    private func rendered(
        _ fields: ChatFields, for tenant: TenantName, by model: RouterFront.Model
    ) async throws -> (text: String, tokens: [TokenID]) {
        let template = try core.template(of: model.name)
        let time = Self.calendarTime(created)
        let byteCountMax = core.front.limits.request.promptByteCountMax
        let rendered = Rendered()
        let tokens = try await core.front.tokens(for: tenant) {
            let text: String
            do throws(ChatTemplateError) { text = try template.render(fields.prompt, time: time) } catch {
                throw HTTPFailure(
                    status: 400, message: "the conversation does not fit the model's chat template: \(error)",
                    parameter: "messages", code: "invalid_conversation")
            }
            guard text.utf8.count <= byteCountMax else {
                throw HTTPFailure(
                    .promptTextTooLong(byteCount: text.utf8.count, byteCountMax: byteCountMax), promptField: "messages")
            }
            rendered.set(text)
            return model.tokenizer.encode(text, addSpecialTokens: fields.addsSpecialTokens)
        }
        return (rendered.text, tokens)
    }

    private static func calendarTime(_ seconds: Int) -> CalendarTime? {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: Double(seconds)))
        guard let year = parts.year, let month = parts.month, let day = parts.day else { return nil }
        return CalendarTime(
            year: year, month: month, day: day, hour: parts.hour ?? 0, minute: parts.minute ?? 0,
            second: parts.second ?? 0)
    }
}
