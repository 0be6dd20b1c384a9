import HeddleCore
import Synchronization

/// Keeps what each role published of itself last, readable from any thread: a stuck actor still shows what it was.
final class InspectionBoard: Sendable {
    /// One role's own state at a moment.
    struct Page: Sendable {
        var published: Instant
        var state: StateReport
        var fields: [ActorReport.Field] = []
        var tables: [ActorReport.Table] = []
        var tenants: [TenantReport] = []
        var adapters: [AdapterReport] = []
        var workers: [WorkerReport] = []
        var requests: [OpenRequestReport] = []
    }

    private let pages = Mutex<[String: Page]>([:])

    /// Replaces the actor's page.
    func publish(_ page: Page, for actor: String) { pages.withLock { $0[actor] = page } }

    func page(of actor: String) -> Page? { pages.withLock { $0[actor] } }

    /// All pages, by actor.
    func all() -> [(actor: String, page: Page)] {
        pages.withLock { pages in pages.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
}
