import CHeddleWire
import HeddleCore

// MARK: Writing

extension MessageArena {
    func pack(_ submission: ClientSubmission) -> [UInt8] {
        pack(
            make(heddle__client__v1__submit__init) { message in
                message.request_id = bytes(submission.id.bytes)
                message.key = bytes(submission.key ?? "")
                message.tenant = bytes(submission.tenant?.text ?? "")
                message.model = bytes(submission.model)
                switch submission.prompt {
                case .text(let text):
                    message.prompt_case = HEDDLE__CLIENT__V1__SUBMIT__PROMPT_TEXT
                    message.text = bytes(text)
                case .tokens(let tokens):
                    message.prompt_case = HEDDLE__CLIENT__V1__SUBMIT__PROMPT_TOKEN_IDS
                    message.token_ids = make(heddle__client__v1__token_ids__init) { list in
                        list.n_ids = tokens.count
                        list.ids = array(tokens.map(UInt32.init(bitPattern:)))
                    }
                }
                message.sampling = sampling(submission.sampling)
                if let deadline = submission.deadline {
                    message.deadline_case = HEDDLE__CLIENT__V1__SUBMIT__DEADLINE_DEADLINE_MICROSECONDS
                    message.deadline_microseconds = deadline.wireMicroseconds
                }
                if let credit = submission.creditTokens {
                    message.credit_case = HEDDLE__CLIENT__V1__SUBMIT__CREDIT_CREDIT_TOKENS
                    message.credit_tokens = UInt64(clamping: credit)
                }
                message.echo_prompt = submission.echoesPrompt ? 1 : 0
                if submission.resumeFrom.contains(where: { $0 != 0 }) {
                    message.n_resume_from = submission.resumeFrom.count
                    message.resume_from = array(submission.resumeFrom.map(UInt32.init(clamping:)))
                }
            })
    }

    func packCancel(_ id: RequestID) -> [UInt8] {
        pack(make(heddle__client__v1__cancel__init) { $0.request_id = bytes(id.bytes) })
    }

    func packCredit(_ id: RequestID, _ tokenCount: Int) -> [UInt8] {
        pack(
            make(heddle__client__v1__credit__init) {
                $0.request_id = bytes(id.bytes)
                $0.tokens = UInt64(clamping: tokenCount)
            })
    }

    func packPing(_ number: UInt64) -> [UInt8] {
        pack(make(heddle__client__v1__ping__init) { $0.number = number })
    }
}

// MARK: Reading

func readSubmission(_ payload: [UInt8], limits: ClientLimits) throws -> ClientSubmission {
    let submission = try unpacking(
        // An entry of logit_bias takes 9 bytes and some 110 in structures: with less than that, too many of them could not be read,
        // and not be named.
        payload, memoryFactor: 14, heddle__client__v1__submit__unpack, heddle__client__v1__submit__free_unpacked
    ) { message in
        let id = try requestID(message.request_id)
        do throws(RequestError) {
            return try readSubmission(message, id: id, limits: limits)
        } catch {
            throw ClientFrameError(requestID: id, error: error)
        }
    }
    guard let submission else { throw ClientFrameError("the payload is not a Submit") }
    return submission
}

private func readSubmission(
    _ message: Heddle__Client__V1__Submit, id: RequestID, limits: ClientLimits
) throws(RequestError) -> ClientSubmission {
    let prompt: ClientSubmission.Prompt
    switch message.prompt_case {
    case HEDDLE__CLIENT__V1__SUBMIT__PROMPT_TEXT:
        guard message.text.len <= limits.request.promptByteCountMax else {
            throw .promptTextTooLong(byteCount: message.text.len, byteCountMax: limits.request.promptByteCountMax)
        }
        let bytes = message.text.array
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .promptNotUTF8(byteOffset: UTF8Check.firstInvalidOffset(bytes) ?? 0)
        }
        prompt = .text(text)
    case HEDDLE__CLIENT__V1__SUBMIT__PROMPT_TOKEN_IDS:
        let ids = elements(message.token_ids?.pointee.ids, message.token_ids?.pointee.n_ids ?? 0)
        guard ids.count <= limits.promptTokenCountMax else {
            throw .promptTooLong(tokenCount: ids.count, tokenCountMax: limits.promptTokenCountMax)
        }
        prompt = .tokens(try tokens(ids))
    default: throw .emptyPrompt
    }
    let sampling = try readSampling(message.sampling?.pointee, id: id, limits: limits)
    let key = try text(message.key, "key", byteCountMax: limits.keyByteCountMax) { _, _ in .wrongKey }
    let tenant = try text(message.tenant, "tenant", byteCountMax: TenantName.byteCountMax)
    let resumeFrom = elements(message.resume_from, message.n_resume_from).map(Int.init)
    let submission = ClientSubmission(
        id: id, key: key.isEmpty ? nil : key, tenant: tenant.isEmpty ? nil : TenantName(tenant),
        model: try text(message.model, "model", byteCountMax: limits.modelByteCountMax), prompt: prompt,
        sampling: sampling,
        deadline: message.deadline_case == HEDDLE__CLIENT__V1__SUBMIT__DEADLINE_DEADLINE_MICROSECONDS
            ? Duration(wireMicroseconds: message.deadline_microseconds) : nil,
        creditTokens: message.credit_case == HEDDLE__CLIENT__V1__SUBMIT__CREDIT_CREDIT_TOKENS
            ? Int(clamping: message.credit_tokens) : nil,
        resumeFrom: resumeFrom.isEmpty ? nil : resumeFrom, echoesPrompt: message.echo_prompt != 0)
    if let error = submission.firstError(limits: limits) { throw error }
    return submission
}

func readCancel(_ payload: [UInt8]) throws -> RequestID {
    let id = try unpacking(
        payload, heddle__client__v1__cancel__unpack, heddle__client__v1__cancel__free_unpacked
    ) { try requestID($0.request_id) }
    guard let id else { throw ClientFrameError("the payload is not a Cancel") }
    return id
}

func readCredit(_ payload: [UInt8], limits: ClientLimits) throws -> ClientMessage {
    let credit = try unpacking(
        payload, heddle__client__v1__credit__unpack, heddle__client__v1__credit__free_unpacked
    ) { message in
        let id = try requestID(message.request_id)
        guard (1...UInt64(limits.creditTokensMax)).contains(message.tokens) else {
            throw ClientFrameError(
                requestID: id,
                error: .invalidParameter(
                    name: "tokens", value: "\(message.tokens)",
                    rule: "a whole number from 1 to \(limits.creditTokensMax)"))
        }
        return ClientMessage.credit(id, tokenCount: Int(message.tokens))
    }
    guard let credit else { throw ClientFrameError("the payload is not a Credit") }
    return credit
}

func readPing(_ payload: [UInt8]) throws -> UInt64 {
    let number = unpacking(
        payload, heddle__client__v1__ping__unpack, heddle__client__v1__ping__free_unpacked
    ) { $0.number }
    guard let number else { throw ClientFrameError("the payload is not a Ping") }
    return number
}

// MARK: Fields

private func tokens(_ ids: UnsafeBufferPointer<UInt32>) throws(RequestError) -> [TokenID] {
    var tokens: [TokenID] = []
    tokens.reserveCapacity(ids.count)
    for id in ids {
        guard let token = TokenID(exactly: id) else {
            throw .promptTokenOutOfRange(token: TokenID(bitPattern: id), vocabularyCount: Int(TokenID.max))
        }
        tokens.append(token)
    }
    return tokens
}

/// A text of a submission, or the error that names it.
func text(
    _ field: ProtobufCBinaryData, _ name: String, byteCountMax: Int,
    error: (String, String) -> RequestError? = { _, _ in nil }
) throws(RequestError) -> String {
    func invalid(_ value: String, _ rule: String) -> RequestError {
        error(value, rule) ?? .invalidParameter(name: name, value: value, rule: rule)
    }
    guard field.len <= byteCountMax else {
        throw invalid("\(field.len) bytes", "a text of at most \(byteCountMax) bytes")
    }
    guard let text = String(validating: field.array, as: UTF8.self) else {
        throw invalid("a text that is not UTF-8", "UTF-8")
    }
    return text
}
