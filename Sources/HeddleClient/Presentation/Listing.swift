import HeddleCore

/// One of the lists that `heddle get` shows, as a table or as JSON.
public struct Listing: Hashable, Sendable {
    /// What can be listed.
    public enum Subject: String, CaseIterable, Hashable, Sendable {
        case nodes, actors, tenants, adapters, workers, requests

        /// What to ask each node.
        public var query: InspectionQuery.Subject {
            switch self {
            case .nodes: .node
            case .actors: .actors
            case .tenants: .tenants
            case .adapters: .adapters
            case .workers: .workers
            case .requests: .requests
            }
        }

        /// One entry of it, in a sentence.
        public var singular: String { String(rawValue.dropLast()) }
    }

    public private(set) var table: TextTable
    /// As many as the table has rows.
    public private(set) var entries: [JSONValue]

    /// - Parameters:
    ///   - name: only the entries of this name (of a group, for workers; of an id, for actors and requests).
    ///   - isWide: whether the table has every column.
    public init(_ subject: Subject, of picture: MeshPicture, name: String? = nil, isWide: Bool = false) {
        func build<Entry>(
            _ all: [Entry], named: (Entry) -> String, json: (Entry) -> JSONValue, _ columns: [Cell<Entry>]
        ) -> (TextTable, [JSONValue]) {
            let entries = all.filter { entry in name.map { named(entry) == $0 } ?? true }
            let columns = columns.filter { isWide || !$0.isWide }
            return (
                TextTable(columns.map(\.column), rows: entries.map { entry in columns.map { $0.text(entry) } }),
                entries.map(json)
            )
        }
        (table, entries) =
            switch subject {
            case .nodes: build(picture.nodes, named: \.name.text, json: ReportJSON.node, Self.nodeCells)
            case .actors: build(picture.actors, named: \.id, json: ReportJSON.actor, Self.actorCells)
            case .tenants: build(picture.tenants, named: \.name.text, json: ReportJSON.tenant, Self.tenantCells)
            case .adapters: build(picture.adapters, named: \.name.text, json: ReportJSON.adapter, Self.adapterCells)
            case .workers: build(picture.workers, named: \.group.text, json: ReportJSON.worker, Self.workerCells)
            case .requests:
                build(picture.requests, named: \.id.description, json: ReportJSON.request, Self.requestCells)
            }
    }

    /// Sorts by a member of the entries' JSON, such as `age_seconds` or `state.name`: numbers the largest first, texts by
    /// letter.
    ///
    /// - Throws: `UnknownKey` where the entries have no such member.
    public mutating func sort(by key: String) throws(UnknownKey) {
        let keys = entries.map { $0.member(at: key) }
        guard let first = entries.first else { return }
        guard keys.allSatisfy({ $0 != nil }) else { throw UnknownKey(key: key, known: first.memberKeys) }
        let order = entries.indices.sorted { left, right in
            switch (keys[left]?.number, keys[right]?.number) {
            case (let left?, let right?) where left != right: left > right
            case (.some, .some): left < right
            default:
                (keys[left]?.line ?? "", left) < (keys[right]?.line ?? "", right)
            }
        }
        table.rows = order.map { table.rows[$0] }
        entries = order.map { entries[$0] }
    }

    /// What entries cannot be sorted by.
    public struct UnknownKey: Error, CustomStringConvertible {
        public let key: String
        public let known: [String]
        public var description: String { "entries have no “\(key)”; they have \(known.joined(separator: ", "))" }
    }

    /// A column, and what it shows of an entry.
    struct Cell<Entry>: Sendable {
        let column: TextTable.Column
        let isWide: Bool
        let text: @Sendable (Entry) -> String

        static func text(_ title: String, wide: Bool = false, _ text: @escaping @Sendable (Entry) -> String) -> Cell {
            Cell(column: .text(title), isWide: wide, text: text)
        }

        static func number(_ title: String, wide: Bool = false, _ text: @escaping @Sendable (Entry) -> String) -> Cell {
            Cell(column: .number(title), isWide: wide, text: text)
        }

        static func count<Count: BinaryInteger & SendableMetatype>(
            _ title: String, wide: Bool = false, _ count: @escaping @Sendable (Entry) -> Count
        ) -> Cell {
            Cell(column: .number(title), isWide: wide, text: { String(count($0)) })
        }

        static func duration(_ title: String, wide: Bool = false, _ duration: @escaping @Sendable (Entry) -> Duration)
            -> Cell
        {
            Cell(column: .number(title), isWide: wide, text: { Quantities.duration(duration($0)) })
        }
    }
}
