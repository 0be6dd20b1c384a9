import HeddleCore
import Hummingbird

/// Writes an answer as server-sent events while it comes, and grants the router credit for what was written.
struct EventStream: Sendable {
    let call: Call
    let writer: AnswerWriter
    var progress: AnswerProgress
    /// How far the client has been told.
    var told: StreamPosition
    /// What came before the answer was accepted as a whole.
    let first: [(request: HeddleCore.RequestID, part: AnswerPart)]
    /// A client that takes a stream up has seen its beginning.
    let isTakenUp: Bool

    mutating func write(to body: inout any ResponseBodyWriter) async throws {
        if !isTakenUp { try await writeOpening(to: &body) }
        do {
            for (request, part) in first { try await write(part, of: request, to: &body) }
            for await event in call.client.events {
                if case .nudged = event {
                    // One line alone: an empty one behind it would be an event without data to OpenAI's own programs.
                    try await body.write(ByteBuffer(string: ": the answer goes on\n"))
                } else if let (request, part) = try Answering.heard(event, &progress) {
                    try await write(part, of: request, to: &body)
                }
                guard progress.isFinished else { continue }
                if writer.request.includesUsage {
                    try await body.write(Self.event(writer.closing(progress.usage), id: nil))
                }
                try await body.write(ByteBuffer(string: "data: [DONE]\n\n"))
                return
            }
            throw Answering.gone
        } catch let failure as HTTPFailure {
            // The status is long sent: programs look for an error in the events.
            var buffer = ByteBuffer(string: "data: ")
            buffer.writeBytes(failure.body)
            buffer.writeString("\n\n")
            try await body.write(buffer)
        }
    }

    /// Every choice's beginning. Only the last of them has an id: whoever knows it has seen all of them.
    private func writeOpening(to body: inout any ResponseBodyWriter) async throws {
        let choices = told.choices.indices
        let openings = choices.compactMap { choice in
            writer.opening(choice: choice, prompt: progress.prompts[choice / max(1, writer.request.choiceCount)])
        }
        for (index, opening) in openings.enumerated() {
            try await body.write(Self.event(opening, id: index == openings.count - 1 ? told : nil))
        }
    }

    private mutating func write(
        _ part: AnswerPart, of request: HeddleCore.RequestID, to body: inout any ResponseBodyWriter
    ) async throws {
        told.choices[part.choice].nextIndex += part.tokens.count
        told.choices[part.choice].isEnded = part.finish != nil
        // Tokens whose text is still held back have nothing to show, unless they are shown themselves.
        let isShown =
            !part.text.isEmpty || part.finish != nil
            || !part.tokens.isEmpty && (writer.request.showsLogprobs || writer.request.returnsTokenIDs)
        if isShown {
            let chunk = writer.chunk(part, textOffset: &told.choices[part.choice].textOffset)
            try await body.write(Self.event(chunk, id: told))
        }
        call.client.grant(part.tokens.count, to: request)
    }

    private static func event(_ data: JSONText, id: StreamPosition?) -> ByteBuffer {
        var buffer = ByteBuffer()
        if let id { buffer.writeString("id: \(id.text)\n") }
        buffer.writeString("data: ")
        buffer.writeBytes(data.bytes)
        buffer.writeString("\n\n")
        return buffer
    }
}
