import ArgumentParser
import HeddleClient
import HeddleCluster
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
              heddle get workers -o wide -w
              heddle get requests --sort-by age_seconds
              heddle get actors --sort-by oldest_seconds -o yaml

            Exit codes: 0 listed, 1 nothing of that name, 2 a node did not answer.
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var inspection: InspectionOptions

    @Option(name: .shortAndLong, help: "table, wide, json or yaml.")
    var output: OutputForm = .table

    @Flag(name: .shortAndLong, help: "List again every second, until Ctrl-C.")
    var watch = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Sort by a key of the JSON output, such as age_seconds or state.name; numbers the largest first.",
            valueName: "key"))
    var sortBy: String?

    @Argument(help: "nodes, actors, tenants, adapters, workers or requests.")
    var subject: Listing.Subject

    @Argument(help: "Only what has this name; for workers the group's, for actors and requests the id.")
    var name: String?

    func run() async throws {
        let configuration = try mesh.load()
        while watch {
            // A node that is away comes back, and a name may come to be there: watching goes on.
            do { try await list(configuration) } catch let failure as CommandFailure where failure.exit == .notFound {
                Terminal.complain("heddle: \(failure)")
            } catch is ExitCode {}
            try await Task.sleep(for: .seconds(1))
            if output == .table || output == .wide { print("") }
        }
        try await list(configuration)
    }

    private func list(_ configuration: ClusterConfiguration) async throws {
        let picture = try await inspection.picture(of: configuration, InspectionQuery(subject.query))
        var listing = Listing(subject, of: picture, name: name, isWide: output == .wide)
        if let sortBy {
            do throws(Listing.UnknownKey) {
                try listing.sort(by: sortBy)
            } catch {
                throw CommandFailure("--sort-by: \(error)", exit: .validationFailure)
            }
        }
        switch output {
        case .json: print(picture.json(listing, of: subject).lines)
        case .yaml: print(picture.json(listing, of: subject).yaml)
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
