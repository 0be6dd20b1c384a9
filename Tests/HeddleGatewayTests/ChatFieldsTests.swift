import HeddleFiles
import HeddleGateway
import HeddleTemplates
import Testing

/// What of a conversation templates get to see, and what is refused.
@Suite struct ChatFieldsTests {
    private func fields(_ messages: String, _ more: String = "") throws(HTTPFailure) -> ChatFields {
        let request = try GenerationRequest(
            .chat, body: Array(#"{"model": "m", "messages": \#(messages)\#(more)}"#.utf8), limits: GatewayLimits())
        guard case .chat(let fields) = request.prompts else { throw HTTPFailure(status: 0, message: "", code: "") }
        return fields
    }

    private func failure(_ messages: String, _ more: String = "") -> HTTPFailure? {
        do throws(HTTPFailure) {
            _ = try fields(messages, more)
            return nil
        } catch { return error }
    }

    private func rendered(_ template: String, _ messages: String, _ more: String = "") throws -> String {
        try ChatTemplate(source: template, specialTokens: []).render(try fields(messages, more).prompt)
    }

    @Test func messagesReachTheTemplate() throws {
        let template = "{% for m in messages %}[{{ m.role }}|{{ m.name }}|{{ m.content }}]{% endfor %}"
        let messages = """
            [{"role": "developer", "content": "be brief"}, {"role": "user", "name": "ann", "content": "hi"},
             {"role": "assistant", "content": "ho"}, {"role": "tool", "content": "7", "tool_call_id": "c"}]
            """
        #expect(try rendered(template, messages) == "[system||be brief][user|ann|hi][assistant||ho][tool||7]")
    }

    @Test func partsOfTextAreJoined() throws {
        let parts = #"[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]"#
        #expect(try rendered("{{ messages[0].content }}", parts) == "a\nb")
    }

    @Test func toolsReachTheTemplateInItsOwnSense() throws {
        let template = """
            {% if tools %}{% for t in tools %}{{ t.function.name }};{% endfor %}{% else %}none{% endif -%}
            {% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.arguments.city }}{% endfor %}{% endfor %}
            """
        let messages = """
            [{"role": "user", "content": "weather?"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c",
             "type": "function", "function": {"name": "weather", "arguments": "{\\"city\\": \\"Paris\\"}"}}]}]
            """
        let tools = #", "tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}]"#
        #expect(try rendered(template, messages, tools) == "weather;Paris")
        #expect(try rendered(template, messages, tools + #", "tool_choice": "auto""#) == "weather;Paris")
        #expect(try rendered(template, messages, tools + #", "tool_choice": "none""#) == "noneParis")
        #expect(failure(messages, tools + #", "tool_choice": "required""#)?.parameter == "tool_choice")
        #expect(failure(messages, #", "tool_choice": "auto""#)?.parameter == "tool_choice")
        #expect(failure(messages, #", "tools": [{"type": "retrieval"}]"#)?.parameter == "tools[0].type")
        #expect(failure(messages, #", "tools": [{"type": "function"}]"#)?.parameter == "tools[0].function")
    }

    @Test func theTemplatesOwnVariablesAreGiven() throws {
        let template = "{{ enable_thinking }}|{{ documents[0].text }}|{{ add_generation_prompt }}"
        let more = """
            , "chat_template_kwargs": {"enable_thinking": false}, "documents": [{"text": "d"}],
            "add_generation_prompt": false
            """
        #expect(try rendered(template, #"[{"role": "user", "content": "x"}]"#, more) == "False|d|False")
    }

    @Test(arguments: [
        (#"[]"#, "messages"), (#""hi""#, "messages"), (#"["hi"]"#, "messages[0]"), (#"[{}]"#, "messages[0].role"),
        (#"[{"role": "robot", "content": "x"}]"#, "messages[0].role"),
        (#"[{"role": "user"}]"#, "messages[0].content"), (#"[{"role": "user", "content": 5}]"#, "messages[0].content"),
        (#"[{"role": "user", "content": "x", "mood": "good"}]"#, "messages[0].mood"),
        (#"[{"role": "assistant", "content": "x", "audio": {"id": "a"}}]"#, "messages[0].audio"),
        (
            #"[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}]"#,
            "messages[0].content[0].type"
        ),
        (
            #"[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "input_audio"}]}]"#,
            "messages[0].content[1].type"
        ),
        (
            #"[{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]"#,
            "messages[0].tool_calls[0].function.arguments"
        ),
    ])
    func whatIsNoConversationIsRefusedAtItsPlace(messages: (text: String, parameter: String)) {
        #expect(failure(messages.text)?.parameter == messages.parameter)
    }

    @Test func aTemplateOfAClientsIsNotRun() {
        #expect(
            failure(#"[{"role": "user", "content": "x"}]"#, #", "chat_template": "{{ 1 }}""#)?.parameter
                == "chat_template")
    }
}
