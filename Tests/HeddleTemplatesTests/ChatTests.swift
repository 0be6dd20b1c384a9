import Foundation
import HeddleFiles
import HeddleTemplates
import Testing

/// Conversations in the families' templates, as `apply_chat_template` renders them.
@Suite struct ChatTests {
    @Test func everyConversationRendersAsInTransformers() throws {
        let time = CalendarTime(year: 2026, month: 3, day: 7, hour: 9, minute: 5, second: 3, microsecond: 42)
        var template: ChatTemplate?
        var name = ""
        var wrong = 0
        for line in try Golden.lines("chats.jsonl") {
            if let source = line["source"]?.text {
                name = try #require(line["template"]?.text)
                template = try ChatTemplate(source: source, specialTokens: Self.tokens(line["special"]))
                continue
            }
            let prompt = try Self.prompt(line)
            let chosen = try #require(template)
            let outcome = Outcome { () throws(TemplateError) in
                do throws(ChatTemplateError) {
                    return try chosen.render(prompt, time: time)
                } catch {
                    guard case .template(_, let error) = error else {
                        throw TemplateError(kind: .unsupported, message: error.description, line: 0)
                    }
                    throw error
                }
            }
            guard let difference = outcome.difference(from: line) else { continue }
            wrong += 1
            if wrong <= 10 { Issue.record("\(name): \(prompt.messages)\n\(difference)") }
        }
        #expect(wrong == 0)
    }

    @Test func foldersGiveTheTemplateAndTokensThatTransformersReads() throws {
        for line in try Golden.lines("sources.jsonl") {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            defer { try? FileManager.default.removeItem(at: folder) }
            for file in try #require(line["files"]?.object).members {
                let place = folder.appendingPathComponent(file.key.description)
                try FileManager.default.createDirectory(
                    at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                let content = file.value.text ?? Self.json(file.value)
                try Data(content.utf8).write(to: place)
            }
            let files = try ChatTemplateFiles(folder: folder.path)
            let plain = try? files.template(hasTools: false)?.source
            let tools = try? files.template(hasTools: true)?.source
            #expect(plain == line["plain"]?.text, "\(line["files"] ?? .null)")
            #expect(tools == line["tools"]?.text, "\(line["files"] ?? .null)")
            let expected = Self.tokens(line["special"])
            #expect(Set(files.specialTokens) == Set(expected), "\(line["files"] ?? .null)")
            #expect(files.specialTokens.count == expected.count)
        }
    }

    @Test func aFolderWithoutTemplateIsRefusedByName() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"
        #expect(throws: ChatTemplateError.noTemplate(folder: folder)) { try ChatTemplate(folder: folder) }
    }

    @Test func aConversationWithoutMessagesIsRefused() throws {
        let template = try ChatTemplate(source: "x", specialTokens: [])
        #expect(throws: ChatTemplateError.emptyConversation) { try template.render(ChatPrompt(messages: [])) }
        let variables = JSONObject([("messages", .null)])
        let message = ChatPrompt.message(role: "user", content: "x")
        #expect(throws: ChatTemplateError.reservedVariable(name: "messages")) {
            try template.render(ChatPrompt(messages: [message], variables: variables))
        }
    }

    private static func tokens(_ value: JSONValue?) -> [ChatTemplateFiles.SpecialToken] {
        (value?.object?.members ?? []).map {
            ChatTemplateFiles.SpecialToken(name: $0.key.description, text: $0.value.text ?? "")
        }
    }

    private static func prompt(_ line: JSONObject) throws -> ChatPrompt {
        ChatPrompt(
            messages: try #require(line["messages"]?.array).map { try #require($0.object) },
            tools: line["tools"]?.array, documents: line["documents"]?.array,
            addsGenerationPrompt: line["prompt"]?.bool ?? false, variables: line["extra"]?.object ?? JSONObject([]))
    }

    /// JSON text of a value without numbers.
    private static func json(_ value: JSONValue) -> String {
        switch value {
        case .object(let object):
            "{" + object.members.map { json(.string($0.key)) + ":" + json($0.value) }.joined(separator: ",") + "}"
        case .array(let elements): "[" + elements.map(json).joined(separator: ",") + "]"
        case .string(let text):
            "\""
                + text.description.replacingOccurrences(of: "\\", with: "\\\\")
                .replacingOccurrences(of: "\"", with: "\\\"").replacingOccurrences(of: "\n", with: "\\n") + "\""
        case .bool(let truth): truth ? "true" : "false"
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .null: "null"
        }
    }
}
