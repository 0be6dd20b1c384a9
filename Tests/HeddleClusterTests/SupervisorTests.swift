import Foundation
import HeddleCluster
import Synchronization
import Testing

/// Supervision of real processes: small shell scripts.
@Suite struct SupervisorTests {
    @Test func processesAreStartedAndEndWithoutATrace() throws {
        let mesh = try Mesh([
            "a": "echo hello from a; echo ready >&3; exec sleep 1000", "b": "echo ready >&3; sleep 1000 & wait",
        ])
        try FileManager.default.createDirectory(
            atPath: mesh.directory.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // A socket that a killed mesh left.
        let leftover = socketFile(mesh.directory.path + "/a.mesh")
        defer { close(leftover) }
        let processes = Mutex<[Int32]>([])
        try mesh.run { event, supervisor in
            if case .started(_, let process) = event { processes.withLock { $0.append(process) } }
            if event == .allReady { supervisor.requestStop() }
        }
        #expect(processes.withLock { $0.count } == 2)
        for process in processes.withLock({ $0 }) {
            #expect(kill(process, 0) == -1)
            #expect(Self.groupEnds(process), "a process of the group lives on")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: mesh.directory.path) == ["logs"])
        #expect(try String(contentsOfFile: mesh.directory.log("a"), encoding: .utf8) == "hello from a\n")
    }

    /// A killed grandchild stays in the table until the system's first process has reaped it, which takes a moment.
    private static func groupEnds(_ group: Int32, within patience: Duration = .seconds(5)) -> Bool {
        let end = ContinuousClock.now + patience
        while kill(-group, 0) == 0 {
            if ContinuousClock.now >= end { return false }
            usleep(1000)
        }
        return true
    }

    @Test func aProcessThatEndsAtStartShowsItsLastLines() throws {
        let mesh = try Mesh(["good": "echo ready >&3; exec sleep 1000", "bad": "echo one; echo two >&2; exit 3"])
        #expect(
            throws: Supervisor.Failure.notReady(name: "bad", how: "ended with exit code 3", lastLines: ["one", "two"])
        ) {
            try mesh.run { _, _ in }
        }
    }

    @Test func aProgramThatIsNotThereIsNamed() throws {
        let mesh = try Mesh([:], more: [Program(name: "none", executable: "/nowhere/heddle", arguments: [])])
        let failure = #expect(throws: Supervisor.Failure.self) { try mesh.run { _, _ in } }
        #expect(
            failure?.description
                == "node “none” ended with start of /nowhere/heddle failed: No such file or directory before it was ready "
                + "and wrote nothing")
    }

    @Test func aProcessThatIsKilledIsStartedAgain() throws {
        let mesh = try Mesh(["a": "echo ready >&3; exec sleep 1000"])
        let events = Mutex<[String]>([])
        let process = Mutex<Int32>(0)
        try mesh.run { event, supervisor in
            switch event {
            case .started(_, let number): process.withLock { $0 = number }
            case .ready:
                let count = events.withLock { events in
                    events.append("ready")
                    return events.count { $0 == "ready" }
                }
                if count == 1 { kill(process.withLock { $0 }, SIGKILL) } else { supervisor.requestStop() }
            case .ended(_, let how): events.withLock { $0.append(how) }
            case .restarting(_, let pause): events.withLock { $0.append("again after \(pause)") }
            default: break
            }
        }
        #expect(
            events.withLock { $0 } == [
                "ready", "signal 9 (Killed)", "again after 0.1 seconds", "ready", "signal 15 (Terminated)",
            ])
    }

    @Test func aProcessThatIgnoresTheRequestOrIsStoppedEndsAnyway() throws {
        var limits = Supervision.Limits()
        limits.graceMax = .milliseconds(50)
        let mesh = try Mesh(
            [
                "stubborn": "trap '' TERM; echo ready >&3; while :; do sleep 1000; done",
                "stopped": "echo ready >&3; kill -STOP $$; sleep 1000",
            ], limits: limits)
        let ends = Mutex<[String: String]>([:])
        try mesh.run { event, supervisor in
            if event == .allReady { supervisor.requestStop() }
            if case .ended(let name, let how) = event { ends.withLock { $0[name] = how } }
        }
        #expect(ends.withLock { $0["stubborn"] } == "signal 9 (Killed)")
        #expect(ends.withLock { $0["stopped"] }?.hasPrefix("signal") == true)
    }

    @Test func aSecondSupervisorIsRefusedWithTheFirstOnesProcess() throws {
        let mesh = try Mesh(["a": "echo ready >&3; exec sleep 1000"])
        let directory = mesh.directory
        let refusal = Mutex<Supervisor.Failure?>(nil)
        try mesh.run { event, supervisor in
            guard event == .allReady else { return }
            do {
                let second = try Supervisor(
                    mesh.programs, directory: directory, startMax: .seconds(60)) { _ in }
                try second.run()
            } catch {
                refusal.withLock { $0 = error as? Supervisor.Failure }
            }
            #expect(SupervisorLock.holder(of: directory) == getpid())
            supervisor.requestStop()
        }
        #expect(refusal.withLock { $0 } == .alreadyRunning(process: getpid()))
        #expect(SupervisorLock.holder(of: directory) == nil)
    }

    @Test func aLockThatAKilledSupervisorLeftIsTakenOver() throws {
        let mesh = try Mesh(["a": "echo ready >&3; exec sleep 1000"])
        try FileManager.default.createDirectory(
            atPath: mesh.directory.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try "1\n".write(toFile: mesh.directory.path + "/supervisor.lock", atomically: true, encoding: .utf8)
        #expect(SupervisorLock.holder(of: mesh.directory) == nil)
        try mesh.run { event, supervisor in if event == .allReady { supervisor.requestStop() } }
    }

    @Test func aDirectoryThatOthersCanEnterIsRefused() throws {
        let mesh = try Mesh(["a": "echo ready >&3"])
        try FileManager.default.createDirectory(
            atPath: mesh.directory.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        chmod(mesh.directory.path, 0o755)
        #expect(throws: RuntimeDirectory.Refusal.openToOthers(path: mesh.directory.path, mode: 0o755)) {
            try mesh.run { _, _ in }
        }
    }

    @Test func aLogKeepsItsNewestBytes() throws {
        let mesh = try Mesh([
            "a": "head -c 9000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo last; echo ready >&3; exec sleep 1000"
        ])
        try mesh.run { event, supervisor in if event == .allReady { supervisor.requestStop() } }
        let log = try String(contentsOfFile: mesh.directory.log("a"), encoding: .utf8)
        #expect(log.hasSuffix("last\n"))
        #expect(log.utf8.count <= 4 << 20)
        #expect(FileManager.default.fileExists(atPath: mesh.directory.log("a") + ".1"))
    }

    private func socketFile(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return descriptor
    }
}

/// Shell scripts in a directory of their own, and a supervisor that runs them.
private final class Mesh: Sendable {
    let programs: [Program]
    let directory: RuntimeDirectory
    private let limits: Supervision.Limits

    init(_ scripts: [String: String], more: [Program] = [], limits: Supervision.Limits = Supervision.Limits()) throws {
        programs =
            scripts.sorted { $0.key < $1.key }.map { name, script in
                Program(name: name, executable: "/bin/sh", arguments: ["-c", script])
            } + more
        directory = RuntimeDirectory("/tmp/heddle-\(UUID().uuidString.prefix(8).lowercased())")
        self.limits = limits
    }

    deinit { try? FileManager.default.removeItem(atPath: directory.path) }

    /// Runs until the events' receiver has asked for the end. On a thread of its own: processes end with it.
    func run(_ receive: @escaping @Sendable (Supervisor.Event, Supervisor) -> Void) throws {
        let result = Mutex<Result<Void, any Error>>(.success(()))
        let done = DispatchSemaphore(value: 0)
        Thread { [programs, directory, limits] in
            result.withLock { result in
                result = Result {
                    let box = WeakSupervisor()
                    let supervisor = try Supervisor(programs, directory: directory, limits: limits) { event in
                        if let supervisor = box.supervisor { receive(event, supervisor) }
                    }
                    box.supervisor = supervisor
                    try supervisor.run()
                }
            }
            done.signal()
        }.start()
        done.wait()
        try result.withLock { try $0.get() }
    }

    private final class WeakSupervisor {
        weak var supervisor: Supervisor?
    }
}
