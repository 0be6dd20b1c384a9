import Foundation
import HeddleCore

/// Runs the processes of a mesh on this machine: carries out what `Supervision` decides, on one thread that only waits.
public final class Supervisor: @unchecked Sendable {
    // Safety: everything but `stopPipe`, which is a constant, is used by the one thread that calls `run`.

    /// What a person wants to read about.
    public enum Event: Hashable, Sendable {
        case started(name: String, process: Int32)
        case ready(name: String)
        case allReady
        case ended(name: String, how: String)
        case restarting(name: String, after: Duration)
        case gaveUp(name: String)
        case stopping
        /// A line that a process wrote.
        case line(name: String, text: String)
    }

    /// Why the mesh is not up.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        case alreadyRunning(process: Int32)
        case notReady(name: String, how: String, lastLines: [String])
        case gaveUp([String])

        /// What happened, with the last lines that the process wrote.
        public var description: String {
            switch self {
            case .alreadyRunning(let process): "this cluster is up already: its supervisor is process \(process)"
            case .notReady(let name, let how, let lines):
                "node “\(name)” \(how) before it was ready"
                    + (lines.isEmpty ? " and wrote nothing" : "; its last lines:")
                    + lines.map { "\n    \($0)" }.joined()
            case .gaveUp(let names): "given up after too many restarts: \(names.joined(separator: ", "))"
            }
        }
    }

    private let programs: [Program]
    private let directory: RuntimeDirectory
    private let report: (Event) -> Void
    private let stopPipe: Pipe
    private var supervision: Supervision
    private var children: [Child?]
    private var logs: [ChildLog]
    private var lastEnds: [String]
    private var outcome: Supervision.Outcome?
    private var givenUp: [String] = []

    private final class Child {
        let process: ChildProcess
        var isReadinessOpen = true
        var isOutputOpen = true
        init(_ process: consuming ChildProcess) { self.process = process }
    }

    /// - Parameters:
    ///   - startMax: how long a process may take from its start to `ready`.
    ///   - report: called on the thread of `run`.
    public convenience init(
        _ programs: [Program], directory: RuntimeDirectory, startMax: Duration, report: @escaping (Event) -> Void
    ) throws {
        var limits = Supervision.Limits()
        limits.startMax = startMax
        try self.init(programs, directory: directory, limits: limits, report: report)
    }

    package init(
        _ programs: [Program], directory: RuntimeDirectory, limits: Supervision.Limits,
        report: @escaping (Event) -> Void
    ) throws {
        self.programs = programs
        self.directory = directory
        self.report = report
        supervision = Supervision(count: programs.count, limits: limits)
        children = programs.map { _ in nil }
        logs = []
        lastEnds = programs.map { _ in "" }
        stopPipe = try Pipe()
    }

    deinit { for log in logs { log.close() } }

    /// Ends the mesh; the second call kills what still runs. From any thread, and from a signal handler.
    public func requestStop() {
        var byte: UInt8 = 1
        _ = write(stopPipe.writing, &byte, 1)
    }

    /// Starts every process and returns when none runs any more.
    ///
    /// Call it on a thread that lives as long as the mesh: the processes end with it. Only one supervisor at a time
    /// runs a cluster; `Failure.alreadyRunning` names the other.
    ///
    /// - Parameter handlingSignals: whether SIGINT, SIGTERM and SIGHUP end the mesh.
    public func run(handlingSignals: Bool = false) throws {
        try directory.prepare()
        let lock = try takeLock()
        directory.removeLeftovers()
        defer {
            directory.removeLeftovers()
            // The lock goes last: who takes it next finds nothing of ours.
            withExtendedLifetime(lock) {}
        }
        for program in programs { logs.append(try ChildLog(path: directory.log(program.name))) }
        if handlingSignals { StopSignals.send(to: stopPipe.writing) }
        defer { if handlingSignals { StopSignals.stopSending() } }

        carryOut(supervision.began(at: .now))
        while outcome == nil { wait() }
        switch outcome {
        case .endedAtStart(let index):
            throw Failure.notReady(
                name: programs[index].name, how: "ended with \(lastEnds[index])", lastLines: logs[index].lines)
        case .startTimedOut(let index):
            throw Failure.notReady(
                name: programs[index].name, how: "took longer than \(supervision.limits.startMax)",
                lastLines: logs[index].lines)
        case .stopped, nil:
            if !givenUp.isEmpty { throw Failure.gaveUp(givenUp) }
        }
    }

    private func takeLock() throws -> SupervisorLock {
        do {
            return try SupervisorLock(directory)
        } catch let held as SupervisorLock.Held {
            throw Failure.alreadyRunning(process: held.process)
        }
    }

    // MARK: Actions

    private func carryOut(_ actions: [Supervision.Action]) {
        for action in actions {
            switch action {
            case .start(let index): start(index)
            case .terminate(let index):
                children[index]?.process.send(SIGTERM)
                // A stopped process handles no signal until it goes on.
                children[index]?.process.send(SIGCONT)
            case .kill(let index): children[index]?.process.kill()
            case .allReady: report(.allReady)
            case .restarting(let index, let pause): report(.restarting(name: programs[index].name, after: pause))
            case .gaveUp(let index):
                givenUp.append(programs[index].name)
                report(.gaveUp(name: programs[index].name))
            case .finished(let outcome): self.outcome = outcome
            }
        }
    }

    private func start(_ index: Int) {
        do throws(SystemError) {
            let child = Child(try ChildProcess(programs[index]))
            children[index] = child
            report(.started(name: programs[index].name, process: child.process.process))
        } catch {
            lastEnds[index] = error.description
            report(.ended(name: programs[index].name, how: error.description))
            carryOut(supervision.ended(index, at: .now))
        }
    }

    // MARK: Events

    private enum Source {
        case stop
        case output(Int)
        case readiness(Int)
        case end(Int)
    }

    private func wait() {
        var sources: [Source] = [.stop]
        var descriptors = [pollfd(fd: stopPipe.reading, events: Int16(POLLIN), revents: 0)]
        for (index, child) in children.enumerated() {
            guard let child else { continue }
            func add(_ source: Source, _ descriptor: Int32) {
                sources.append(source)
                descriptors.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
            }
            if child.isOutputOpen { add(.output(index), child.process.output) }
            if child.isReadinessOpen { add(.readiness(index), child.process.readiness) }
            add(.end(index), child.process.end)
        }
        var limitMilliseconds: Int32 = -1
        if let deadline = supervision.nextDeadline {
            let (seconds, attoseconds) = deadline.duration(since: .now).components
            limitMilliseconds = Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
        }
        guard poll(&descriptors, nfds_t(descriptors.count), limitMilliseconds) >= 0 else { return }
        for (source, descriptor) in zip(sources, descriptors) where descriptor.revents != 0 { handle(source) }
        carryOut(supervision.timePassed(at: .now))
    }

    private func handle(_ source: Source) {
        switch source {
        case .stop:
            // Signals that came together are one wish; each later one is another.
            if let bytes = read(stopPipe.reading), !bytes.isEmpty {
                report(.stopping)
                carryOut(supervision.stopRequested(at: .now))
            }
        case .output(let index):
            guard let child = children[index] else { return }
            guard let bytes = read(child.process.output) else { return }
            if bytes.isEmpty { child.isOutputOpen = false }
            tell(index, logs[index].append(bytes))
        case .readiness(let index):
            guard let child = children[index], let bytes = read(child.process.readiness) else { return }
            child.isReadinessOpen = false
            guard String(decoding: bytes, as: UTF8.self).hasPrefix(Readiness.word) else { return }
            report(.ready(name: programs[index].name))
            carryOut(supervision.becameReady(index, at: .now))
        case .end(let index): ended(index)
        }
    }

    private func ended(_ index: Int) {
        guard let child = children[index] else { return }
        // What it wrote last is still in the pipe.
        while child.isOutputOpen, let bytes = read(child.process.output), !bytes.isEmpty {
            tell(index, logs[index].append(bytes))
        }
        tell(index, logs[index].finish())
        lastEnds[index] = child.process.reap()
        children[index] = nil
        report(.ended(name: programs[index].name, how: lastEnds[index]))
        carryOut(supervision.ended(index, at: .now))
    }

    private func tell(_ index: Int, _ lines: [String]) {
        for line in lines { report(.line(name: programs[index].name, text: line)) }
    }

    /// What can be read now; empty at the end of the file, nil where nothing is there.
    private func read(_ descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : Array(bytes.prefix(count))
    }
}

extension Instant {
    /// This moment on this process's monotonic clock.
    static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
