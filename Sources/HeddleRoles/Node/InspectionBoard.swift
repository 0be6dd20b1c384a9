import HeddleCore
import HeddleTransport

/// Keeps what each role published of itself last, readable from any thread: a stuck actor still shows what it was.
final class InspectionBoard: Sendable {
    /// One role's own state at a moment.
    struct Page: Sendable {
        var published: Instant
        /// `since` is filled in when it is read.
        var state: StateReport
        /// When the state got the name that it has.
        var stateSince: Instant
        var fields: [ReportField] = []
        var tables: [ReportTable] = []
        var tenants: [TenantReport] = []
        var adapters: [AdapterReport] = []
        var workers: [WorkerReport] = []
        var requests: [OpenRequestReport] = []

        init(published: Instant, state: StateReport) {
            self.published = published
            self.state = state
            stateSince = published
        }
    }

    private let pages = Locked<[String: Page]>([:])

    /// Replaces the actor's page.
    func publish(_ page: Page, for actor: String) {
        pages.withLock { pages in
            var page = page
            if let last = pages[actor], last.state.name == page.state.name { page.stateSince = last.stateSince }
            pages[actor] = page
        }
    }

    /// All pages, by actor.
    func all() -> [String: Page] { pages.withLock { $0 } }
}
