/// One mistake in a cluster file: where it is, which key it is about, and what to do.
public struct Complaint: Error, Hashable, Sendable, Comparable {
    /// As the user named the file.
    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars.
    public var column: Int
    /// The key's path in the file, such as `nodes[1].mesh`; empty for the whole file.
    public var key: String
    public var text: String

    public init(file: String, line: Int, column: Int, key: String, text: String) {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.text = text
    }

    public static func < (left: Complaint, right: Complaint) -> Bool {
        (left.line, left.column, left.key, left.text) < (right.line, right.column, right.key, right.text)
    }
}

extension Complaint: CustomStringConvertible {
    /// `FILE:LINE:COLUMN: KEY: TEXT`, as compilers write it.
    public var description: String { "\(file):\(line):\(column): " + (key.isEmpty ? text : "\(key): \(text)") }
}

/// A cluster file cannot be used; carries every complaint, in the order of the file.
public struct ClusterFileError: Error, Hashable, Sendable, CustomStringConvertible {
    public var complaints: [Complaint]

    public init(complaints: [Complaint]) { self.complaints = complaints }

    /// One complaint a line.
    public var description: String { complaints.map(\.description).joined(separator: "\n") }
}
