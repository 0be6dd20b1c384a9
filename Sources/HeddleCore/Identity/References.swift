/// One forming of a worker group: a frame that names an older epoch than the group's present one is dropped (law 4).
public struct GroupEpoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let group: GroupName
    public let epoch: Epoch

    public init(group: GroupName, epoch: Epoch) {
        self.group = group
        self.epoch = epoch
    }

    public static func < (left: Self, right: Self) -> Bool { (left.group, left.epoch) < (right.group, right.epoch) }
    public var description: String { "\(group)/\(epoch)" }
}

/// One start of a router process: who owns a request, and where a worker sends its tokens.
public struct RouterRef: Hashable, Sendable, CustomStringConvertible {
    public let node: NodeName
    public let incarnation: Incarnation

    public init(node: NodeName, incarnation: Incarnation) {
        self.node = node
        self.incarnation = incarnation
    }

    public var description: String { "\(node)@\(incarnation)" }
}

/// One connection of a client to its router; the router's shell numbers them and never reuses a number.
public struct ClientRef: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { String(number) }
}
