/// Decides which of the groups with room gets a request.
public enum PlacementPolicy: UInt8, Hashable, Sendable {
    /// A group that runs the adapter, then one that may still hold it, then any; among these the one with the fewest
    /// free KV positions, so that the others stay free for long requests; then by name.
    case pack
    /// The same, but with the most free KV positions first.
    case spread

    /// The group that the request goes to; nil when none has room.
    public func choose(for ticket: Ticket, among groups: [GroupTable.Group]) -> GroupTable.Group? {
        var best: GroupTable.Group?
        for group in groups where group.hasRoom(for: ticket) {
            guard let present = best else {
                best = group
                continue
            }
            if isBetter(group, than: present, for: ticket) { best = group }
        }
        return best
    }

    private func isBetter(_ left: GroupTable.Group, than right: GroupTable.Group, for ticket: Ticket) -> Bool {
        let distances = (Self.distance(of: left, to: ticket), Self.distance(of: right, to: ticket))
        if distances.0 != distances.1 { return distances.0 < distances.1 }
        if left.freeKVTokenCount != right.freeKVTokenCount {
            return (left.freeKVTokenCount < right.freeKVTokenCount) == (self == .pack)
        }
        return left.id < right.id
    }

    /// 0 when the group runs the adapter (or none is asked for), 1 when it may still hold it, 2 otherwise.
    private static func distance(of group: GroupTable.Group, to ticket: Ticket) -> Int {
        guard let digest = ticket.adapter?.digest else { return 0 }
        guard let use = group.adapters.first(where: { $0.digest == digest }) else { return 2 }
        return use.requestCount > 0 ? 0 : 1
    }
}
