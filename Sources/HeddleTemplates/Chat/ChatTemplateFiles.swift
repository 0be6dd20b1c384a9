import Foundation
import HeddleFiles

/// Decides which chat templates and which named special tokens a model's folder has, by the precedence of
/// `transformers` 5: `chat_template.jinja` and `additional_chat_templates/*.jinja` before the `chat_template` of
/// `tokenizer_config.json` (a text, or a list of named ones); `special_tokens_map.json` before `tokenizer_config.json`
/// where the latter has no `added_tokens_decoder`.
///
/// `add_bos_token` and `add_eos_token` are not read: they are about texts without a template. What a tokenizer's Python
/// class has by default, such as `<s>` for a folder that names no `bos_token`, is not there.
public struct ChatTemplateFiles: Hashable, Sendable {
    /// A template and the name that it is chosen by.
    public struct Named: Hashable, Sendable {
        public let name: String
        public let source: String
    }

    /// A special token's text by its name, such as `bos_token`: a variable of every template.
    public struct SpecialToken: Hashable, Sendable {
        public let name: String
        public let text: String

        /// Names a token.
        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// In the order of the files.
    public let templates: [Named]
    /// In the order of the files.
    public let specialTokens: [SpecialToken]

    /// Reads the folder's files; none of them has to be there.
    /// - Throws: `ChatTemplateError` where a file that is there cannot be understood.
    public init(folder: String, limits: TemplateLimits = TemplateLimits()) throws(ChatTemplateError) {
        let path = folder.hasSuffix("/") ? folder : folder + "/"
        let configuration = try Self.object(path + "tokenizer_config.json")
        var tokens = SpecialTokenTable()
        try tokens.add(configuration, file: path + "tokenizer_config.json")
        if configuration?["added_tokens_decoder"] == nil {
            let map = path + "special_tokens_map.json"
            try tokens.add(try Self.object(map), file: map)
        }
        specialTokens = tokens.tokens

        var templates = try Self.templateFiles(path, limits)
        if templates.isEmpty { templates = try Self.templates(of: configuration, path + "tokenizer_config.json") }
        self.templates = templates
    }

    /// The template that a conversation with or without tools is rendered with; nil where the folder has none at all.
    /// - Throws: `noDefaultTemplate`.
    public func template(hasTools: Bool) throws(ChatTemplateError) -> Named? {
        if hasTools, templates.count > 1 || templates.first?.name != "default",
            let own = templates.first(where: { $0.name == "tool_use" })
        {
            return own
        }
        if let usual = templates.first(where: { $0.name == "default" }) { return usual }
        guard templates.isEmpty else { throw .noDefaultTemplate(names: templates.map(\.name).sorted()) }
        return nil
    }

    // MARK: templates

    private static func templateFiles(_ path: String, _ limits: TemplateLimits) throws(ChatTemplateError) -> [Named] {
        var found: [Named] = []
        if let source = try text(path + "chat_template.jinja", limits.templateByteCountMax) {
            found.append(Named(name: "default", source: source))
        }
        let folder = path + "additional_chat_templates"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        for name in names where name.hasSuffix(".jinja") && name.utf8.count > 6 {
            guard found.count < templateCountMax else {
                throw .field(file: folder, name: "the folder", rule: "of at most \(templateCountMax) templates")
            }
            guard let source = try text("\(folder)/\(name)", limits.templateByteCountMax) else { continue }
            found.replaceOrAppend(Named(name: String(name.dropLast(6)), source: source))
        }
        return found
    }

    private static let templateCountMax = 64

    private static func templates(of configuration: JSONObject?, _ file: String) throws(ChatTemplateError) -> [Named] {
        switch configuration?["chat_template"] {
        case nil, .null: return []
        case .string(let source): return [Named(name: "default", source: source.description)]
        case .array(let entries) where entries.count <= templateCountMax:
            var found: [Named] = []
            for entry in entries {
                guard let name = entry.object?["name"]?.text, let source = entry.object?["template"]?.text else {
                    throw .field(file: file, name: "chat_template", rule: "a list of objects with name and template")
                }
                found.replaceOrAppend(Named(name: name, source: source))
            }
            return found
        default:
            throw .field(
                file: file, name: "chat_template", rule: "a text, or a list of at most \(templateCountMax) named ones")
        }
    }

    // MARK: files

    private static func text(_ path: String, _ byteCountMax: Int) throws(ChatTemplateError) -> String? {
        guard let file = try map(path, byteCountMax) else { return nil }
        let bytes = file.withUnsafeBytes { Array($0) }
        if let offset = UTF8Check.firstInvalid(bytes) { throw .notUTF8(file: path, byteOffset: offset) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func object(_ path: String) throws(ChatTemplateError) -> JSONObject? {
        guard let file = try map(path, 64 << 20) else { return nil }
        let value: JSONValue
        do throws(JSONError) {
            value = try file.withUnsafeBytes { (bytes) throws(JSONError) in try JSONParser.parse(bytes) }
        } catch { throw .notJSON(file: path, error) }
        guard let object = value.object else { throw .field(file: path, name: "the file", rule: "one JSON object") }
        return object
    }

    private static func map(_ path: String, _ byteCountMax: Int) throws(ChatTemplateError) -> MappedFile? {
        do throws(FileError) {
            return try MappedFile(path: path, byteCountMax: byteCountMax)
        } catch {
            if case .missing = error { return nil }
            throw .file(error)
        }
    }
}

extension [ChatTemplateFiles.Named] {
    fileprivate mutating func replaceOrAppend(_ template: Element) {
        if let place = firstIndex(where: { $0.name == template.name }) {
            self[place] = template
        } else {
            append(template)
        }
    }
}
