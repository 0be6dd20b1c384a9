import ArgumentParser
import Foundation
import HeddleCluster

/// `heddle down`: ends a mesh that `heddle up` started, in the background or in another terminal.
struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "End a mesh that heddle up started, and wait until it has ended.",
        discussion: """
            Open requests end with the code shutting_down. Also removes what a killed mesh left. Exits with 1 where none
            is up.

            EXAMPLES
              heddle down
              heddle down -c mesh.yaml
            """)

    @OptionGroup var mesh: MeshOptions

    func run() throws {
        let configuration = try mesh.load()
        switch try Shutdown.end(RuntimeDirectory(configuration.runtimeDirectory)) {
        case .wasNotUp: throw CommandFailure("cluster \(configuration.name) is not up", exit: .notFound)
        case .ended(let process): Terminal.print("cluster \(configuration.name) has ended (process \(process))")
        case .killed(let process):
            throw CommandFailure("cluster \(configuration.name) did not end in time; process \(process) was killed")
        }
    }
}
