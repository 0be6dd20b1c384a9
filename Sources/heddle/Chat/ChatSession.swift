import Foundation
import HeddleClient
import HeddleCore
import HeddleFiles
import HeddleTemplates

/// Carries a chat out: renders the conversation, submits it, streams the answer, and remembers both.
struct ChatSession {
    /// What does not change while the chat is open.
    struct Setting {
        var model: ChatModel
        var client: MeshClient
        var interrupt: ChatInterrupt
        /// Everything of a submission but its prompt.
        var submission: (RequestID) -> ClientSubmission
        var tools: [HeddleFiles.JSONValue]?
        var variables: JSONObject
        var time: CalendarTime?
        var printsJSON: Bool
        var showsPrompt: Bool
        var isInteractive: Bool
    }

    private let setting: Setting
    private var conversation: ChatConversation

    init(_ setting: Setting, system: String?) {
        self.setting = setting
        conversation = ChatConversation(system: system)
    }

    /// Says one thing and prints the answer.
    /// - Throws: `RequestFailure`, and `CommandFailure` where the template refuses the conversation.
    mutating func say(_ text: String) async throws {
        conversation.asked(text)
        do {
            let answer = try await answer()
            conversation.answered(answer)
        } catch {
            conversation.failed()
            throw error
        }
    }

    /// Reads lines to the end of input, or `/quit`. At a terminal a failed turn is told and taken back; elsewhere it ends
    /// the chat.
    mutating func run(_ input: inout ChatInput) async throws {
        while true {
            if setting.isInteractive { write("> ") }
            let isInteractive = setting.isInteractive
            guard let line = try input.next(goesOn: { if isInteractive { Self.write("… ") } }) else { break }
            setting.interrupt.lineWasRead()
            switch ChatLine(line) {
            case .nothing: continue
            case .quit: return
            case .help: Terminal.complain(ChatLine.commandList)
            case .reset:
                conversation.reset()
                tell("The conversation is forgotten.")
            case .system(let text):
                conversation.reset(system: text)
                tell(text == nil ? "The system says nothing." : "The system's message is set.")
            case .unknown(let word): try complain("there is no command \(word); /help lists them")
            case .say(let text):
                do {
                    try await say(text)
                } catch {
                    guard setting.isInteractive else { throw error }
                    Terminal.complain("heddle: \(error)")
                }
            }
        }
        if setting.isInteractive { write("\n") }
    }

    // MARK: one answer

    private func answer() async throws -> String {
        let prompt = ChatPrompt(messages: conversation.messages, tools: setting.tools, variables: setting.variables)
        let rendered: (tokens: [TokenID], text: String)
        do throws(ChatTemplateError) {
            rendered = try setting.model.prompt(prompt, time: setting.time)
        } catch { throw CommandFailure(error.description) }
        if setting.showsPrompt { Terminal.complain(rendered.text) }

        var generator = SystemRandomNumberGenerator()
        let id = RequestID(using: &generator)
        var submission = setting.submission(id)
        submission.prompt = .tokens(rendered.tokens)
        if let error = submission.firstError(limits: ClientLimits()) { throw RequestFailure(id: id, error) }
        let stream = try setting.client.submit(submission)
        setting.interrupt.answerBegan { stream.cancel() }
        defer { setting.interrupt.answerEnded() }
        var answer = CollectedAnswer(id: id, choiceCount: 1)
        do throws(RequestFailure) {
            for try await event in stream {
                answer.add(event)
                if !setting.printsJSON, case .tokens(let tokens) = event { write(tokens.text) }
            }
        } catch {
            guard error.code == "cancelled" else {
                if !answer.choices[0].text.isEmpty { write("\n") }
                throw error
            }
            write("\n")
            tell("The answer is cancelled.")
            return answer.choices[0].text
        }
        finish(answer)
        return answer.choices[0].text
    }

    private func finish(_ answer: CollectedAnswer) {
        if setting.printsJSON {
            write(answer.json.line + "\n")
            return
        }
        if answer.choices[0].text.last?.isNewline != true { write("\n") }
        if answer.choices[0].finish == .length {
            tell("The answer was cut after \(answer.choices[0].tokens.count) tokens; --max-tokens allows more.")
        }
    }

    // MARK: words to the person

    private func write(_ text: String) { Self.write(text) }

    private static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    /// Only somebody at a terminal wants to know.
    private func tell(_ text: String) { if setting.isInteractive { Terminal.complain("(\(text))") } }

    private func complain(_ text: String) throws {
        guard setting.isInteractive else { throw CommandFailure(text, exit: .validationFailure) }
        Terminal.complain("heddle: \(text)")
    }
}
