import Foundation
import HeddleFiles
import HeddleTemplates

/// What libFuzzer feeds: one reader of files that anybody may have written. It may refuse with an error of its own and nothing else:
/// a trap, a hang and memory without bound are findings.
///
/// `.ci/fuzz` builds and runs it. The executable runs one reader, which `HEDDLE_FUZZ` names.
enum FuzzTarget: String, CaseIterable {
    case safetensors
    case tokenizer
    case adapter
    case template

    static let chosen: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["HEDDLE_FUZZ"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            fatalError("HEDDLE_FUZZ is one of \(allCases.map(\.rawValue)), not “\(name)”")
        }
        return target
    }()

    func run(_ bytes: [UInt8]) {
        switch self {
        case .safetensors: Self.safetensors(bytes)
        case .tokenizer: Self.tokenizer(bytes)
        case .adapter: Self.adapter(bytes)
        case .template: Self.template(bytes)
        }
    }

    /// A file is mapped, so there has to be one: in memory, under a name of this process.
    private static let file = "/dev/shm/heddle-fuzz-\(getpid()).safetensors"

    private static func safetensors(_ bytes: [UInt8]) {
        guard (try? Data(bytes).write(to: URL(fileURLWithPath: file))) != nil else { return }
        defer { unlink(file) }
        guard let set = try? SafetensorsSet(file: file) else { return }
        for name in set.names {
            guard let tensor = set.tensor(name), tensor.elementType.isReadAsFloat else { continue }
            _ = tensor.firstNotFinite()
        }
    }

    /// The file, and behind its last zero byte a text, which is also read as token ids.
    private static func tokenizer(_ bytes: [UInt8]) {
        let cut = bytes.lastIndex(of: 0) ?? bytes.endIndex
        let text = bytes.suffix(from: min(bytes.endIndex, cut + 1))
        guard let tokenizer = try? Tokenizer(json: Array(bytes[..<cut])) else { return }
        let tokens = tokenizer.encode(String(decoding: text, as: UTF8.self))
        _ = tokenizer.decode(tokens)
        _ = tokenizer.decode(text.map { Int32($0) - 1 })
        var stream = TextStream(tokenizer, stopStrings: ["ab", "\n"])
        for token in tokens { _ = stream.push(token) }
        _ = stream.finish()
    }

    private static func adapter(_ bytes: [UInt8]) {
        guard case .object(let object)? = try? JSONParser.parse(bytes) else { return }
        _ = try? AdapterConfiguration(object, file: "adapter_config.json", limits: AdapterLimits())
    }

    private static let messages: [JSONObject] = {
        let text =
            #"[{"role": "system", "content": "be ü"}, {"role": "user", "content": [{"type": "text", "text": "a"}]}, {"role": "assistant", "content": "b", "tool_calls": [{"function": {"name": "f", "arguments": {"x": [1, 2.5, null]}}}]}]"#
        guard let list = try? JSONParser.parse(Array(text.utf8)).array else { fatalError("the messages are JSON") }
        return list.compactMap(\.object)
    }()

    private static func template(_ bytes: [UInt8]) {
        var limits = TemplateLimits()
        limits.stepCountMax = 20_000
        limits.outputByteCountMax = 50_000
        guard
            let template = try? ChatTemplate(
                source: String(decoding: bytes, as: UTF8.self), specialTokens: [], limits: limits)
        else { return }
        _ = try? template.render(ChatPrompt(messages: messages, tools: nil))
    }
}

/// libFuzzer's driver, of the archive that `-sanitize=fuzzer` links; SwiftPM renames a main function, so libFuzzer's own is of no use.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argumentCount: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main
enum Fuzzing {
    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        let code = runDriver(&count, &arguments) { start, count in
            // Safety: libFuzzer gives `count` bytes at `start`, which live until this returns.
            FuzzTarget.chosen.run(Array(UnsafeBufferPointer(start: start, count: count)))
            return 0
        }
        exit(code)
    }
}
