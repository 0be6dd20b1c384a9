import HeddleFiles

/// One conversation to be rendered: what `apply_chat_template` takes.
public struct ChatPrompt: Hashable, Sendable {
    /// Each with a `role` and mostly a `content`; further keys are the template's business.
    public var messages: [JSONObject]
    /// Functions that the model may call, as JSON schemas; nil and an empty list are different things to templates.
    public var tools: [JSONValue]?
    /// Texts to answer from, for templates that take them.
    public var documents: [JSONValue]?
    /// Whether the text ends with the head of the assistant's next message, so that the model answers.
    public var addsGenerationPrompt: Bool
    /// Further variables, such as `enable_thinking`; they replace special tokens of the same name.
    public var variables: JSONObject

    /// Describes a conversation.
    public init(
        messages: [JSONObject], tools: [JSONValue]? = nil, documents: [JSONValue]? = nil,
        addsGenerationPrompt: Bool = true, variables: JSONObject = JSONObject([])
    ) {
        self.messages = messages
        self.tools = tools
        self.documents = documents
        self.addsGenerationPrompt = addsGenerationPrompt
        self.variables = variables
    }

    /// A message of plain text.
    public static func message(role: String, content: String) -> JSONObject {
        JSONObject([("role", .string(JSONString(role))), ("content", .string(JSONString(content)))])
    }
}

extension ChatPrompt {
    /// What the template sees, in the order and the form that `transformers` gives it.
    func variables(
        specialTokens: [ChatTemplateFiles.SpecialToken]
    ) throws(ChatTemplateError) -> [(name: String, value: JSONValue)] {
        guard !messages.isEmpty else { throw .emptyConversation }
        var result: [(name: String, value: JSONValue)] = specialTokens.map { ($0.name, .string(JSONString($0.text))) }
        let own: [(name: String, value: JSONValue)] = [
            ("messages", .array(messages.map { .object(Self.normalized($0)) })),
            ("tools", tools.map { .array($0) } ?? .null), ("documents", documents.map { .array($0) } ?? .null),
            ("add_generation_prompt", .bool(addsGenerationPrompt)),
        ]
        for member in variables.members {
            let name = member.key.description
            guard !own.contains(where: { $0.name == name }) else { throw .reservedVariable(name: name) }
            result.append((name, member.value))
        }
        return result + own
    }

    /// Without keys that are null, and with what the assistant thought under every name that templates read.
    private static func normalized(_ message: JSONObject) -> JSONObject {
        let message = message.filter { $0.value != .null }
        let names = ["reasoning_content", "thinking", "reasoning"]
        guard let reasoning = names.lazy.compactMap({ message[$0] }).first else { return message }
        let pairs = message.members.map { (key: $0.key.description, value: $0.value) }
        return JSONObject([("thinking", reasoning)] + pairs + [("reasoning_content", reasoning)])
    }
}
