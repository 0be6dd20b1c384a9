import ArgumentParser
import Foundation
import HeddleClient
import HeddleCluster
import HeddleCore
import HeddleTransport
import HeddleWire

/// `heddle doctor`: whether a mesh would run here, and what to do where it would not.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this machine and a cluster file.",
        discussion: """
            Checks libraries, processor, memory, limits, and the cluster file with its directory, ports and model folders. Each
            line begins with ok, warn or fail, and says what to do. Exits with 2 where a line says fail.

            EXAMPLES
              heddle doctor
              heddle doctor -c mesh.yaml --json
              heddle doctor -c mesh.yaml --live      and what is wrong with it while it runs
            """)

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Print one JSON object: ok, findings with level, subject, text and advice.")
    var json = false

    @Flag(help: "Ask the running mesh too: which node is missing, which actor is behind, whom it hurts.")
    var live = false

    @OptionGroup var inspection: InspectionOptions

    func run() async throws {
        let (configuration, clusterFindings) = checkCluster()
        let findings =
            Self.libraries()
            + MachineChecks.findings(threadCount: configuration.map { ClusterChecks.threadCount($0) }) + clusterFindings
            + (try await mesh(configuration))
        let worst = findings.map(\.level).max() ?? .ok
        if json {
            let items = findings.map {
                Answer.Item(level: $0.level.rawValue, subject: $0.subject, text: $0.text, advice: $0.advice)
            }
            Terminal.print(try Terminal.json(Answer(ok: worst != .fail, findings: items)))
        } else {
            var table = Table(["", "", ""])
            table.rows = findings.map { [$0.level.rawValue, $0.subject, $0.text] }
            for (line, finding) in zip(table.lines.dropFirst(), findings) {
                Terminal.print(line)
                if let advice = finding.advice { Terminal.print("      → \(advice)") }
            }
        }
        if worst == .fail { throw ExitCode.degraded }
    }

    private func mesh(_ configuration: ClusterConfiguration?) async throws -> [Finding] {
        guard live, let configuration else { return [] }
        let picture = try await inspection.picture(of: configuration, InspectionQuery(.everything))
        let missing = Set(picture.missing.map(\.node.text))
        let wrong = Diagnosis(picture).findings
        if wrong.isEmpty { return [Finding(.ok, "mesh", "\(picture.nodes.count) nodes answer, no actor is behind")] }
        return wrong.map { finding in
            let isFatal = missing.contains(finding.subject)
            return Finding(
                isFatal ? .fail : .warn, finding.subject, String(finding.line.dropFirst(finding.subject.count + 2)),
                advice: isFatal
                    ? "heddle logs --node \(finding.subject)" : "heddle describe actor, heddle events, heddle trace")
        }
    }

    private func checkCluster() -> (ClusterConfiguration?, [Finding]) {
        let path: String
        do throws(ClusterLocation.NotFound) {
            path = try ClusterLocation.find(given: cluster.file)
        } catch {
            return (nil, [Finding(.warn, "cluster file", error.description)])
        }
        do throws(ClusterFileError) {
            let configuration = try ClusterFile.load(path: path, checkingFiles: true)
            return (
                configuration,
                [Finding(.ok, "cluster file", "\(path), with its models and adapters")]
                    + ClusterChecks.findings(configuration)
            )
        } catch {
            return (nil, error.complaints.map { Finding(.fail, "cluster file", $0.description) })
        }
    }

    private static func libraries() -> [Finding] {
        func finding(
            _ name: String, _ version: (major: Int, minor: Int, patch: Int), needs: (Int, Int), package: String
        ) -> Finding {
            let text = "\(version.major).\(version.minor).\(version.patch)"
            if (version.major, version.minor) >= needs { return Finding(.ok, name, text) }
            return Finding(
                .fail, name, "\(text), older than \(needs.0).\(needs.1)", advice: "apt-get install \(package)")
        }
        var findings = [
            finding("libzmq", ZeroMQLibrary.loadedVersion, needs: (4, 3), package: "libzmq5"),
            finding("libprotobuf-c", ProtobufLibrary.loadedVersion, needs: (1, 3), package: "libprotobuf-c1"),
        ]
        if !ZeroMQLibrary.hasCurve {
            findings.append(
                Finding(
                    .warn, "libzmq", "built without CURVE", advice: "connections to other hosts cannot be encrypted"))
        }
        return findings
    }

    private struct Answer: Encodable {
        var ok: Bool
        var findings: [Item]

        struct Item: Encodable {
            var level: String
            var subject: String
            var text: String
            var advice: String?
        }
    }
}
