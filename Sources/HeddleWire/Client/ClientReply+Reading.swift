import CHeddleWire
import HeddleCore

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
                throw ClientFrameError(
                    "\(name) has \(Digest.byteCount) bytes; this one has \(field.len)", requestID: id)
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
            throw ClientFrameError(
                "choice \(message.choice) is above \(limits.request.choiceCountMax - 1)", requestID: id)
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

func readPromptLogprobs(_ payload: [UInt8], limits: ClientLimits) throws -> DeliveredPromptLogprobs {
    let scored = try unpacking(
        payload, memoryFactor: 16, heddle__client__v1__prompt_logprobs__unpack,
        heddle__client__v1__prompt_logprobs__free_unpacked
    ) { message in
        let id = try requestID(message.request_id)
        guard (1...limits.messageTokenCountMax).contains(message.n_token_ids), message.first_index > 0,
            message.n_logprobs == message.n_token_ids
        else {
            throw ClientFrameError(
                "1 to \(limits.messageTokenCountMax) prompt tokens behind the first have as many logprobs",
                requestID: id)
        }
        let tokens = try elements(message.token_ids, message.n_token_ids).map { try token($0, "token_ids", id) }
        return DeliveredPromptLogprobs(
            id: id, firstIndex: Int(message.first_index),
            logprobs: try zip(tokens, elements(message.logprobs, message.n_logprobs)).map { token, entry in
                try readLogprobs(entry?.pointee, of: token, id, limits: limits)
            })
    }
    guard let scored else { throw ClientFrameError("the payload is not a PromptLogprobs") }
    return scored
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
                generatedTokenCount: Int(clamping: usage?.completion_tokens ?? 0),
                cachedTokenCount: Int(clamping: usage?.cached_tokens ?? 0)),
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
