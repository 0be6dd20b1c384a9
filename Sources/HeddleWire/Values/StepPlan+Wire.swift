import HeddleCore

extension StepPlan: WireCodable {
    public static var wireByteCountMin: Int { 16 }

    public func encode(into writer: inout WireWriter) {
        step.encode(into: &writer)
        segments.encode(into: &writer)
        givenUp.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let step = try UInt64(from: &reader)
        let segments = try [Segment](from: &reader)
        self.init(step: step, segments: segments, givenUp: try [BlockID](from: &reader))
    }
}

extension StepPlan.Segment: WireCodable {
    public static var wireByteCountMin: Int { 8 + 1 + 4 + 8 + 8 + 4 + 8 + 1 }

    public func encode(into writer: inout WireWriter) {
        sequence.encode(into: &writer)
        adapter.encode(into: &writer)
        tokens.encode(into: &writer)
        firstPosition.encode(into: &writer)
        promptTokenCount.encode(into: &writer)
        blocks.encode(into: &writer)
        realm.encode(into: &writer)
        writer.write(byte: logits.rawValue)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let sequence = try SequenceID(from: &reader)
        let adapter = try AdapterSlot?(from: &reader)
        let tokens = try [TokenID](from: &reader)
        let positionStart = reader.offset
        let firstPosition = try Int(from: &reader)
        guard firstPosition >= 0, !firstPosition.addingReportingOverflow(tokens.count).overflow else {
            throw reader.outOfRange("Segment", rule: "positions that are not negative", start: positionStart)
        }
        let promptStart = reader.offset
        let promptTokenCount = try Int(from: &reader)
        guard promptTokenCount >= 0 else {
            throw reader.outOfRange("Segment", rule: "a prompt's length is not negative", start: promptStart)
        }
        let blocks = try [BlockID](from: &reader)
        let realm = try UInt64(from: &reader)
        let tag = try reader.readByte()
        guard let logits = StepPlan.LogitsWanted(rawValue: tag) else {
            throw reader.unknownCase(of: "LogitsWanted", tag: tag)
        }
        self.init(
            sequence: sequence, adapter: adapter, tokens: tokens, firstPosition: firstPosition,
            promptTokenCount: promptTokenCount, blocks: blocks, realm: realm, logits: logits)
    }
}
