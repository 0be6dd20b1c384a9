import ArgumentParser
import HeddleClient
import HeddleCluster
import HeddleCore

/// Shows where one request was, by time.
struct Trace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Show a request across the actors: what was done, where it waited and for what.",
        discussion: """
            Also while it runs, and for the latest requests of each node afterwards. Without an id: the latest requests.

            Examples:
              heddle trace
              heddle trace 3f2a
              heddle trace 3f2a -f
              heddle trace 3f2a -o json

            Exit codes: 0 shown, 1 no such request, 2 a node did not answer: a part may be missing.
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var inspection: InspectionOptions

    @Flag(name: .shortAndLong, help: "Show it again and again until it has ended.")
    var follow = false

    @Option(name: .shortAndLong, help: "table, json or yaml.")
    var output: OutputForm = .table

    @Argument(help: "The request's id, or how it begins.")
    var request: String?

    func run() async throws {
        let configuration = try mesh.load()
        while true {
            let answers = try await inspection.answers(
                of: configuration, InspectionQuery(.traces, name: request?.lowercased()))
            let spans = answers.compactMap(\.report).flatMap(\.spans)
            let requests = Set(spans.map(\.request)).sorted()
            guard let request else { return try list(spans, answers) }
            guard let only = requests.first else {
                let picture = MeshPicture(answers)
                picture.complainOfMissing()
                throw CommandFailure(
                    "no trace of a request “\(request)”"
                        + (picture.missing.isEmpty ? "" : " on the nodes that answered"),
                    exit: picture.missing.isEmpty ? .notFound : .degraded)
            }
            guard requests.count == 1, let waterfall = Waterfall(only, in: answers) else {
                throw CommandFailure(
                    "\(requests.count) requests begin with “\(request)”: "
                        + requests.prefix(8).map { String($0.description.prefix(12)) }.joined(separator: ", "),
                    exit: .notFound)
            }
            switch output {
            case .json: Terminal.print(waterfall.json.lines)
            case .yaml: Terminal.print(waterfall.json.yaml)
            case .table, .wide: print(waterfall.text(.standardOutput), terminator: "")
            }
            if follow, waterfall.isOpen {
                try await Task.sleep(for: .seconds(1))
                Terminal.print("")
                continue
            }
            if !waterfall.missing.isEmpty { throw ExitCode.degraded }
            return
        }
    }

    /// The latest requests, newest first.
    private func list(_ spans: [SpanReport], _ answers: [NodeAnswer]) throws {
        let picture = MeshPicture(answers)
        let roots = spans.filter { $0.name == .request }.sorted { $0.startAge < $1.startAge }
        func fact(_ span: SpanReport, _ key: String) -> String {
            span.fields.first { $0.key == key }?.value.description ?? ""
        }
        switch output {
        case .json, .yaml:
            let value = JSONValue.object([
                .init(
                    "requests",
                    .array(
                        roots.map { root in
                            .object([
                                .init("id", .text(root.request.description)),
                                .init("tenant", .text(fact(root, "tenant"))),
                                .init("model", .text(fact(root, "model"))), .init("open", .boolean(root.isOpen)),
                                .init("age_seconds", .seconds(root.startAge)),
                                .init("duration_seconds", .seconds(root.duration)),
                                .init("error", root.error.map { .text($0) } ?? .null),
                            ])
                        }))
            ])
            Terminal.print(output == .json ? value.lines : value.yaml)
        case .table, .wide:
            let table = TextTable(
                [
                    .text("REQUEST"), .text("TENANT"), .text("MODEL"), .text("STATE"), .number("AGO"), .number("TOOK"),
                    .number("TOKENS"),
                ],
                rows: roots.map { root in
                    [
                        root.request.description, fact(root, "tenant"), fact(root, "model"),
                        root.isOpen ? "open" : root.error ?? "finished", Quantities.duration(root.startAge),
                        Quantities.duration(root.duration), fact(root, "generated"),
                    ]
                })
            print(table.text(.standardOutput), terminator: "")
        }
        picture.complainOfMissing()
        if !picture.missing.isEmpty { throw ExitCode.degraded }
    }
}
