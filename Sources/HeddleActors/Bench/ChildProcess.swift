import Glibc
import HeddleTransport

/// One child process that says one line when it is ready and ends when its standard input closes, or is killed.
package final class ChildProcess: Sendable {
    package let processID: pid_t
    /// What it said.
    package let line: String
    private let input: Int32
    private let output: Int32
    private let status = Locked<Int32?>(nil)

    /// Starts the program and waits for its line. The child inherits the environment with `environment` added.
    package init(path: String, arguments: [String], environment: [String] = []) throws(TransportError) {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
            throw .systemError(call: "pipe", code: errno, text: String(cString: strerror(errno)))
        }
        for descriptor in toChild + fromChild { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        var inherited: [String] = []
        var entry = environ
        while let text = entry.pointee {
            inherited.append(String(cString: text))
            entry += 1
        }
        var processID: pid_t = 0
        let status = withCStrings([path] + arguments) { arguments in
            withCStrings(environment + inherited) { environment in
                posix_spawn(&processID, path, &actions, nil, arguments, environment)
            }
        }
        close(toChild[0])
        close(fromChild[1])
        guard status == 0 else {
            close(toChild[1])
            close(fromChild[0])
            throw .systemError(call: "posix_spawn(\(path))", code: status, text: String(cString: strerror(status)))
        }
        self.processID = processID
        input = toChild[1]
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(fromChild[0], &byte, 1) == 1, byte != 0x0A { line.append(byte) }
        // Kept open: a child that says more must not be killed for it.
        output = fromChild[0]
        self.line = String(decoding: line, as: UTF8.self)
    }

    deinit { end() }

    /// Ends it without a warning, as a crash would.
    package func kill() { signal(SIGKILL) }

    /// Sends any signal.
    package func signal(_ number: Int32) { status.withLock { if $0 == nil { Glibc.kill(processID, number) } } }

    /// Closes its standard input, waits for its end, and returns the status that `waitpid` gives.
    @discardableResult
    package func end() -> Int32 {
        status.withLock { known in
            if let known { return known }
            close(input)
            var status: Int32 = 0
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            close(output)
            known = status
            return status
        }
    }
}

/// Lends texts as a list of C strings that ends in nil.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { preconditionFailure("the list holds at least its end") }
        return body(start)
    }
}

extension BenchServer {
    /// Runs the far end in this process: says its line, serves until standard input closes.
    public static func serveUntilInputCloses(wire: CallBench.Wire, folder: String) async throws {
        let server = try await BenchServer(wire: wire, folder: folder)
        print(server.line)
        fflush(nil)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            _ = NamedThread(name: "bench-input") {
                var byte: UInt8 = 0
                while read(0, &byte, 1) > 0 {}
                continuation.resume()
            }
        }
        await server.stop()
    }
}

extension CallBench {
    /// Measures with other ends that are processes of the program at `path`, started with `arguments(wire, folder)`.
    public func run(
        path: String, arguments: (Wire, _ folder: String) -> [String]
    ) async throws -> CallBenchReport {
        var template = Array("/tmp/heddle-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TransportError.systemError(call: "mkdtemp", code: errno, text: String(cString: strerror(errno)))
        }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { rmdir(folder) }
        return try await run { wire in
            let child = try ChildProcess(path: path, arguments: arguments(wire, folder))
            return (child.line, { child.end() })
        }
    }
}
