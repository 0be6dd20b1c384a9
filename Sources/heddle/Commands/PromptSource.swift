import Foundation
import HeddleCore

/// Decides where a prompt comes from, and reads it without changing a byte.
struct PromptSource {
    var argument: String?
    /// `1,2,3`.
    var tokenIDs: String?
    var limits = RequestLimits()

    func prompt() throws(RequestError) -> ClientSubmission.Prompt {
        if let tokenIDs { return .tokens(try Self.tokens(tokenIDs)) }
        if let argument, argument != "-" {
            try checkArgument(argument)
            return .text(argument)
        }
        // Somebody at a terminal who gave no prompt would wait for nothing.
        if argument == nil, isatty(STDIN_FILENO) == 1 { throw .emptyPrompt }
        return .text(try standardInput())
    }

    /// The argument, when it is what was typed.
    static func checked(_ argument: String) throws(RequestFailure) -> String {
        do throws(RequestError) {
            try PromptSource(argument: argument).checkArgument(argument)
            return argument
        } catch { throw RequestFailure(id: nil, error) }
    }

    private static func tokens(_ text: String) throws(RequestError) -> [TokenID] {
        var tokens: [TokenID] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let token = TokenID(part.filter { $0 != " " }) else {
                throw .invalidParameter(name: "prompt_ids", value: "“\(text)”", rule: "numbers with commas, like 1,2,3")
            }
            tokens.append(token)
        }
        return tokens
    }

    /// Swift repairs arguments that are not UTF-8; a prompt must not be another than what was typed.
    private func checkArgument(_ argument: String) throws(RequestError) {
        guard argument.unicodeScalars.contains("\u{FFFD}") else { return }
        for index in 0..<Int(CommandLine.argc) {
            guard let start = CommandLine.unsafeArgv[index], String(cString: start) == argument else { continue }
            // Safety: the kernel ends every argument with a zero byte and keeps it for the life of the process.
            let bytes = Array(UnsafeRawBufferPointer(start: start, count: strlen(start)))
            if let offset = UTF8Check.firstInvalidOffset(bytes) { throw .promptNotUTF8(byteOffset: offset) }
        }
    }

    private func standardInput() throws(RequestError) -> String {
        var data = Data()
        while data.count <= limits.promptByteCountMax {
            guard let more = try? FileHandle.standardInput.read(upToCount: 65_536), !more.isEmpty else { break }
            data += more
        }
        guard data.count <= limits.promptByteCountMax else {
            throw .promptTextTooLong(byteCount: data.count, byteCountMax: limits.promptByteCountMax)
        }
        let bytes = Array(data)
        if let offset = UTF8Check.firstInvalidOffset(bytes) { throw .promptNotUTF8(byteOffset: offset) }
        var text = String(decoding: bytes, as: UTF8.self)
        // `echo` ends its line; that newline is the shell's and not the prompt's.
        if text.utf8.last == UInt8(ascii: "\n") { text.unicodeScalars.removeLast() }
        return text
    }
}

/// Calls back on the first Ctrl-C; the second ends the process as usual.
final class Interrupt {
    private let source: any DispatchSourceSignal

    init(_ interrupted: @escaping @Sendable () -> Void) {
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            signal(SIGINT, SIG_DFL)
            interrupted()
        }
        signal(SIGINT, SIG_IGN)
        source.resume()
    }

    func end() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
