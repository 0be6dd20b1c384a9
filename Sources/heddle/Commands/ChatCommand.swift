import ArgumentParser
import Foundation
import HeddleClient
import HeddleCore
import HeddleFiles
import HeddleTemplates
import HeddleTransport

/// `heddle chat`: a conversation with a model of a running mesh, in the words of the model's own chat template.
struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Talk with a model of a running mesh.",
        discussion: """
            Renders the conversation with the chat template of the model's folder, submits it as tokens and streams the \
            answer. With a message it says that and ends; without one it reads a message a line, from the terminal or from \
            standard input. Ctrl-C cancels the answer and not the chat; /help lists what else can be said.

            Examples:
              heddle chat --model chatty --key "$(cat Cluster/keys/acme.key)"
              heddle chat --model chatty --system "Answer in one word." "Which city is the capital of France?"
              printf 'Hello.\\nAnd in German?\\n' | heddle chat --model chatty --max-tokens 200 --temperature 0.7

            Exit codes: 0 answered, 1 no such model, adapter or tenant, or no template, 2 failed, 64 wrong usage.
            """)

    @OptionGroup var mesh: MeshOptions

    @OptionGroup var asking: AskingOptions

    @Option(help: ArgumentHelp("What the model is told before the conversation.", valueName: "text"))
    var system: String?

    @Option(
        help: ArgumentHelp(
            "The model's folder on this machine, with its tokenizer and chat template, instead of the cluster file's.",
            valueName: "dir"))
    var modelDir: String?

    @Option(help: ArgumentHelp("A Jinja template to use instead of the folder's.", valueName: "file"))
    var template: String?

    @Option(help: ArgumentHelp("A JSON file with a list of the functions that the model may call.", valueName: "file"))
    var tools: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A variable for the template, as JSON or else as text; may be given several times.",
            valueName: "name=value"))
    var variables: [String] = []

    @OptionGroup var sampling: SamplingOptions

    @Flag(help: "Show on standard error what the model is given.")
    var showPrompt = false

    @Flag(help: "Print one JSON object for each answer.")
    var json = false

    @Argument(help: "What to say; without it: a message a line from the terminal or standard input.")
    var message: String?

    func validate() throws {
        guard sampling.choiceCount == 1 else { throw ValidationError("a chat goes on from one answer: --n must be 1") }
        guard asking.endpoint.isEmpty || modelDir != nil || mesh.file != nil else {
            throw ValidationError("with --endpoint, give --model-dir or the cluster file: the prompt is made here")
        }
        for variable in variables where variable.firstIndex(of: "=") == nil {
            throw ValidationError("--set takes name=value")
        }
    }

    func run() async throws {
        let configuration = asking.endpoint.isEmpty || modelDir == nil ? try mesh.load() : nil
        guard let folder = try modelDir ?? configuration?.modelFolder(named: asking.model) else {
            throw CommandFailure("give the model's folder with --model-dir")
        }
        let isInteractive = message == nil && isatty(STDIN_FILENO) == 1
        let setting = ChatSession.Setting(
            model: try ChatModel(folder: folder, templateFile: template),
            client: try client(configuration?.clientEndpoints),
            interrupt: ChatInterrupt(isInteractive: isInteractive), submission: submission, tools: try readTools(),
            variables: try readVariables(), time: .now(), printsJSON: json, showsPrompt: showPrompt,
            isInteractive: isInteractive)
        defer {
            setting.interrupt.end()
            setting.client.close()
        }
        var session = ChatSession(setting, system: system)
        do {
            if let message {
                try await session.say(PromptSource.checked(message))
            } else {
                var input = ChatInput()
                try await session.run(&input)
            }
        } catch let failure as RequestFailure {
            Terminal.complain(json ? failure.json.line : "heddle: \(failure)")
            throw Submit.exitCode(failure)
        }
    }

    private func client(_ endpoints: [String]?) throws -> MeshClient {
        var limits = MeshClientLimits()
        // A person waits: a mesh that is not up is said so before long.
        limits.unreachableAfter = .seconds(8)
        do throws(TransportError) {
            return try MeshClient(endpoints: asking.endpoint.isEmpty ? endpoints ?? [] : asking.endpoint, limits: limits)
        } catch { throw CommandFailure(error.description) }
    }

    private func submission(_ id: RequestID) -> ClientSubmission {
        ClientSubmission(
            id: id, key: asking.key, tenant: asking.tenant, model: asking.model, prompt: .tokens([]),
            sampling: sampling.requested(defaultSeed: id.low),
            deadline: .milliseconds(max(1, Int64(asking.deadline * 1000))), echoesPrompt: json)
    }

    private func readTools() throws -> [HeddleFiles.JSONValue]? {
        guard let tools else { return nil }
        do {
            let file = try MappedFile(path: tools, byteCountMax: 1 << 20)
            guard let list = try file.withUnsafeBytes({ try JSONParser.parse($0) }).array else {
                throw CommandFailure("\(tools): the functions are a JSON list")
            }
            return list
        } catch let error as FileError {
            throw CommandFailure(error.description, exit: .notFound)
        } catch let error as JSONError {
            throw CommandFailure("\(tools), \(error)")
        }
    }

    private func readVariables() throws -> JSONObject {
        var pairs: [(key: String, value: HeddleFiles.JSONValue)] = []
        for variable in variables {
            guard let mark = variable.firstIndex(of: "=") else { continue }
            let text = String(variable[variable.index(after: mark)...])
            let value = (try? JSONParser.parse(Array(text.utf8))) ?? .string(JSONString(text))
            pairs.append((String(variable[..<mark]), value))
        }
        return JSONObject(pairs)
    }
}
