import ArgumentParser
import Foundation
import HeddleClient
import HeddleCluster
import HeddleCore

/// Shows the mesh live on the whole terminal.
struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch the mesh live: what is wrong, workers, tenants, requests, actors.",
        discussion: """
            Begins with what is wrong: which actor is behind or which node is missing, since when, waiting for what, and whose
            requests it hurts. q or Ctrl-C quits, s sorts by load, age or name, space freezes.

            Examples:
              heddle top
              heddle top --interval 5
              heddle top --once -o json

            Exit codes: 0 quit, 2 with --once where something is wrong.
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var inspection: InspectionOptions

    @Option(name: .long, help: ArgumentHelp("Seconds between two looks, 0.2 to 60.", valueName: "seconds"))
    var interval: Double = 1

    @Flag(help: "Print it once and end.")
    var once = false

    @Option(name: .shortAndLong, help: "With --once: table, json or yaml.")
    var output: OutputForm = .table

    @Option(name: .long, help: "load, age or name.")
    var sort: TopScreen.Order = .load

    func validate() throws {
        guard interval >= 0.2, interval <= 60 else {
            throw ValidationError("--interval must be from 0.2 to 60 seconds")
        }
        guard once || output == .table else { throw ValidationError("-o \(output.rawValue) goes with --once") }
    }

    func run() async throws {
        let configuration = try mesh.load()
        let counts = Dictionary(uniqueKeysWithValues: configuration.groups.map { ($0.name, $0.sequenceCountMax) })
        func look() async throws -> (TopScreen, MeshPicture) {
            let picture = try await inspection.picture(of: configuration, InspectionQuery(.everything))
            return (TopScreen(picture, cluster: configuration.name, sequenceCounts: counts), picture)
        }
        if once {
            let (screen, picture) = try await look()
            switch output {
            case .json: print(screen.json.lines)
            case .yaml: print(screen.json.yaml)
            case .table, .wide:
                let lines = screen.lines(columnCount: 200, rowCount: 200, order: sort, .standardOutput).dropLast()
                let last = lines.lastIndex { !$0.isEmpty } ?? 0
                print(lines[...last].joined(separator: "\n"))
            }
            if picture.isDegraded || !screen.diagnosis.findings.isEmpty { throw ExitCode.degraded }
            return
        }
        guard let terminal = FullScreen() else {
            throw CommandFailure("standard input and output are no terminal; use --once", exit: .validationFailure)
        }
        defer { terminal.leave() }
        var order = sort
        var isFrozen = false
        var (screen, _) = try await look()
        while true {
            let size = terminal.size
            terminal.draw(screen.lines(columnCount: size.columns, rowCount: size.rows, order: order, .standardOutput))
            switch terminal.key(within: interval) {
            case UInt8(ascii: "q"), 3, 4: return
            case UInt8(ascii: "s"): order = order.next
            case UInt8(ascii: " "): isFrozen.toggle()
            default: if !isFrozen { (screen, _) = try await look() }
            }
        }
    }
}

extension TopScreen.Order: ExpressibleByArgument {}
