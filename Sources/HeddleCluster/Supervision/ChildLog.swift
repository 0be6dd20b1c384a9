import Foundation

/// Keeps what one process writes: the newest bytes in a file of bounded size and the one before it, the last lines in
/// memory.
struct ChildLog {
    /// A file that reaches this size becomes `NAME.log.1`, and a new one begins.
    static let fileByteCountMax = 4 << 20
    /// Lines that are shown when the process fails.
    static let lineCountMax = 20
    /// A longer line is broken here.
    static let lineByteCountMax = 8192

    let path: String
    private(set) var lines: [String] = []
    private var file: Int32 = -1
    private var fileByteCount = 0
    private var partial: [UInt8] = []

    init(path: String) throws(SystemError) {
        self.path = path
        try open(O_APPEND)
    }

    private mutating func open(_ flags: Int32) throws(SystemError) {
        file = Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0o600)
        guard file >= 0 else { throw SystemError(call: "open \(path)") }
        var status = stat()
        fileByteCount = fstat(file, &status) == 0 ? Int(status.st_size) : 0
    }

    func close() { if file >= 0 { Glibc.close(file) } }

    /// Takes bytes as they come; returns the lines that they complete.
    mutating func append(_ bytes: some Sequence<UInt8>) -> [String] {
        var completed: [String] = []
        for byte in bytes {
            if byte != UInt8(ascii: "\n") { partial.append(byte) }
            if byte == UInt8(ascii: "\n") || partial.count >= Self.lineByteCountMax { completed.append(finishLine()) }
        }
        return completed
    }

    /// The rest without its line's end, when the process has ended.
    mutating func finish() -> [String] { partial.isEmpty ? [] : [finishLine()] }

    private mutating func finishLine() -> String {
        let line = String(decoding: partial, as: UTF8.self)
        write(partial + [UInt8(ascii: "\n")])
        partial.removeAll(keepingCapacity: true)
        lines.append(line)
        if lines.count > Self.lineCountMax { lines.removeFirst() }
        return line
    }

    private mutating func write(_ bytes: [UInt8]) {
        if fileByteCount + bytes.count > Self.fileByteCountMax {
            close()
            rename(path, "\(path).1")
            // A log that cannot be opened again is lost; the mesh is not.
            try? open(O_TRUNC)
        }
        guard file >= 0 else { return }
        fileByteCount += bytes.count
        _ = Glibc.write(file, bytes, bytes.count)
    }
}
