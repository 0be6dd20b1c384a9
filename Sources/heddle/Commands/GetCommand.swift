import ArgumentParser
import HeddleClient
import HeddleCore

extension Listing.Subject: ExpressibleByArgument {}

/// Lists one kind of thing in the mesh.
struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "List nodes, actors, tenants, adapters, workers or requests.",
        discussion: """
            Examples:
              heddle get nodes
              heddle get adapters sql -o json
              heddle get workers -o wide

            Exit codes: 0 listed, 1 nothing of that name, 2 a node did not answer.
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var inspection: InspectionOptions

    @Option(name: .shortAndLong, help: "table, wide or json.")
    var output: OutputForm = .table

    @Argument(help: "nodes, actors, tenants, adapters, workers or requests.")
    var subject: Listing.Subject

    @Argument(help: "Only what has this name; for workers the group's, for actors and requests the id.")
    var name: String?

    func run() async throws {
        let configuration = try mesh.load()
        let picture = try await inspection.picture(of: configuration, InspectionQuery(subject.query))
        let listing = Listing(subject, of: picture, name: name, isWide: output == .wide)
        switch output {
        case .json: print(picture.json(subject, name: name).lines)
        case .table, .wide: print(listing.table.text(.standardOutput), terminator: "")
        }
        picture.complainOfMissing()
        if picture.omittedCount > 0 {
            Terminal.complain("heddle: \(picture.omittedCount) more entries were left out of the replies")
        }
        if !picture.missing.isEmpty { throw ExitCode.degraded }
        if let name, listing.entries.isEmpty {
            throw CommandFailure("no \(subject.singular) is named “\(name)”", exit: .notFound)
        }
    }
}
