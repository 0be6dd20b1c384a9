import HeddleCore

/// The mesh on one screen: who is there, what runs, for whom, and what is missing.
public enum StatusScreen {
    /// Rows of each list; more are counted.
    public static let rowCountMax = 16

    public static func text(_ picture: MeshPicture, cluster: String, _ paint: Paint = .plain) -> String {
        let nodeCount = picture.nodes.count + picture.missing.count
        let health = picture.isDegraded ? paint.warning("degraded") : "well"
        var text = "cluster \(cluster): \(health), \(picture.nodes.count) of \(nodeCount) nodes answer\n"
        for missing in picture.missing {
            text += paint.warning("node \(missing.node) is missing: \(missing.reason)") + "\n"
        }
        for finding in Diagnosis(picture).findings { text += paint.warning(finding.line) + "\n" }
        for node in picture.nodes where !node.state.reason.isEmpty {
            text += "node \(node.name) is \(node.state.name): \(node.state.reason)\n"
        }
        for subject in [Listing.Subject.nodes, .workers, .tenants, .adapters] {
            text += section(subject, of: picture, paint)
        }
        return text + "\n" + requests(picture.requests) + "\n"
    }

    /// The same for programs: what is wrong, and every list.
    public static func json(_ picture: MeshPicture, cluster: String) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("cluster", .text(cluster)), .init("degraded", .boolean(picture.isDegraded)),
            .init("findings", .array(Diagnosis(picture).findings.map(\.json))),
            .init(
                "missing",
                .array(
                    picture.missing.map {
                        .object([.init("node", .text($0.node.text)), .init("reason", .text($0.reason))])
                    })),
        ]
        for subject in [Listing.Subject.nodes, .workers, .tenants, .adapters, .requests] {
            members.append(.init(subject.rawValue, .array(Listing(subject, of: picture).entries)))
        }
        members.append(.init("omitted", .count(picture.omittedCount)))
        return .object(members)
    }

    private static func section(_ subject: Listing.Subject, of picture: MeshPicture, _ paint: Paint) -> String {
        var table = Listing(subject, of: picture).table
        guard !table.rows.isEmpty else { return "" }
        let leftOut = table.rows.count - rowCountMax
        if leftOut > 0 { table.rows.removeLast(leftOut) }
        let more = leftOut > 0 ? "and \(leftOut) more: heddle get \(subject.rawValue)\n" : ""
        return "\n\(subject.rawValue)\n" + table.text(paint) + more
    }

    /// `3 requests: 2 decoding, 1 queued`.
    private static func requests(_ requests: [OpenRequestReport]) -> String {
        guard !requests.isEmpty else { return "no open requests" }
        let states = Dictionary(grouping: requests, by: \.state.name).map { ($0.key, $0.value.count) }
        let counts = states.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map { "\($0.1) \($0.0)" }
        return "\(requests.count) open request\(requests.count == 1 ? "" : "s"): " + counts.joined(separator: ", ")
    }
}
