import ArgumentParser
import HeddleClient
import HeddleCore

/// Tells everything about one actor.
struct Describe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Tell everything about one actor: state and why, mailbox, calls in flight, latencies, its own state.",
        discussion: """
            The account of an actor is kept outside of it, so that a busy or stuck actor is described too.

            Examples:
              heddle get actors
              heddle describe actor front/router

            Exit codes: 0 described, 1 no such actor, 2 a node did not answer and may have it.
            """)

    /// What can be described.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case actor
    }

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var inspection: InspectionOptions

    @Option(name: .shortAndLong, help: "table, json or yaml.")
    var output: OutputForm = .table

    @Argument(help: "actor.")
    var kind: Kind

    @Argument(help: "The actor's id, as heddle get actors shows it.")
    var id: String

    func run() async throws {
        let configuration = try mesh.load()
        let picture = try await inspection.picture(of: configuration, InspectionQuery(.actors, name: id))
        let actors = picture.actors.filter { $0.id == id }
        for actor in actors {
            switch output {
            case .json: print(ActorDescription.json(actor).lines)
            case .yaml: print(ActorDescription.json(actor).yaml)
            case .table, .wide: print(ActorDescription.text(actor, .standardOutput), terminator: "")
            }
        }
        guard actors.isEmpty else { return }
        picture.complainOfMissing()
        throw CommandFailure(
            "no actor is named “\(id)”" + (picture.missing.isEmpty ? "" : " on the nodes that answered"),
            exit: picture.missing.isEmpty ? .notFound : .degraded)
    }
}
