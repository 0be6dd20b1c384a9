import HeddleFiles

/// Owns the chat templates of one model, read and checked: turns a conversation into the text of a prompt.
///
/// The text holds every special token that the model wants, the one at its beginning included. Tokenise it **without**
/// adding special tokens, and with those in it read as what they are: a second beginning-of-text token would change the
/// answer. Text of users that spells a special token is read as that token too, as `transformers` does by default.
public struct ChatTemplate: Sendable {
    private let plain: Choice
    private let withTools: Choice
    /// The variables that stand for special tokens.
    public let specialTokens: [ChatTemplateFiles.SpecialToken]

    /// A template, or why there is none: a folder whose only template wants tools is of use to those who have some.
    private enum Choice: Sendable {
        case template(name: String, Template)
        case none(ChatTemplateError)
    }

    /// Reads a model folder's templates.
    /// - Throws: `ChatTemplateError` where there is none, or one cannot be read.
    public init(folder: String, limits: TemplateLimits = TemplateLimits()) throws(ChatTemplateError) {
        let files = try ChatTemplateFiles(folder: folder, limits: limits)
        guard !files.templates.isEmpty else { throw .noTemplate(folder: folder) }
        specialTokens = files.specialTokens
        plain = try Self.choice(files, hasTools: false, folder, limits)
        withTools = try Self.choice(files, hasTools: true, folder, limits)
    }

    /// Reads one template.
    /// - Throws: `ChatTemplateError.template`.
    public init(
        source: String, specialTokens: [ChatTemplateFiles.SpecialToken], limits: TemplateLimits = TemplateLimits()
    ) throws(ChatTemplateError) {
        do throws(TemplateError) {
            plain = .template(name: "default", try Template(source, limits: limits))
        } catch { throw .template(name: "default", error) }
        withTools = plain
        self.specialTokens = specialTokens
    }

    private static func choice(
        _ files: ChatTemplateFiles, hasTools: Bool, _ folder: String, _ limits: TemplateLimits
    ) throws(ChatTemplateError) -> Choice {
        let found: ChatTemplateFiles.Named?
        do throws(ChatTemplateError) {
            found = try files.template(hasTools: hasTools)
        } catch { return .none(error) }
        guard let found else { return .none(.noTemplate(folder: folder)) }
        do throws(TemplateError) {
            return .template(name: found.name, try Template(found.source, limits: limits))
        } catch { throw .template(name: found.name, error) }
    }

    /// The prompt's text.
    ///
    /// - Parameters:
    ///   - prompt: the conversation.
    ///   - time: what `strftime_now` reads; a template that asks for it without one is refused.
    /// - Throws: `ChatTemplateError.template` with the kind `raised` where the template refuses the conversation.
    public func render(_ prompt: ChatPrompt, time: CalendarTime? = nil) throws(ChatTemplateError) -> String {
        let variables = try prompt.variables(specialTokens: specialTokens)
        switch prompt.tools == nil ? plain : withTools {
        case .none(let error): throw error
        case .template(let name, let template):
            do throws(TemplateError) {
                return try template.render(variables, time: time)
            } catch { throw .template(name: name, error) }
        }
    }
}
