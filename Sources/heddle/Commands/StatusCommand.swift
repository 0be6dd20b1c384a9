import ArgumentParser
import HeddleClient
import HeddleCore

/// Shows the mesh on one screen.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the mesh on one screen: nodes, workers, tenants, adapters, requests.",
        discussion: """
            Every node is asked at the same time on its inspection socket; one that does not answer in time is named.

            Examples:
              heddle status
              heddle status -c Cluster/two-groups.yaml --timeout 5

            Exit codes: 0 well, 2 degraded: a node is missing or not well.
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var inspection: InspectionOptions

    @Option(name: .shortAndLong, help: "table, json or yaml.")
    var output: OutputForm = .table

    func run() async throws {
        let configuration = try mesh.load()
        let picture = try await inspection.picture(of: configuration, InspectionQuery(.everything))
        switch output {
        case .json: print(StatusScreen.json(picture, cluster: configuration.name).lines)
        case .yaml: print(StatusScreen.json(picture, cluster: configuration.name).yaml)
        case .table, .wide:
            print(StatusScreen.text(picture, cluster: configuration.name, .standardOutput), terminator: "")
        }
        if picture.isDegraded { throw ExitCode.degraded }
    }
}
