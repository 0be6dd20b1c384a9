import Foundation

/// Starts a process that outlives this one, in a session of its own, writing into a file.
public enum BackgroundProcess {
    /// How the start went.
    public enum Outcome: Hashable, Sendable {
        /// It said that it is ready (`Readiness`).
        case ready(process: pid_t)
        /// It ended before; what it wrote last.
        case ended(lastLines: [String])
    }

    /// Returns when the process is ready or has ended.
    ///
    /// - Parameter log: overwritten with what the process writes.
    public static func start(_ program: Program, log: String) throws(SystemError) -> Outcome {
        let child = try ChildProcess(program, output: log)
        var descriptors = [
            pollfd(fd: child.readiness, events: Int16(POLLIN), revents: 0),
            pollfd(fd: child.end, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&descriptors, 2, -1) > 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = read(child.readiness, &bytes, bytes.count)
            if count > 0, String(decoding: bytes.prefix(count), as: UTF8.self).hasPrefix(Readiness.word) {
                return .ready(process: child.process)
            }
            guard descriptors[1].revents != 0 else {
                // It closed the pipe without a word: only its end is left to wait for.
                if descriptors[0].revents != 0 { descriptors[0].fd = -1 }
                continue
            }
            _ = child.reap()
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            return .ended(lastLines: text.split(separator: "\n").suffix(ChildLog.lineCountMax).map(String.init))
        }
    }
}
