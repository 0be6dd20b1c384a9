import HeddleFiles

/// Why a folder's chat template cannot be read, or a conversation cannot be rendered with it.
public enum ChatTemplateError: Error, Hashable, Sendable {
    case file(FileError)
    case notJSON(file: String, JSONError)
    /// A field of `tokenizer_config.json` or `special_tokens_map.json`; `rule` says what it must be.
    case field(file: String, name: String, rule: String)
    case notUTF8(file: String, byteOffset: Int)
    /// The folder's files have no template at all: it is a base model, or its template lies elsewhere.
    case noTemplate(folder: String)
    /// There are templates, but none that is meant for this conversation.
    case noDefaultTemplate(names: [String])
    case template(name: String, TemplateError)
    case emptyConversation
    /// A variable that the conversation itself sets cannot be given beside it.
    case reservedVariable(name: String)
}

extension ChatTemplateError: CustomStringConvertible {
    /// One sentence that names the file, the field or the template's line.
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .notJSON(let file, let error): "\(file), \(error)"
        case .field(let file, let name, let rule): "\(file): \(name) must be \(rule)"
        case .notUTF8(let file, let offset): "\(file) is not UTF-8 at byte \(offset)"
        case .noTemplate(let folder):
            "\(folder) has no chat template, in neither chat_template.jinja nor tokenizer_config.json"
        case .noDefaultTemplate(let names):
            "there are several chat templates and no default: \(names.joined(separator: ", "))"
        case .template(let name, let error):
            error.kind == .raised ? error.message : "the chat template “\(name)”, \(error)"
        case .emptyConversation: "a conversation has at least one message"
        case .reservedVariable(let name): "the variable “\(name)” is set by the conversation itself"
        }
    }
}
