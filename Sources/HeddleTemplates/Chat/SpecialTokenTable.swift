import HeddleFiles

/// Collects named special tokens from a folder's files; later files replace what earlier ones say.
struct SpecialTokenTable {
    private(set) var tokens: [ChatTemplateFiles.SpecialToken] = []

    private static let names: Set<String> = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// Takes the standard names, every other name that ends in `_token`, and those that `extra_special_tokens` lists.
    mutating func add(_ object: JSONObject?, file: String) throws(ChatTemplateError) {
        for member in object?.members ?? [] {
            let name = member.key.description
            if name == "extra_special_tokens", let extra = member.value.object {
                for token in extra.members {
                    guard let text = Self.text(of: token.value) else {
                        throw .field(
                            file: file, name: "\(name).\(token.key)", rule: "a text, or an object with content")
                    }
                    set(token.key.description, text)
                }
            } else if name.hasSuffix("_token") {
                if case .null = member.value {
                    tokens.removeAll { $0.name == name }
                } else if let text = Self.text(of: member.value) {
                    set(name, text)
                } else if Self.names.contains(name) {
                    throw .field(file: file, name: name, rule: "a text, an object with content, or null")
                }
            }
        }
    }

    /// A token is its text, or an object that says more about it.
    private static func text(of value: JSONValue) -> String? { value.text ?? value.object?["content"]?.text }

    private mutating func set(_ name: String, _ text: String) {
        let token = ChatTemplateFiles.SpecialToken(name: name, text: text)
        if let place = tokens.firstIndex(where: { $0.name == name }) {
            tokens[place] = token
        } else {
            tokens.append(token)
        }
    }
}
