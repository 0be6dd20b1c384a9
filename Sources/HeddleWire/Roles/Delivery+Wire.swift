import HeddleCore

extension Delivery: WireCodable {
    public static var wireByteCountMin: Int { 65 }

    public func encode(into writer: inout WireWriter) {
        from.encode(into: &writer)
        request.encode(into: &writer)
        attempt.encode(into: &writer)
        choice.encode(into: &writer)
        firstIndex.encode(into: &writer)
        tokens.encode(into: &writer)
        logprobs.encode(into: &writer)
        finish.encode(into: &writer)
        cachedTokenCount.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let from = try GroupEpoch(from: &reader)
        let request = try RequestID(from: &reader)
        let attempt = try Attempt(from: &reader)
        let choice = try Int(countFrom: &reader)
        let firstIndex = try Int(countFrom: &reader)
        let tokens = try [TokenID](from: &reader)
        let logprobs = try [TokenLogprobs](from: &reader)
        let finish = try FinishReason?(from: &reader)
        let cachedTokenCount = try Int(countFrom: &reader)
        self.init(
            from: from, request: request, attempt: attempt, choice: choice, firstIndex: firstIndex, tokens: tokens,
            logprobs: logprobs, finish: finish, cachedTokenCount: cachedTokenCount)
    }
}

extension PromptScores: WireCodable {
    public static var wireByteCountMin: Int { 44 }

    public func encode(into writer: inout WireWriter) {
        from.encode(into: &writer)
        request.encode(into: &writer)
        attempt.encode(into: &writer)
        firstIndex.encode(into: &writer)
        logprobs.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let from = try GroupEpoch(from: &reader)
        let request = try RequestID(from: &reader)
        let attempt = try Attempt(from: &reader)
        let firstIndex = try Int(countFrom: &reader)
        let logprobs = try [TokenLogprobs](from: &reader)
        self.init(from: from, request: request, attempt: attempt, firstIndex: firstIndex, logprobs: logprobs)
    }
}

extension TokenLogprobs: WireCodable {
    public static var wireByteCountMin: Int { 12 }

    public func encode(into writer: inout WireWriter) {
        token.encode(into: &writer)
        logprob.encode(into: &writer)
        top.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let token = try TokenID(from: &reader)
        let logprob = try Float(from: &reader)
        let top = try [Entry](from: &reader)
        self.init(token: token, logprob: logprob, top: top)
    }
}

extension TokenLogprobs.Entry: WireCodable {
    public static var wireByteCountMin: Int { 8 }

    public func encode(into writer: inout WireWriter) {
        token.encode(into: &writer)
        logprob.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let token = try TokenID(from: &reader)
        let logprob = try Float(from: &reader)
        self.init(token: token, logprob: logprob)
    }
}
