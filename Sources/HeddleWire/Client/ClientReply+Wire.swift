import CHeddleWire
import HeddleCore

// MARK: Writing

extension MessageArena {
    func pack(_ accepted: AcceptedRequest) -> [UInt8] {
        pack(
            make(heddle__client__v1__accepted__init) { message in
                message.request_id = bytes(accepted.id.bytes)
                message.prompt_tokens = UInt32(clamping: accepted.promptTokenCount)
                message.model = bytes(accepted.model.text)
                message.model_digest = bytes(accepted.modelDigest.bytes)
                message.adapter = bytes(accepted.adapter?.name.text ?? "")
                message.adapter_digest = bytes(accepted.adapter?.digest.bytes ?? [])
                message.adapter_rank = UInt32(clamping: accepted.adapter?.rank ?? 0)
                message.node = bytes(accepted.router.text)
                message.n_prompt_token_ids = accepted.promptTokens.count
                message.prompt_token_ids = array(accepted.promptTokens.map(UInt32.init(bitPattern:)))
            })
    }

    func pack(_ tokens: DeliveredTokens) -> [UInt8] {
        pack(
            make(heddle__client__v1__tokens__init) { message in
                message.request_id = bytes(tokens.id.bytes)
                message.choice = UInt32(clamping: tokens.choice)
                message.first_index = UInt32(clamping: tokens.firstIndex)
                message.n_token_ids = tokens.tokens.count
                message.token_ids = array(tokens.tokens.map(UInt32.init(bitPattern:)))
                message.text = bytes(tokens.text)
                message.n_logprobs = tokens.logprobs.count
                message.logprobs = messages(tokens.logprobs.map(logprobs))
                message.finish = finish(tokens.finish)
            })
    }

    private func logprobs(
        _ logprobs: TokenLogprobs
    ) -> UnsafeMutablePointer<Heddle__Client__V1__TokenLogprobs> {
        make(heddle__client__v1__token_logprobs__init) { message in
            message.logprob = logprobs.logprob
            message.n_top_ids = logprobs.top.count
            message.top_ids = array(logprobs.top.map { UInt32(bitPattern: $0.token) })
            message.n_top_logprobs = logprobs.top.count
            message.top_logprobs = array(logprobs.top.map(\.logprob))
        }
    }

    private func finish(_ reason: FinishReason?) -> Heddle__Client__V1__Finish {
        switch reason {
        case nil: HEDDLE__CLIENT__V1__FINISH__UNFINISHED
        case .stop: HEDDLE__CLIENT__V1__FINISH__STOP
        case .length: HEDDLE__CLIENT__V1__FINISH__LENGTH
        }
    }

    func pack(_ finished: FinishedRequest) -> [UInt8] {
        pack(
            make(heddle__client__v1__finished__init) { message in
                message.request_id = bytes(finished.id.bytes)
                message.n_choices = finished.choices.count
                message.choices = messages(
                    finished.choices.map { choice in
                        make(heddle__client__v1__choice_finish__init) {
                            $0.finish = finish(choice.finish)
                            $0.tokens = UInt32(clamping: choice.tokenCount)
                        }
                    })
                message.usage = make(heddle__client__v1__usage__init) {
                    $0.prompt_tokens = UInt64(clamping: finished.usage.promptTokenCount)
                    $0.completion_tokens = UInt64(clamping: finished.usage.generatedTokenCount)
                    $0.cached_tokens = UInt64(clamping: finished.cachedTokenCount)
                }
                message.timings = make(heddle__client__v1__timings__init) {
                    $0.queue_microseconds = finished.timings.queue.wireMicroseconds
                    $0.first_token_microseconds = finished.timings.firstToken.wireMicroseconds
                    $0.total_microseconds = finished.timings.total.wireMicroseconds
                }
            })
    }

    func pack(_ failure: RequestFailure, limits: ClientLimits) -> [UInt8] {
        pack(
            make(heddle__client__v1__failed__init) { message in
                message.request_id = bytes(failure.id?.bytes ?? [])
                message.code = bytes(failure.code)
                message.message = bytes(failure.message.cut(byteCountMax: limits.failureByteCountMax))
                message.parameter = bytes(failure.parameter ?? "")
                if let after = failure.retryAfter {
                    message.retry_case = HEDDLE__CLIENT__V1__FAILED__RETRY_RETRY_AFTER_MICROSECONDS
                    message.retry_after_microseconds = after.wireMicroseconds
                }
            })
    }

    func packBusy(_ id: RequestID, _ retryAfter: Duration) -> [UInt8] {
        pack(
            make(heddle__client__v1__busy__init) {
                $0.request_id = bytes(id.bytes)
                $0.retry_after_microseconds = retryAfter.wireMicroseconds
            })
    }

    func packPong(_ number: UInt64, _ incarnation: Incarnation, _ session: ClientRef) -> [UInt8] {
        pack(
            make(heddle__client__v1__pong__init) {
                $0.number = number
                $0.incarnation = bytes(incarnation.bytes)
                $0.session = session.number
            })
    }
}

// MARK: Reading

func readAccepted(_ payload: [UInt8], limits: ClientLimits) throws -> AcceptedRequest {
    let accepted = try unpacking(
        payload, heddle__client__v1__accepted__unpack, heddle__client__v1__accepted__free_unpacked
    ) { message in
        let id = try requestID(message.request_id)
        guard message.n_prompt_token_ids <= limits.promptTokenCountMax else {
            throw ClientFrameError(
                "prompt_token_ids has \(message.n_prompt_token_ids) tokens; at most \(limits.promptTokenCountMax) are allowed",
                requestID: id)
        }
        func digest(_ field: ProtobufCBinaryData, _ name: String) throws -> Digest {
            guard let digest = Digest(field.array) else {
                throw ClientFrameError("\(name) has \(Digest.byteCount) bytes; this one has \(field.len)", requestID: id)
            }
            return digest
        }
        var adapter: AdapterRef?
        if message.adapter.len > 0 {
            adapter = AdapterRef(
                name: AdapterName(try name(message.adapter, "adapter", AdapterName.isValid)),
                digest: try digest(message.adapter_digest, "adapter_digest"), rank: Int(message.adapter_rank))
        }
        return AcceptedRequest(
            id: id, promptTokenCount: Int(message.prompt_tokens),
            model: ModelName(try name(message.model, "model", ModelName.isValid)),
            modelDigest: try digest(message.model_digest, "model_digest"), adapter: adapter,
            router: NodeName(try name(message.node, "node", NodeName.isValid)),
            promptTokens: try elements(message.prompt_token_ids, message.n_prompt_token_ids)
                .map { try token($0, "prompt_token_ids", id) })
    }
    guard let accepted else { throw ClientFrameError("the payload is not an Accepted") }
    return accepted
}

func readTokens(_ payload: [UInt8], limits: ClientLimits) throws -> DeliveredTokens {
    let tokens = try unpacking(
        payload, memoryFactor: 16, heddle__client__v1__tokens__unpack, heddle__client__v1__tokens__free_unpacked
    ) { message in
        let id = try requestID(message.request_id)
        guard message.n_token_ids <= limits.messageTokenCountMax else {
            throw ClientFrameError(
                "token_ids has \(message.n_token_ids) tokens; at most \(limits.messageTokenCountMax) are allowed",
                requestID: id)
        }
        guard message.choice < UInt32(limits.request.choiceCountMax) else {
            throw ClientFrameError("choice \(message.choice) is above \(limits.request.choiceCountMax - 1)", requestID: id)
        }
        guard message.n_logprobs == 0 || message.n_logprobs == message.n_token_ids else {
            throw ClientFrameError(
                "logprobs has \(message.n_logprobs) entries for \(message.n_token_ids) tokens", requestID: id)
        }
        let tokens = try elements(message.token_ids, message.n_token_ids).map { try token($0, "token_ids", id) }
        return DeliveredTokens(
            id: id, choice: Int(message.choice), firstIndex: Int(message.first_index), tokens: tokens,
            text: try sentence(message.text, "text", byteCountMax: limits.messageTextByteCountMax),
            logprobs: try zip(tokens, elements(message.logprobs, message.n_logprobs)).map { token, entry in
                try readLogprobs(entry?.pointee, of: token, id, limits: limits)
            },
            finish: try readFinish(message.finish, id))
    }
    guard let tokens else { throw ClientFrameError("the payload is not a Tokens") }
    return tokens
}

private func readLogprobs(
    _ message: Heddle__Client__V1__TokenLogprobs?, of chosen: TokenID, _ id: RequestID, limits: ClientLimits
) throws -> TokenLogprobs {
    guard let message, !message.logprob.isNaN, message.n_top_ids == message.n_top_logprobs,
        message.n_top_ids <= limits.request.logprobCountMax
    else {
        throw ClientFrameError(
            "logprobs holds a number per token and at most \(limits.request.logprobCountMax) likeliest", requestID: id)
    }
    let logprobs = elements(message.top_logprobs, message.n_top_logprobs)
    guard !logprobs.contains(where: \.isNaN) else {
        throw ClientFrameError("top_logprobs holds something that is not a number", requestID: id)
    }
    let ids = try elements(message.top_ids, message.n_top_ids).map { try token($0, "top_ids", id) }
    return TokenLogprobs(
        token: chosen, logprob: message.logprob, top: zip(ids, logprobs).map { .init(token: $0, logprob: $1) })
}

func readFinished(_ payload: [UInt8], limits: ClientLimits) throws -> FinishedRequest {
    let finished = try unpacking(
        payload, memoryFactor: 16, heddle__client__v1__finished__unpack, heddle__client__v1__finished__free_unpacked
    ) { message in
        let id = try requestID(message.request_id)
        guard (1...limits.request.choiceCountMax).contains(message.n_choices) else {
            throw ClientFrameError("choices has \(message.n_choices) entries", requestID: id)
        }
        let choices = try elements(message.choices, message.n_choices).map { entry in
            guard let entry, let reason = try readFinish(entry.pointee.finish, id) else {
                throw ClientFrameError("a choice of a finished request is unfinished", requestID: id)
            }
            return FinishedRequest.Choice(finish: reason, tokenCount: Int(entry.pointee.tokens))
        }
        let usage = message.usage?.pointee
        let timings = message.timings?.pointee
        return FinishedRequest(
            id: id, choices: choices,
            usage: .init(
                promptTokenCount: Int(clamping: usage?.prompt_tokens ?? 0),
                generatedTokenCount: Int(clamping: usage?.completion_tokens ?? 0)),
            cachedTokenCount: Int(clamping: usage?.cached_tokens ?? 0),
            timings: .init(
                queue: Duration(wireMicroseconds: timings?.queue_microseconds ?? 0),
                firstToken: Duration(wireMicroseconds: timings?.first_token_microseconds ?? 0),
                total: Duration(wireMicroseconds: timings?.total_microseconds ?? 0)))
    }
    guard let finished else { throw ClientFrameError("the payload is not a Finished") }
    return finished
}

func readFailed(_ payload: [UInt8], limits: ClientLimits) throws -> RequestFailure {
    let failure = try unpacking(
        payload, heddle__client__v1__failed__unpack, heddle__client__v1__failed__free_unpacked
    ) { message in
        let id = message.request_id.len == 0 ? nil : try requestID(message.request_id)
        let parameter = try sentence(message.parameter, "parameter", byteCountMax: 128)
        return RequestFailure(
            id: id, code: try sentence(message.code, "code", byteCountMax: 128),
            message: try sentence(message.message, "message", byteCountMax: limits.failureByteCountMax),
            parameter: parameter.isEmpty ? nil : parameter,
            retryAfter: message.retry_case == HEDDLE__CLIENT__V1__FAILED__RETRY_RETRY_AFTER_MICROSECONDS
                ? Duration(wireMicroseconds: message.retry_after_microseconds) : nil)
    }
    guard let failure else { throw ClientFrameError("the payload is not a Failed") }
    return failure
}

func readBusy(_ payload: [UInt8]) throws -> ClientReply {
    let busy = try unpacking(
        payload, heddle__client__v1__busy__unpack, heddle__client__v1__busy__free_unpacked
    ) {
        ClientReply.busy(
            try requestID($0.request_id), retryAfter: Duration(wireMicroseconds: $0.retry_after_microseconds))
    }
    guard let busy else { throw ClientFrameError("the payload is not a Busy") }
    return busy
}

func readPong(_ payload: [UInt8]) throws -> ClientReply {
    let pong = try unpacking(
        payload, heddle__client__v1__pong__unpack, heddle__client__v1__pong__free_unpacked
    ) {
        ClientReply.pong(
            number: $0.number, incarnation: try incarnation($0.incarnation), session: ClientRef($0.session))
    }
    guard let pong else { throw ClientFrameError("the payload is not a Pong") }
    return pong
}

// MARK: Fields

private func readFinish(_ finish: Heddle__Client__V1__Finish, _ id: RequestID) throws -> FinishReason? {
    switch finish {
    case HEDDLE__CLIENT__V1__FINISH__UNFINISHED: nil
    case HEDDLE__CLIENT__V1__FINISH__STOP: .stop
    case HEDDLE__CLIENT__V1__FINISH__LENGTH: .length
    default: throw ClientFrameError("finish is \(finish.rawValue), which has no meaning", requestID: id)
    }
}

private func token(_ wire: UInt32, _ field: String, _ id: RequestID) throws -> TokenID {
    guard let token = TokenID(exactly: wire) else {
        throw ClientFrameError("\(field) holds \(wire), which is no token id", requestID: id)
    }
    return token
}

/// A bounded UTF-8 text of a reply.
func sentence(_ field: ProtobufCBinaryData, _ name: String, byteCountMax: Int) throws -> String {
    guard field.len <= byteCountMax else {
        throw ClientFrameError("\(name) has \(field.len) bytes; at most \(byteCountMax) are allowed")
    }
    guard let text = String(validating: field.array, as: UTF8.self) else {
        throw ClientFrameError("\(name) is not UTF-8")
    }
    return text
}

/// A name of a reply: bounded, and of the characters that names have.
func name(_ field: ProtobufCBinaryData, _ name: String, _ isValid: (String) -> Bool) throws -> String {
    let text = try sentence(field, name, byteCountMax: NodeName.byteCountMax)
    guard isValid(text) else { throw ClientFrameError("\(name) is not a name") }
    return text
}

extension String {
    /// The longest beginning of at most this many bytes that ends with a whole character.
    func cut(byteCountMax: Int) -> String {
        guard utf8.count > byteCountMax else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: byteCountMax)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
