/// A name that a person wrote in the cluster file: 1 to `byteCountMax` bytes of lower-case letters, digits, `-`, `_`, `.`.
///
/// Each kind of name is a type of its own, so that a tenant can never stand where a node is meant.
public protocol Name: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as it was written.
    var text: String { get }
    /// Wraps a text that was already checked with `isValid`, or a text that is only compared and never stored.
    init(_ text: String)
}

extension Name {
    /// The longest name in bytes of UTF-8.
    public static var byteCountMax: Int { 128 }

    public static func < (left: Self, right: Self) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }
    public static func == (left: Self, right: Self) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
    public func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }
    public var description: String { text }

    /// Whether the text may name something in a cluster file, on the wire or in a label.
    public static func isValid(_ text: String) -> Bool {
        (1...byteCountMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
            }
    }
}

/// One operating-system process of the mesh, as the cluster file names it.
public struct NodeName: Name {
    public let text: String
    public init(_ text: String) { self.text = text }
}

/// Who pays: the unit of fairness, quota and isolation.
public struct TenantName: Name {
    public let text: String
    public init(_ text: String) { self.text = text }
}

/// A base model that the mesh serves.
public struct ModelName: Name {
    public let text: String
    public init(_ text: String) { self.text = text }
}

/// A LoRA adapter over a base model. Names are for people; whatever is cached is keyed by `Digest`.
public struct AdapterName: Name {
    public let text: String
    public init(_ text: String) { self.text = text }
}

/// A tensor-parallel group of gpu-workers that together hold one replica of a base model.
public struct GroupName: Name {
    public let text: String
    public init(_ text: String) { self.text = text }
}
