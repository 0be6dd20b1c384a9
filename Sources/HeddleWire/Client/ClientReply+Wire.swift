import CHeddleWire
import HeddleCore

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

    func pack(_ scored: DeliveredPromptLogprobs) -> [UInt8] {
        pack(
            make(heddle__client__v1__prompt_logprobs__init) { message in
                message.request_id = bytes(scored.id.bytes)
                message.first_index = UInt32(clamping: scored.firstIndex)
                message.n_token_ids = scored.logprobs.count
                message.token_ids = array(scored.logprobs.map { UInt32(bitPattern: $0.token) })
                message.n_logprobs = scored.logprobs.count
                message.logprobs = messages(scored.logprobs.map(logprobs))
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
