import HeddleCore
import HeddleFiles
import HeddleGateway
import Testing

/// Which status and which of OpenAI's codes each of the router's errors has.
@Suite struct HTTPFailureTests {
    @Test(arguments: [
        (RequestError.wrongKey, 401, "invalid_api_key"), (.unknownTenant(TenantName("t")), 401, "invalid_api_key"),
        (.notPermitted(tenant: TenantName("t"), model: "m"), 403, "not_permitted"),
        (.unknownModel("m"), 404, "model_not_found"), (.unknownAdapter("a"), 404, "model_not_found"),
        (.emptyPrompt, 400, "empty_prompt"),
        (.promptTooLong(tokenCount: 9, tokenCountMax: 8), 400, "context_length_exceeded"),
        (.promptTextTooLong(byteCount: 9, byteCountMax: 8), 400, "prompt_text_too_long"),
        (.promptTokenOutOfRange(token: 9, vocabularyCount: 8), 400, "prompt_token_out_of_range"),
        (.invalidParameter(name: "top_p", value: "2", rule: "less"), 400, "invalid_parameter"),
        (.adapterInvalid(adapter: "a", reason: "r"), 422, "adapter_invalid"),
        (.schemaInvalid(reason: "/not"), 400, "invalid_schema"),
        (.busy(retryAfter: .milliseconds(250)), 429, "rate_limit_exceeded"),
        (.tenantLaneFull(depthMax: 4), 429, "rate_limit_exceeded"), (.noCapacity(reason: "r"), 503, "no_capacity"),
        (.shuttingDown, 503, "shutting_down"), (.deadlineExceeded(after: .seconds(1)), 504, "deadline_exceeded"),
        (.workerLost(losses: 2), 500, "worker_lost"), (.cancelled, 409, "cancelled"),
        (.protocolViolation(reason: "r"), 409, "request_conflict"),
    ])
    func eachErrorHasItsStatus(error: (error: RequestError, status: Int, code: String)) {
        let failure = HTTPFailure(error.error)
        #expect(failure.status == error.status && failure.code == error.code)
        #expect(failure.message == error.error.description)
    }

    @Test func fieldsAreNamedAsTheCallNamesThem() {
        #expect(HTTPFailure(.emptyPrompt, promptField: "messages").parameter == "messages")
        #expect(HTTPFailure(.emptyPrompt).parameter == "prompt")
        let tooMany = RequestError.invalidParameter(name: "logprobs", value: "21", rule: "less")
        #expect(HTTPFailure(tooMany, promptField: "messages").parameter == "top_logprobs")
        #expect(HTTPFailure(tooMany).parameter == "logprobs")
        #expect(HTTPFailure(.wrongKey).parameter == nil)
    }

    @Test func onlyWhatMayPassIsTriedAgain() {
        #expect(HTTPFailure(.busy(retryAfter: .milliseconds(250))).retryAfter == .milliseconds(250))
        #expect(HTTPFailure(.tenantLaneFull(depthMax: 4)).retryAfter != nil)
        #expect(HTTPFailure(.deadlineExceeded(after: .seconds(1))).isFinal)
        #expect(HTTPFailure(.workerLost(losses: 2)).isFinal)
        #expect(!HTTPFailure(.noCapacity(reason: "")).isFinal)
    }

    @Test func theBodyIsOpenAIsErrorObject() throws {
        let failure = HTTPFailure.invalid("n\"", "a \\ b\n\u{1}ü")
        let value = try JSONParser.parse(failure.body)
        let error = try #require(value.object?["error"]?.object)
        #expect(error["message"]?.text == "a \\ b\n\u{1}ü" && error["param"]?.text == "n\"")
        #expect(error["type"]?.text == "invalid_request_error" && error["code"]?.text == "invalid_parameter")
    }
}
