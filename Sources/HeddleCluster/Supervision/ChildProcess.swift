import CHeddleLinux
import Foundation
import HeddleCore

/// What to start as one process of a mesh.
public struct Program: Hashable, Sendable {
    /// Names the process in messages and its log file.
    public var name: String
    /// Absolute path.
    public var executable: String
    public var arguments: [String]
    /// Added to this process's own environment.
    public var environment: [String: String]

    public init(name: String, executable: String, arguments: [String], environment: [String: String] = [:]) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
    }
}

/// Owns one running process: its number, a descriptor that tells of its end, and the pipes that it writes into.
///
/// It runs in a process group of its own, so that a Ctrl-C at the terminal reaches the supervisor alone, with an empty
/// signal mask, and with nothing open but its standard streams and descriptor 3, into which it says that it is ready
/// (`Readiness`).
struct ChildProcess: ~Copyable {
    let process: pid_t
    /// Readable when the process has ended.
    let end: Int32
    /// What the process writes to its standard streams; -1 where that goes into a file.
    let output: Int32
    /// What the process says when it is ready.
    let readiness: Int32

    /// The process's descriptor of its readiness pipe.
    static let readinessDescriptor: Int32 = 3
    /// `POSIX_SPAWN_SETSID` of glibc, which its Swift module leaves out.
    private static let spawnSetSession: Int32 = 0x80

    /// Must be called on a thread that lives as long as the process should: the kernel's notice of a parent's end
    /// (`OrphanGuard`) is about the thread that started it.
    ///
    /// - Parameter file: where the process writes instead of `output`. It then leads a session of its own and is not
    ///   told about a supervisor: it outlives this process.
    init(_ program: Program, output file: String? = nil) throws(SystemError) {
        let output = try Pipe()
        let readiness = try Pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        if let file {
            posix_spawn_file_actions_addopen(&actions, 1, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
        } else {
            posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
        }
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, readiness.writing, Self.readinessDescriptor)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let group = file == nil ? Int32(POSIX_SPAWN_SETPGROUP) : Self.spawnSetSession
        posix_spawnattr_setflags(&attributes, Int16(group | Int32(POSIX_SPAWN_SETSIGMASK)))
        posix_spawnattr_setpgroup(&attributes, 0)
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)

        var environment = ProcessInfo.processInfo.environment.merging(program.environment) { _, new in new }
        environment[Readiness.variable] = String(Self.readinessDescriptor)
        environment[OrphanGuard.variable] = file == nil ? String(getpid()) : nil
        var process = pid_t()
        let code = withCStrings([program.executable] + program.arguments) { arguments in
            withCStrings(environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }) { environment in
                posix_spawn(&process, program.executable, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw SystemError(call: "start of \(program.executable)", code: code) }
        let end = heddle_pidfd_open(process)
        guard end >= 0 else {
            Glibc.kill(process, SIGKILL)
            waitpid(process, nil, 0)
            throw SystemError(call: "pidfd_open", code: -end)
        }
        self.process = process
        self.end = end
        self.output = file == nil ? output.takeReading() : -1
        self.readiness = readiness.takeReading()
    }

    deinit {
        for descriptor in [end, output, readiness] where descriptor >= 0 { close(descriptor) }
    }

    func send(_ signal: Int32) { Glibc.kill(process, signal) }

    /// Ends the process and everything that it started.
    func kill() { Glibc.kill(-process, SIGKILL) }

    /// Takes the ended process's status; what it ended with, as a person reads it.
    func reap() -> String {
        // The number is the ended process's until it is reaped, so nobody else's group is meant.
        kill()
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        if signal == 0 { return "exit code \((status >> 8) & 0xFF)" }
        return "signal \(signal) (\(String(cString: strsignal(signal))))"
    }
}

/// A pipe whose ends close when their owner goes; no started process inherits them by accident.
struct Pipe: ~Copyable {
    private(set) var reading: Int32
    let writing: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        let code = heddle_pipe_create(&ends)
        guard code == 0 else { throw SystemError(call: "pipe", code: -code) }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        if reading >= 0 { close(reading) }
        close(writing)
    }

    /// Gives the reading end away.
    consuming func takeReading() -> Int32 {
        let end = reading
        reading = -1
        return end
    }
}

/// A call of the system that failed.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    public var call: String
    public var code: Int32

    init(call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    /// The call and what the system says about it.
    public var description: String { "\(call) failed: \(String(cString: strerror(code)))" }
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
