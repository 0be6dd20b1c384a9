import ArgumentParser
import Foundation
import HeddleCluster

/// `heddle up`: every process of a cluster file on this machine, until Ctrl-C.
struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start every node of a cluster file here and watch over them.",
        discussion: """
            Starts a process for each node, waits until all are ready, says how to submit, and stays: a node that dies is
            started again. Ctrl-C ends everything; a second Ctrl-C at once. What nodes write is kept in the runtime
            directory's logs.

            EXAMPLES
              heddle up                          the bundled demo: a front and two ranks
              heddle up -c mesh.yaml
              heddle up -c mesh.yaml --detach    in the background, until heddle down
              heddle up -c fleet.yaml --host b   only the nodes of host b
            """)

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Return when all nodes are ready; heddle down ends them.")
    var detach = false

    @Flag(help: "Also print what the nodes write, each line after its node's name.")
    var logs = false

    @Option(help: "Start only the nodes whose host is this; without it all of them.")
    var host: String?

    func run() throws {
        let path = try cluster.path()
        let configuration = try ClusterOptions.load(path, checkingFiles: true)
        let topology = Topology(configuration, host: host)
        guard !topology.nodes.isEmpty else {
            throw CommandFailure("no node of \(path) has the host \(host ?? "")", exit: .notFound)
        }
        let directory = RuntimeDirectory(configuration.runtimeDirectory)
        if let holder = SupervisorLock.holder(of: directory) {
            throw CommandFailure(Supervisor.Failure.alreadyRunning(process: holder).description)
        }
        let taken = PortCheck.taken(in: configuration, host: host)
        guard taken.isEmpty else {
            throw CommandFailure(taken.map(\.description).joined(separator: "\n"))
        }
        do {
            if detach {
                try Detached(configuration, directory: directory, host: host, topology: topology).run()
            } else {
                try supervise(configuration, directory, topology)
            }
        } catch let failure as Supervisor.Failure {
            throw CommandFailure(failure.description)
        } catch let refusal as RuntimeDirectory.Refusal {
            throw CommandFailure(refusal.description)
        }
    }

    private func supervise(
        _ configuration: ClusterConfiguration, _ directory: RuntimeDirectory, _ topology: Topology
    ) throws {
        let began = ContinuousClock.now
        var processes: [String: Int32] = [:]
        var isUp = false
        let programs = topology.nodes.map { node in
            Program(
                name: node.name.text, executable: ClusterLocation.executablePath,
                arguments: ["node", "-c", configuration.path, "--name", node.name.text])
        }
        Terminal.print("starting cluster \(configuration.name): \(programs.count) nodes")
        let startMax = configuration.limits.startMax
        let supervisor = try Supervisor(programs, directory: directory, startMax: startMax) { event in
            switch event {
            case .started(let name, let process): processes[name] = process
            case .ready: break
            case .allReady:
                isUp = true
                for line in topology.table(processes: processes) { Terminal.print(line) }
                Terminal.print(topology.closing(took: ContinuousClock.now - began, directory: directory))
                Terminal.print("Ctrl-C ends the mesh.")
                directory.record(clusterFile: configuration.path)
                Readiness.announce()
            case .ended(let name, let how): if isUp { Terminal.print("node \(name) ended: \(how)") }
            case .restarting(let name, let pause): Terminal.print("node \(name) starts again in \(pause)")
            case .gaveUp(let name): Terminal.complain("node \(name) ended too often and is not started again")
            case .stopping: Terminal.print("ending")
            case .line(let name, let text): if logs { Terminal.print("[\(name)] \(text)") }
            }
        }
        try supervisor.run(handlingSignals: true)
    }
}
