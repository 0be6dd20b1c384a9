import HeddleActors
import HeddleCore

/// What the cache tells whoever inspects it.
extension AdapterCache {
    /// Publishes at most ten times a second, and after the last event.
    func publishSoon() {
        guard !isPublishing else { return }
        let wait = Duration.milliseconds(100) - now().duration(since: published)
        guard wait > .zero else { return publish() }
        isPublishing = true
        outliving {
            _ = Task {
                try? await Task.sleep(for: wait)
                isPublishing = false
                publish()
            }
        }
    }

    func publish() {
        let moment = now()
        published = moment
        // Under these keys nobody will be asked for again unless it says where they come from.
        if sources.count > residency.entryCount { sources = sources.filter { residency.holds($0.key) } }
        let report = residency.report()
        let waiting = report.entries.count { $0.state.isOnTheWay }
        let starved = report.entries.count { if case .waitingForRoom = $0.state { true } else { false } }
        var reason = waiting > 0 ? "\(waiting) adapters load" : ""
        if starved > 0 { reason += ", \(starved) of them wait for room" }
        var page = InspectionBoard.Page(
            published: moment, state: StateReport(waiting > 0 ? "loading" : "idle", reason: reason))
        page.fields = [
            ReportField("packed", report.bytes, unit: "bytes"),
            ReportField("budget", report.byteCountMax, unit: "bytes"),
            ReportField("entries", report.entries.count), ReportField("holders", numbers.count),
            ReportField("hits", report.counts.hits), ReportField("loads", report.counts.loads),
            ReportField("failures", report.counts.failures), ReportField("evictions", report.counts.evictions),
            ReportField("directory", place.directory),
        ]
        var entries: [Digest: [AdapterResidencyReport.Entry]] = [:]
        for entry in report.entries {
            if case .digest(let digest) = entry.key.source { entries[digest, default: []].append(entry) }
        }
        var groups: [AdapterKey.Source: Set<String>] = [:]
        for (holder, key) in held { groups[key.source, default: []].insert(holder.hold.group.group.text) }
        page.adapters = place.order.map { source in
            let known = descriptions.known(source)
            return Self.report(
                source, known, known.flatMap { entries[$0.digest] } ?? [],
                places: known.flatMap { groups[.digest($0.digest)]?.sorted() } ?? [], moment)
        }
        board.publish(page, for: id.description)
    }

    private static func report(
        _ source: AdapterSource, _ known: AdapterRef?, _ entries: [AdapterResidencyReport.Entry], places: [String],
        _ moment: Instant
    ) -> AdapterReport {
        var residency = AdapterReport.Residency.unloaded
        var (reason, bytes, since) = ("", UInt64(0), Duration.zero)
        for entry in entries {
            since = moment.duration(since: entry.since)
            switch entry.state {
            case .ready(let count):
                residency = .resident
                bytes += UInt64(count)
            case .waitingForLoad, .loading, .writing: residency = .loading
            case .waitingForRoom(let count):
                residency = .loading
                reason = "waits for room: \(count) bytes"
            case .failed(let why, _):
                residency = .failed
                reason = why
            }
        }
        return AdapterReport(
            name: source.adapter, digest: known?.digest, rank: known?.rank ?? 0, byteCount: bytes, residency: residency,
            reason: reason, since: since, places: places, runningCount: 0)
    }
}

extension AdapterResidencyReport.State {
    fileprivate var isOnTheWay: Bool {
        switch self {
        case .waitingForLoad, .loading, .waitingForRoom, .writing: true
        case .ready, .failed: false
        }
    }
}
