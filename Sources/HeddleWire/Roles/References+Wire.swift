import HeddleCore

extension GroupEpoch: WireCodable {
    public static var wireByteCountMin: Int { 12 }

    public func encode(into writer: inout WireWriter) {
        group.encode(into: &writer)
        epoch.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let group = try GroupName(from: &reader)
        let epoch = try Epoch(from: &reader)
        self.init(group: group, epoch: epoch)
    }
}

extension RouterRef: WireCodable {
    public static var wireByteCountMin: Int { 20 }

    public func encode(into writer: inout WireWriter) {
        node.encode(into: &writer)
        incarnation.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let node = try NodeName(from: &reader)
        let incarnation = try Incarnation(from: &reader)
        self.init(node: node, incarnation: incarnation)
    }
}
