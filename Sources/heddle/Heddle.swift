import ArgumentParser
import Foundation
import HeddleCluster

/// The one executable: its subcommands, and how each ends.
///
/// Exit codes: 0 it worked, 1 what was asked for is not there, 2 it failed or is degraded, 64 the command line is
/// wrong.
struct Heddle: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heddle",
        abstract: "A multi-tenant LoRA inference mesh.",
        discussion: """
            Starts a mesh of processes from one cluster file, submits prompts to a base model or to tenants' adapters over it,
            and shows what every actor of it does.

            EXAMPLES
              heddle up                                  start the bundled demo and watch over it
              heddle up -c mesh.yaml --detach            start your own in the background
              heddle submit --model sql --key KEY "List the customers in Paris."
              heddle chat --key KEY                      talk with the model
              heddle status                              the mesh on one screen
              heddle down                                end it

            Without -c a command takes the cluster file that HEDDLE_CLUSTER names; else, where it talks to a mesh, the only
            one that runs on this machine; else the bundled demo.
            """,
        version: "heddle 0.1.0",
        subcommands: [
            Up.self, Down.self, NodeCommand.self, Submit.self, Chat.self, Generate.self, Status.self, Get.self,
            Describe.self, Top.self, Trace.self, Events.self, Logs.self, Config.self, ModelCommand.self,
            AdapterCommand.self, Tokenize.self, Doctor.self,
            BenchCommand.self,
        ])
}

/// Where the process starts.
///
/// The main thread stays synchronous: `up` supervises on it, because the processes that a thread starts end with it.
/// Commands that await run on the concurrency pool instead (an asynchronous `main` would run on the main actor, where
/// every call to a mesh takes 1.7 times as long). No command uses the main actor or the main queue.
@main
enum Main {
    static func main() {
        do {
            var command = try Heddle.parseAsRoot()
            // On this thread, which lives as long as the process: the kernel's promise is made to the thread that asks.
            if let node = command as? NodeCommand, !OrphanGuard.arm() {
                throw CommandFailure("the supervisor of node \(node.name) has ended")
            }
            guard let asynchronous = command as? any AsyncParsableCommand else {
                try command.run()
                return
            }
            run(asynchronous)
        } catch {
            end(error)
        }
    }

    private static func run(_ command: any AsyncParsableCommand) {
        let done = DispatchSemaphore(value: 0)
        // Safety: the command is used by the one task, and this thread only waits.
        nonisolated(unsafe) var command = command
        Task.detached {
            do {
                try await command.run()
                done.signal()
            } catch {
                end(error)
            }
        }
        done.wait()
    }

    /// Writes what went wrong and ends the process with the code that stands for it.
    private static func end(_ error: any Error) -> Never {
        if let failure = error as? CommandFailure {
            FileHandle.standardError.write(Data("heddle: \(failure.text)\n".utf8))
            exit(failure.exit.rawValue)
        }
        if Heddle.exitCode(for: error) == .failure, !(error is ExitCode) {
            FileHandle.standardError.write(Data("heddle: \(error)\n".utf8))
            exit(ExitCode.degraded.rawValue)
        }
        Heddle.exit(withError: error)
    }
}

extension ExitCode {
    /// What was asked for is not there.
    static let notFound = ExitCode(1)
    /// It failed, or only a part of it worked.
    static let degraded = ExitCode(2)
}

/// Ends a command with a text for the person and an exit code for programs.
struct CommandFailure: Error, CustomStringConvertible {
    var text: String
    var exit: ExitCode

    init(_ text: String, exit: ExitCode = .degraded) {
        self.text = text
        self.exit = exit
    }

    var description: String { text }
}
