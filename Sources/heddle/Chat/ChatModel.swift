import Foundation
import HeddleCluster
import HeddleCore
import HeddleFiles
import HeddleTemplates

/// Owns what a client needs of a model to talk with it: its chat template and its tokenizer, from the model's folder.
///
/// The prompt is made here and goes to the mesh as tokens: in a text the router takes no word for a control token, and it
/// would set a second begin token before the template's own.
struct ChatModel {
    let template: ChatTemplate
    private let tokenizer: Tokenizer

    /// - Parameters:
    ///   - folder: a Hugging Face folder.
    ///   - templateFile: a Jinja template to use instead of the folder's.
    init(folder: String, templateFile: String?) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw CommandFailure(
                "there is no folder \(folder) on this machine; give the model's with --model-dir", exit: .notFound)
        }
        do throws(ChatTemplateError) {
            if let templateFile {
                template = try ChatTemplate(
                    source: try Self.source(templateFile),
                    specialTokens: try ChatTemplateFiles(folder: folder).specialTokens)
            } else {
                template = try ChatTemplate(folder: folder)
            }
        } catch {
            guard case .noTemplate = error else { throw CommandFailure(error.description) }
            throw CommandFailure(
                "\(error). It may be a base model: give a template with --template FILE, or use heddle submit",
                exit: .notFound)
        }
        do throws(TokenizerError) {
            tokenizer = try Tokenizer(path: folder)
        } catch { throw CommandFailure(error.description) }
    }

    /// The tokens that the mesh is to continue, and their text.
    func prompt(_ prompt: ChatPrompt, time: CalendarTime?) throws(ChatTemplateError) -> (
        tokens: [TokenID], text: String
    ) {
        let text = try template.render(prompt, time: time)
        return (tokenizer.encode(text, addSpecialTokens: false), text)
    }

    private static func source(_ path: String) throws(ChatTemplateError) -> String {
        let file: MappedFile
        do throws(FileError) {
            file = try MappedFile(path: path, byteCountMax: TemplateLimits().templateByteCountMax)
        } catch { throw .file(error) }
        let bytes = file.withUnsafeBytes { Array($0) }
        if let offset = HeddleFiles.UTF8Check.firstInvalid(bytes) { throw .notUTF8(file: path, byteOffset: offset) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ClusterConfiguration {
    /// The folder of the base model that a submission's `model` means, by the rules of `ModelCatalogue`.
    func modelFolder(named text: String) throws -> String {
        func folder(_ name: ModelName) throws -> String {
            guard let model = models.first(where: { $0.name == name }) else {
                throw CommandFailure("there is no model “\(text)” in \(path)", exit: .notFound)
            }
            return model.directory
        }
        if text.isEmpty {
            guard models.count == 1, let only = models.first else {
                throw CommandFailure("there are \(models.count) models; name one with --model", exit: .notFound)
            }
            return only.directory
        }
        if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            return try folder(ModelName(String(text[..<colon])))
        }
        if models.contains(where: { $0.name == ModelName(text) }) { return try folder(ModelName(text)) }
        guard let adapter = adapters.first(where: { $0.name == AdapterName(text) }) else {
            throw CommandFailure("there is no model or adapter “\(text)” in \(path)", exit: .notFound)
        }
        return try folder(adapter.model)
    }
}

extension CalendarTime {
    /// This computer's time, as a person at it would say it.
    static func now() -> CalendarTime? {
        var seconds = time(nil)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return nil }
        return CalendarTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: min(59, Int(parts.tm_sec)))
    }
}
