import HeddleCore

/// What is wrong in a picture of the mesh, worst first: who is behind, since when, waiting for what, and whose requests it hurts.
public struct Diagnosis: Hashable, Sendable {
    /// One thing that is wrong.
    public struct Finding: Hashable, Sendable {
        /// A node, an actor, a group or a tenant.
        public var subject: String
        /// As a sentence.
        public var text: String
        public var since: Duration
        /// Tenants with open requests that depend on it.
        public var tenants: [String]
        /// Open requests that depend on it.
        public var requestCount: Int

        public var json: JSONValue {
            .object([
                .init("subject", .text(subject)), .init("text", .text(text)), .init("since_seconds", .seconds(since)),
                .init("tenants", .texts(tenants)), .init("requests", .count(requestCount)),
            ])
        }

        /// One line for people.
        public var line: String {
            var line = "\(subject): \(text)"
            if since > .zero { line += ", for \(Quantities.duration(since))" }
            if requestCount > 0 {
                line +=
                    "; hurts \(requestCount) request\(requestCount == 1 ? "" : "s") of \(tenants.joined(separator: ", "))"
            }
            return line
        }
    }

    public private(set) var findings: [Finding] = []

    /// A call that waits longer than this for an actor is worth a person's look.
    public static let behindAfter: Duration = .seconds(1)
    /// A request that is not run for longer than this, too.
    public static let waitsAfter: Duration = .seconds(5)

    public init(_ picture: MeshPicture) {
        missing(picture)
        actors(picture)
        workers(picture)
        tenants(picture)
    }

    private mutating func add(
        _ subject: String, _ text: String, since: Duration = .zero, _ requests: [OpenRequestReport]
    ) {
        findings.append(
            Finding(
                subject: subject, text: text, since: since, tenants: Set(requests.map(\.tenant.text)).sorted(),
                requestCount: requests.count))
    }

    /// A dead process is gone for its neighbours; one that stands still is at first connected to them.
    private mutating func missing(_ picture: MeshPicture) {
        for missing in picture.missing {
            let views = picture.nodes.flatMap { node in
                node.peers.filter { $0.node == missing.node }.map { (node.name, $0.state) }
            }
            var text = "does not answer (\(missing.reason))"
            var since = Duration.zero
            if let (node, state) = views.first(where: { $0.1.name != "connected" }) {
                text += "; \(node) says it is \(state.name)"
                since = views.filter { $0.1.name != "connected" }.map(\.1.since).max() ?? .zero
            } else if let (node, _) = views.first {
                text += "; \(node) is still connected to it, so it stands still or is just gone"
            }
            let present = Set(picture.workers.map(\.group))
            let groups = Set(picture.requests.compactMap(\.group)).subtracting(present)
            add(
                missing.node.text, text, since: since,
                picture.requests.filter { request in request.group.map(groups.contains) ?? false })
        }
    }

    private mutating func actors(_ picture: MeshPicture) {
        for actor in picture.actors.sorted(by: { ($1.oldestAge, $0.id) < ($0.oldestAge, $1.id) }) {
            let isStuck = actor.state.name == "stuck"
            guard isStuck || actor.oldestAge > Self.behindAfter else { continue }
            var text = isStuck ? "is stuck \(actor.state.reason)" : "is behind: \(actor.mailboxDepth) calls wait"
            if let call = actor.calls.first {
                text += isStuck ? "" : ", in \(call.method) from \(call.caller.isEmpty ? "its own node" : call.caller)"
            }
            let worker = picture.workers.first { $0.node == actor.node && actor.role == "gpu-worker" }
            let hurt = picture.requests.filter { request in
                switch actor.role {
                case "gpu-worker": request.group != nil && request.group == worker?.group
                case "router": request.router == actor.node
                case "tenant-queue": request.group == nil
                default: false
                }
            }
            add(actor.id, text, since: isStuck ? actor.state.since : actor.oldestAge, hurt)
        }
    }

    private mutating func workers(_ picture: MeshPicture) {
        for worker in picture.workers where worker.state.name == "waiting" && worker.rank == 0 {
            add(
                worker.group.text, "has no epoch: \(worker.state.reason)", since: worker.state.since,
                picture.requests.filter { $0.group == worker.group || $0.group == nil })
        }
    }

    /// Who waits, and what the queue says about why.
    private mutating func tenants(_ picture: MeshPicture) {
        let late = picture.requests.filter { $0.state.name == "queued" && $0.state.since > Self.waitsAfter }
        for (tenant, requests) in Dictionary(grouping: late, by: \.tenant.text).sorted(by: { $0.key < $1.key }) {
            let reason = picture.actors.lazy.filter { $0.role == "tenant-queue" }.flatMap(\.tables)
                .filter { $0.title == "lanes" }.flatMap(\.rows).first { $0.first == tenant }?.last
            add(
                "tenant \(tenant)", "\(requests.count) requests wait: \(reason ?? requests[0].state.reason)",
                since: requests.map(\.state.since).max() ?? .zero, requests)
        }
    }
}
