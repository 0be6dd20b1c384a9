import HeddleCore

/// The answer to one request as it comes. Tokens are asked for as fast as they are taken, so a slow reader costs a
/// bounded number of them; a reader that goes away, or whose task is cancelled, cancels the request.
public struct AnswerStream: AsyncSequence, Sendable {
    public typealias Element = AnswerEvent
    public typealias Failure = RequestFailure

    public let id: RequestID
    private let reading: Reading

    init(
        id: RequestID, buffer: AnswerBuffer, taken: @escaping @Sendable (Int) -> Void,
        cancel: @escaping @Sendable () -> Void
    ) {
        self.id = id
        reading = Reading(buffer: buffer, taken: taken, cancelRequest: cancel)
    }

    /// Ends the request; the stream then throws `cancelled`, unless it has ended before.
    public func cancel() { reading.cancelRequest() }

    public func makeAsyncIterator() -> Iterator { Iterator(reading: reading) }

    /// Reads the answer; there is one reader.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reading: Reading

        public mutating func next() async throws(RequestFailure) -> AnswerEvent? { try await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(RequestFailure) -> AnswerEvent? {
            let reading = reading
            // The handler's own rethrowing loses the error's type, so that the outcome travels as a value.
            let outcome: Result<AnswerEvent?, RequestFailure> = await withTaskCancellationHandler {
                do throws(RequestFailure) {
                    return .success(try await reading.buffer.next())
                } catch {
                    return .failure(error)
                }
            } onCancel: {
                reading.cancelRequest()
            }
            let event = try outcome.get()
            if case .tokens(let tokens) = event { reading.taken(tokens.tokens.count) }
            return event
        }
    }

    /// One for all copies of the stream: when the last is gone, nobody waits for the answer.
    fileprivate final class Reading: Sendable {
        let buffer: AnswerBuffer
        let taken: @Sendable (Int) -> Void
        let cancelRequest: @Sendable () -> Void

        init(
            buffer: AnswerBuffer, taken: @escaping @Sendable (Int) -> Void,
            cancelRequest: @escaping @Sendable () -> Void
        ) {
            self.buffer = buffer
            self.taken = taken
            self.cancelRequest = cancelRequest
        }

        deinit { cancelRequest() }
    }
}
