import HeddleCore

/// What a client says to a router on the client socket.
public enum ClientMessage: Hashable, Sendable {
    case submit(ClientSubmission)
    case cancel(RequestID)
    case credit(RequestID, tokenCount: Int)
    case ping(number: UInt64)

    enum Kind: UInt8 {
        case submit = 1
        case cancel = 2
        case credit = 3
        case ping = 4
    }

    /// The header frame and the payload frame.
    public func frames() -> [[UInt8]] {
        let arena = MessageArena()
        let (kind, payload): (Kind, [UInt8]) =
            switch self {
            case .submit(let submission): (.submit, arena.pack(submission))
            case .cancel(let id): (.cancel, arena.packCancel(id))
            case .credit(let id, let tokenCount): (.credit, arena.packCredit(id, tokenCount))
            case .ping(let number): (.ping, arena.packPing(number))
            }
        return [FrameHeader.bytes(FrameHeader.client, kind: kind.rawValue), payload]
    }

    /// Reads a message that may hold anything.
    public init(frames: [[UInt8]], limits: ClientLimits = ClientLimits()) throws(ClientFrameError) {
        let (kind, payload) = try FrameHeader.read(
            frames, socket: FrameHeader.client, payloadByteCountMax: limits.payloadByteCountMax)
        do {
            switch Kind(rawValue: kind) {
            case .submit: self = .submit(try readSubmission(payload, limits: limits))
            case .cancel: self = .cancel(try readCancel(payload))
            case .credit: self = try readCredit(payload, limits: limits)
            case .ping: self = .ping(number: try readPing(payload))
            case nil: throw ClientFrameError("kind \(kind) is none that a client sends")
            }
        } catch let error as ClientFrameError {
            throw error
        } catch {
            throw ClientFrameError("\(error)")
        }
    }
}

/// What a router says to a client on the client socket.
public enum ClientReply: Hashable, Sendable {
    case accepted(AcceptedRequest)
    case tokens(DeliveredTokens)
    case finished(FinishedRequest)
    case failed(RequestFailure)
    case busy(RequestID, retryAfter: Duration)
    case pong(number: UInt64, incarnation: Incarnation, session: ClientRef)
    case promptLogprobs(DeliveredPromptLogprobs)

    enum Kind: UInt8 {
        case accepted = 16
        case tokens = 17
        case finished = 18
        case failed = 19
        case busy = 20
        case pong = 21
        case promptLogprobs = 22
    }

    /// The answer to a request that is refused or ends badly: `Busy` for `RequestError.busy`, else `Failed`.
    public init(id: RequestID?, error: RequestError) {
        if case .busy(let after) = error, let id {
            self = .busy(id, retryAfter: after)
        } else {
            self = .failed(RequestFailure(id: id, error))
        }
    }

    /// The header frame and the payload frame.
    public func frames(limits: ClientLimits = ClientLimits()) -> [[UInt8]] {
        let arena = MessageArena()
        let (kind, payload): (Kind, [UInt8]) =
            switch self {
            case .accepted(let accepted): (.accepted, arena.pack(accepted))
            case .tokens(let tokens): (.tokens, arena.pack(tokens))
            case .finished(let finished): (.finished, arena.pack(finished))
            case .failed(let failure): (.failed, arena.pack(failure, limits: limits))
            case .busy(let id, let after): (.busy, arena.packBusy(id, after))
            case .pong(let number, let incarnation, let session):
                (.pong, arena.packPong(number, incarnation, session))
            case .promptLogprobs(let logprobs): (.promptLogprobs, arena.pack(logprobs))
            }
        return [FrameHeader.bytes(FrameHeader.client, kind: kind.rawValue), payload]
    }

    /// Reads a message that may hold anything.
    public init(frames: [[UInt8]], limits: ClientLimits = ClientLimits()) throws(ClientFrameError) {
        let (kind, payload) = try FrameHeader.read(
            frames, socket: FrameHeader.client, payloadByteCountMax: limits.payloadByteCountMax)
        do {
            switch Kind(rawValue: kind) {
            case .accepted: self = .accepted(try readAccepted(payload, limits: limits))
            case .tokens: self = .tokens(try readTokens(payload, limits: limits))
            case .finished: self = .finished(try readFinished(payload, limits: limits))
            case .failed: self = .failed(try readFailed(payload, limits: limits))
            case .busy: self = try readBusy(payload)
            case .pong: self = try readPong(payload)
            case .promptLogprobs: self = .promptLogprobs(try readPromptLogprobs(payload, limits: limits))
            case nil: throw ClientFrameError("kind \(kind) is none that a router sends")
            }
        } catch let error as ClientFrameError {
            throw error
        } catch {
            throw ClientFrameError("\(error)")
        }
    }
}
