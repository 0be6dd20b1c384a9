import HeddleFiles
import HeddleTemplates

/// The conversation of a call of `/v1/chat/completions`, in the form that chat templates read.
package struct ChatFields: Sendable {
    package var prompt: ChatPrompt
    /// Whether the tokenizer's own begin token is set before the template's text.
    package var addsSpecialTokens: Bool

    init(_ reader: inout FieldReader, limits: GatewayLimits) throws(HTTPFailure) {
        guard let list = try reader.list("messages") else {
            throw .invalid("messages", "messages is missing; it must be a list of messages")
        }
        guard (1...limits.messageCountMax).contains(list.count) else {
            throw .invalid("messages", "there are \(list.count) messages; there must be 1 to \(limits.messageCountMax)")
        }
        var messages: [JSONObject] = []
        for (index, message) in list.enumerated() {
            messages.append(try ChatMessage.read(message, at: "messages[\(index)]"))
        }
        let tools = try Self.tools(&reader, limits: limits)
        let documents = try reader.list("documents")
        let addsGenerationPrompt = try reader.flag("add_generation_prompt") ?? true
        let variables = try reader.object("chat_template_kwargs") ?? JSONObject([])
        addsSpecialTokens = try reader.flag("add_special_tokens") ?? false
        prompt = ChatPrompt(
            messages: messages, tools: tools, documents: documents, addsGenerationPrompt: addsGenerationPrompt,
            variables: variables)
    }

    /// What the template is told of functions: all of them, or none where the client wants none called.
    private static func tools(_ reader: inout FieldReader, limits: GatewayLimits) throws(HTTPFailure) -> [JSONValue]? {
        let list = try reader.list("tools")
        let choice = reader.value("tool_choice")
        if let list, list.count > limits.toolCountMax {
            throw .invalid("tools", "there are \(list.count) tools; at most \(limits.toolCountMax)")
        }
        for (index, tool) in (list ?? []).enumerated() {
            let path = "tools[\(index)]"
            guard tool.object?["type"]?.text == "function" else {
                throw .unsupported("\(path).type", "\(path).type must be “function”: there are no other tools")
            }
            guard let function = tool.object?["function"]?.object, function["name"]?.text?.isEmpty == false else {
                throw .invalid("\(path).function", "\(path).function must be an object with a name")
            }
        }
        guard let choice else { return list }
        guard list != nil else { throw .invalid("tool_choice", "tool_choice is of no use without tools") }
        switch choice.text {
        case "auto": return list
        case "none": return nil
        default:
            throw .unsupported(
                "tool_choice", "tool_choice may be “auto” or “none”: a model is not forced to call a function")
        }
    }
}

/// One message of a conversation, checked, in the form that chat templates read: content is one text.
enum ChatMessage {
    static func read(_ value: JSONValue, at path: String) throws(HTTPFailure) -> JSONObject {
        var reader = try FieldReader(value, at: path)
        guard let role = try reader.text("role") else {
            throw .invalid("\(path).role", "\(path).role is missing")
        }
        var members: [(key: String, value: JSONValue)] = []
        func add(_ name: String, _ text: String?) {
            if let text { members.append((name, .string(JSONString(text)))) }
        }
        switch role {
        case "system", "user", "assistant", "tool": add("role", role)
        // OpenAI's newer word; templates know the older one.
        case "developer": add("role", "system")
        default:
            throw .invalid(
                "\(path).role",
                "\(path).role is “\(role.prefix(64))”; it must be system, developer, user, assistant or tool")
        }
        let content = try content(&reader, at: path)
        add("content", content)
        add("name", try reader.text("name"))
        if role == "assistant" {
            for name in ["reasoning_content", "reasoning"] { add(name, try reader.text(name)) }
            if let calls = try toolCalls(&reader, at: path) { members.append(("tool_calls", calls)) }
            for name in ["refusal", "audio", "function_call"] {
                let field = UnsupportedField(name, "an assistant's message has content and tool_calls")
                try field.check(&reader)
            }
        }
        if role == "tool" { add("tool_call_id", try reader.text("tool_call_id")) }
        try reader.finish()
        let hasCalls = members.contains { $0.key == "tool_calls" }
        guard content != nil || hasCalls else { throw .invalid("\(path).content", "\(path).content is missing") }
        return JSONObject(members)
    }

    /// A text, or parts that are texts.
    private static func content(_ reader: inout FieldReader, at path: String) throws(HTTPFailure) -> String? {
        guard let value = reader.value("content") else { return nil }
        if let text = value.text { return text }
        guard let parts = value.array else {
            throw .invalid("\(path).content", "\(path).content is \(value); it must be a text or a list of parts")
        }
        var texts: [String] = []
        for (index, part) in parts.enumerated() {
            let path = "\(path).content[\(index)]"
            if let text = part.text {
                texts.append(text)
                continue
            }
            var reader = try FieldReader(part, at: path)
            let type = try reader.text("type")
            guard type == "text" else {
                throw .unsupported(
                    "\(path).type", "\(path).type is “\(type?.prefix(64) ?? "")”; models here read text alone")
            }
            guard let text = try reader.text("text") else {
                throw .invalid("\(path).text", "\(path).text is missing")
            }
            try reader.finish()
            texts.append(text)
        }
        return texts.joined(separator: "\n")
    }

    /// Arguments come as the text of a JSON object, and templates want the object.
    private static func toolCalls(_ reader: inout FieldReader, at path: String) throws(HTTPFailure) -> JSONValue? {
        guard let list = try reader.list("tool_calls") else { return nil }
        var calls: [JSONValue] = []
        for (index, call) in list.enumerated() {
            let path = "\(path).tool_calls[\(index)]"
            guard let object = call.object, let function = object["function"]?.object else {
                throw .invalid("\(path).function", "\(path).function is missing")
            }
            guard object["type"] == nil || object["type"]?.text == "function" else {
                throw .unsupported("\(path).type", "\(path).type must be “function”")
            }
            var members: [(key: String, value: JSONValue)] = []
            for member in function.members {
                var value = member.value
                if member.key.equals("arguments"), case .string(let text) = value {
                    guard let arguments = try? JSONParser.parse(text.bytes) else {
                        throw .invalid("\(path).function.arguments", "\(path).function.arguments is no JSON")
                    }
                    value = arguments
                }
                members.append((member.key.description, value))
            }
            var parts = object.members.map { (key: $0.key.description, value: $0.value) }
            for place in parts.indices where parts[place].key == "function" {
                parts[place].value = .object(JSONObject(members))
            }
            calls.append(.object(JSONObject(parts)))
        }
        return .array(calls)
    }
}
