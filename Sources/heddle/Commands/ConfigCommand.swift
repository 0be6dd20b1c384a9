import ArgumentParser
import Foundation
import HeddleCluster

/// `heddle config`: what a cluster file says.
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Work with cluster files.",
        discussion: """
            EXAMPLES
              heddle config check mesh.yaml
            """, subcommands: [Check.self])

    /// `heddle config check`: every mistake of a cluster file, each with its line and column.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Report every mistake in a cluster file.",
            discussion: """
                Prints one line a mistake, FILE:LINE:COLUMN: KEY: TEXT, and exits with 2 where there is one, with 1 where there
                is no file.

                EXAMPLES
                  heddle config check mesh.yaml
                  heddle config check --json mesh.yaml
                  heddle config check --no-files mesh.yaml     on a machine that has not the models
                """)

        @Argument(help: "The cluster file; without it the one that HEDDLE_CLUSTER names, or the bundled demo.")
        var file: String?

        @Flag(inversion: .prefixedNo, help: "Also look whether the models and adapters lie where the file says.")
        var files = true

        @Flag(help: "Print one JSON object: ok, file, complaints with line, column, key and text.")
        var json = false

        func run() throws {
            var options = ClusterOptions()
            options.file = file
            let path = try options.path()
            guard FileManager.default.fileExists(atPath: path) else {
                throw CommandFailure("there is no cluster file \(path)", exit: .notFound)
            }
            do throws(ClusterFileError) {
                let cluster = try ClusterFile.load(path: path, checkingFiles: files)
                report(cluster, path)
            } catch {
                report(error.complaints, path)
                throw ExitCode.degraded
            }
        }

        private func report(_ cluster: ClusterConfiguration, _ path: String) {
            if json {
                writeJSON(Answer(ok: true, file: path, complaints: []))
                return
            }
            func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
            Terminal.print(
                "\(path): sound: cluster \(cluster.name) with \(count(cluster.nodes.count, "node")), "
                    + "\(count(cluster.groups.count, "group")), \(count(cluster.models.count, "model")), "
                    + "\(count(cluster.adapters.count, "adapter")), \(count(cluster.tenants.count, "tenant"))")
        }

        private func report(_ complaints: [Complaint], _ path: String) {
            if json {
                writeJSON(
                    Answer(
                        ok: false, file: path,
                        complaints: complaints.map {
                            Answer.Item(line: $0.line, column: $0.column, key: $0.key, text: $0.text)
                        }))
                return
            }
            for complaint in complaints { Terminal.complain(complaint.description) }
        }

        private func writeJSON(_ answer: Answer) {
            do {
                Terminal.print(try Terminal.json(answer))
            } catch {
                preconditionFailure("numbers and texts have a JSON form: \(error)")
            }
        }

        private struct Answer: Encodable {
            var ok: Bool
            var file: String
            var complaints: [Item]

            struct Item: Encodable {
                var line: Int
                var column: Int
                var key: String
                var text: String
            }
        }
    }
}
