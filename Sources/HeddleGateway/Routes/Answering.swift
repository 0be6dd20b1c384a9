import HTTPTypes
import HeddleCore
import HeddleRoles
import HeddleWire
import Hummingbird

/// Carries one call over the router: submits its prompts, and makes a response of what is heard.
struct Answering: Sendable {
    let call: Call
    let submissions: [ClientSubmission]
    let writer: AnswerWriter
    let progress: AnswerProgress

    func submit() throws(RequestError) {
        for submission in submissions { try call.client.submit(submission) }
    }

    // MARK: Whole

    func whole() async throws -> Response {
        var progress = progress
        var writer = writer
        var parts = progress.position.choices.indices.map { AnswerPart(choice: $0) }
        for await event in call.client.events {
            if let (_, part) = try Self.heard(event, &progress) {
                parts[part.choice].text += part.text
                parts[part.choice].tokens += part.tokens
                parts[part.choice].logprobs += part.logprobs
                parts[part.choice].finish = part.finish ?? parts[part.choice].finish
            }
            guard progress.isFinished else { continue }
            writer.head.fingerprint = progress.fingerprint
            let body = writer.whole(parts, prompts: progress.prompts, usage: progress.usage)
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
        }
        throw Self.gone
    }

    // MARK: Streamed

    /// Waits until no prompt can be refused any more, so that a refusal has its status; the rest is the body.
    func streamed(isTakenUp: Bool) async throws -> Response {
        var progress = progress
        var first: [(request: HeddleCore.RequestID, part: AnswerPart)] = []
        for await event in call.client.events {
            if let new = try Self.heard(event, &progress) { first.append(new) }
            if progress.isAccepted { break }
        }
        guard progress.isAccepted else { throw Self.gone }
        var writer = writer
        writer.head.fingerprint = progress.fingerprint
        let stream = EventStream(
            call: call, writer: writer, progress: progress, told: self.progress.position, first: first,
            isTakenUp: isTakenUp)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache", .accelBuffering: "no",
            ],
            body: ResponseBody { writer in
                var stream = stream
                try await stream.write(to: &writer)
                try await writer.finish(nil)
            })
    }

    /// Whoever still reads this has a node that ends: a client that went reads nothing.
    static let gone = HTTPFailure(.shuttingDown)

    static func heard(
        _ event: LocalClient.Event, _ progress: inout AnswerProgress
    ) throws(HTTPFailure) -> (request: HeddleCore.RequestID, part: AnswerPart)? {
        switch event {
        case .reply(let reply): return try progress.add(reply)
        case .nudged: return nil
        case .detached:
            throw HTTPFailure(
                status: 409, message: "another call took this request up", code: "request_conflict", isFinal: true)
        }
    }
}
