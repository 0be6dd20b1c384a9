import CHeddleLinux
import Foundation

/// A process that a test started: what it writes, whether it is ready, and its end. It does not outlive its owner.
final class StartedProcess: @unchecked Sendable {
    // Safety: `state` is behind the condition's lock; everything else is constant.

    /// How it ended and all that it wrote.
    struct Ended: Sendable {
        /// The exit code, or minus the signal's number.
        let code: Int32
        let output: String
        let errors: String
        /// Whether an escape character is anywhere in what it wrote.
        var hasColour: Bool { output.utf8.contains(27) || errors.utf8.contains(27) }
    }

    let number: pid_t
    private let end: Int32
    private let pipes: [Int32]
    private let condition = NSCondition()
    private var state = State()

    private struct State {
        var texts: [[UInt8]] = [[], [], []]
        var code: Int32?
        var isReaped = false
    }

    /// - Parameter input: what it reads from standard input; nil for nothing at all.
    init(
        _ executable: String, _ arguments: [String], input: [UInt8]? = nil, environment: [String: String] = [:]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var inputFile: String?
        if let input {
            let path = "/tmp/heddle-input-\(UUID().uuidString)"
            try Data(input).write(to: URL(fileURLWithPath: path))
            inputFile = path
        }
        defer { if let inputFile { unlink(inputFile) } }
        posix_spawn_file_actions_addopen(&actions, 0, inputFile ?? "/dev/null", O_RDONLY, 0)
        // Standard output, standard error, and descriptor 3, into which `heddle up` says that it is ready.
        var reading: [Int32] = []
        var writing: [Int32] = []
        for target in [Int32(1), 2, 3] {
            var ends: [Int32] = [-1, -1]
            guard heddle_pipe_create(&ends) == 0 else { throw Failed("pipe") }
            reading.append(ends[0])
            writing.append(ends[1])
            posix_spawn_file_actions_adddup2(&actions, ends[1], target)
        }
        defer { for descriptor in writing { close(descriptor) } }
        var values = ProcessInfo.processInfo.environment
        for name in ["HEDDLE_CLUSTER", "HEDDLE_KEY", "XDG_RUNTIME_DIR", "NO_COLOR"] { values[name] = nil }
        values.merge(environment) { _, new in new }
        values["HEDDLE_READY_FD"] = "3"
        // The threads that tests run on block signals, and a started process inherits that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var process = pid_t()
        let code = withCStrings([executable] + arguments) { arguments in
            withCStrings(values.map { "\($0.key)=\($0.value)" }) { environment in
                posix_spawn(&process, executable, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw Failed("start of \(executable): \(String(cString: strerror(code)))") }
        number = process
        pipes = reading
        end = heddle_pidfd_open(process)
        Thread.detachNewThread { [self] in watch() }
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    func send(_ signal: Int32) {
        condition.withLock { if !state.isReaped { kill(number, signal) } }
    }

    /// What it has written to standard output and error so far.
    var written: String { condition.withLock { String(decoding: state.texts[0] + state.texts[1], as: UTF8.self) } }

    /// Waits until it says that it is ready.
    func ready(within limit: Duration) async throws {
        try await wait("“ready” of process \(number)", within: limit) { !$0.texts[2].isEmpty || $0.code != nil }
        guard condition.withLock({ !state.texts[2].isEmpty }) else {
            throw Failed("process \(number) ended before it was ready: \(written)")
        }
    }

    /// Waits for the end; a process that takes longer is killed.
    func ended(within limit: Duration) async throws -> Ended {
        do {
            try await wait("the end of process \(number)", within: limit) { $0.code != nil }
        } catch {
            send(SIGKILL)
            throw Failed("\(error); it wrote: \(written)")
        }
        return condition.withLock {
            Ended(
                code: state.code ?? 0, output: String(decoding: state.texts[0], as: UTF8.self),
                errors: String(decoding: state.texts[1], as: UTF8.self))
        }
    }

    private func wait(_ what: String, within limit: Duration, until isSo: @escaping @Sendable (State) -> Bool) async throws {
        let seconds = Double(limit.components.seconds) + Double(limit.components.attoseconds) / 1e18
        let isThere = try await onThread { [self] in
            let deadline = Date(timeIntervalSinceNow: seconds)
            return condition.withLock {
                while !isSo(state) { if !condition.wait(until: deadline) { return isSo(state) } }
                return true
            }
        }
        if !isThere { throw Waited(what, limit) }
    }

    /// Runs on a thread of its own until the process has ended and what it wrote is read.
    private func watch() {
        var descriptors = (pipes + [end]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while descriptors[3].revents == 0 {
            guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { continue }
            for index in 0..<3 where descriptors[index].revents != 0 {
                if !read(index) { descriptors[index].fd = -1 }
            }
        }
        for index in 0..<3 { while read(index) {} }
        condition.withLock {
            var status: Int32 = 0
            while waitpid(number, &status, 0) < 0, errno == EINTR {}
            state.isReaped = true
            state.code = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
            condition.broadcast()
        }
        for descriptor in pipes + [end] { close(descriptor) }
    }

    /// Takes what can be read; false where nothing is, or will be.
    private func read(_ index: Int) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = Foundation.read(pipes[index], &bytes, bytes.count)
        guard count > 0 else { return false }
        condition.withLock {
            state.texts[index] += bytes.prefix(count)
            condition.broadcast()
        }
        return true
    }
}

/// Calls the body with a null-terminated array of C strings.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    // Safety: the strings live until the deferred frees, the array for the call.
    return pointers.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("the array ends in a null pointer") }
        return body(base)
    }
}
