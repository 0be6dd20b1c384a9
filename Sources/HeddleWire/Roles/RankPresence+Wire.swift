import HeddleCore

extension RankPresence: WireCodable {
    public static var wireByteCountMin: Int { 80 }

    public func encode(into writer: inout WireWriter) {
        rank.encode(into: &writer)
        node.encode(into: &writer)
        incarnation.encode(into: &writer)
        capabilities.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let rank = try Int(countFrom: &reader)
        let node = try NodeName(from: &reader)
        let incarnation = try Incarnation(from: &reader)
        let capabilities = try RankCapabilities(from: &reader)
        self.init(rank: rank, node: node, incarnation: incarnation, capabilities: capabilities)
    }
}

extension RankCapabilities: WireCodable {
    public static var wireByteCountMin: Int { 52 }

    public func encode(into writer: inout WireWriter) {
        model.encode(into: &writer)
        instructionSet.encode(into: &writer)
        contract.encode(into: &writer)
        rankCount.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let model = try Digest(from: &reader)
        let instructionSet = try String(from: &reader)
        let contract = try UInt64(from: &reader)
        let rankCount = try Int(countFrom: &reader)
        self.init(model: model, instructionSet: instructionSet, contract: contract, rankCount: rankCount)
    }
}
