import HeddleFiles
import HeddleTemplates

/// Decides what a conversation holds: the system's message, then turns that were answered, then perhaps one that waits.
struct ChatConversation {
    private(set) var system: String?
    private var turns: [JSONObject] = []
    private var waits = false

    init(system: String?) { self.system = system }

    /// Everything that the model sees.
    var messages: [JSONObject] {
        (system.map { [ChatPrompt.message(role: "system", content: $0)] } ?? []) + turns
    }

    /// Answered turns.
    var answeredCount: Int { turns.count / 2 }

    mutating func asked(_ text: String) {
        turns.append(ChatPrompt.message(role: "user", content: text))
        waits = true
    }

    /// The answer, or as much of it as came before it was cancelled. Nothing at all takes the question back.
    mutating func answered(_ text: String) {
        guard !text.isEmpty else {
            failed()
            return
        }
        turns.append(ChatPrompt.message(role: "assistant", content: text))
        waits = false
    }

    /// Takes the question back: it can be asked again.
    mutating func failed() {
        if waits { turns.removeLast() }
        waits = false
    }

    /// Forgets everything but the system's message.
    mutating func reset() {
        turns = []
        waits = false
    }

    /// Begins anew under another system's message; nil for none.
    mutating func reset(system: String?) {
        self.system = system
        reset()
    }
}

/// What a line of a chat means.
enum ChatLine {
    case say(String)
    case reset
    case system(String?)
    case help
    case quit
    case unknown(String)
    case nothing

    /// Commands begin with a slash, and two slashes are one that is said.
    init(_ text: String) {
        guard text.hasPrefix("/"), !text.hasPrefix("//") else {
            let said = text.hasPrefix("//") ? String(text.dropFirst()) : text
            self = said.allSatisfy(\.isWhitespace) ? .nothing : .say(said)
            return
        }
        let words = text.split(separator: " ", maxSplits: 1)
        switch words[0] {
        case "/reset": self = .reset
        case "/system": self = .system(words.count > 1 ? String(words[1]) : nil)
        case "/help", "/?": self = .help
        case "/quit", "/exit", "/bye": self = .quit
        default: self = .unknown(String(words[0]))
        }
    }

    static let commandList = """
        /reset          forget the conversation
        /system TEXT    forget it and set the system's message; without TEXT: none
        /quit           end (so does Ctrl-D)
        //…             say a line that begins with a slash
        A line that ends in \\ goes on in the next. Ctrl-C cancels the answer.
        """
}
