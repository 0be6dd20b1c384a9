/// A value that crosses between actors in Heddle's own coding: compact, little-endian, bounded, and without names or types.
///
/// Decoding accepts any bytes and ends in a value or in a `WireError`; it never traps and allocates no more than a fixed
/// multiple of the bytes that are really there. Fields stand in the order in which `encode` writes them: whoever changes
/// a message changes `WireVersion.current`.
public protocol WireCodable: Sendable {
    /// The fewest bytes that a value can take, at least 1. Counts are checked against it before anything is allocated.
    static var wireByteCountMin: Int { get }

    /// Appends the value.
    func encode(into writer: inout WireWriter)
    /// Reads one value and leaves the reader behind it.
    init(from reader: inout WireReader) throws(WireError)

    /// Appends the elements without their count; numbers of fixed width copy all at once.
    static func encodeElements(_ elements: [Self], into writer: inout WireWriter)
    /// Reads `count` elements, after the count was checked against what is left.
    static func decodeElements(count: Int, from reader: inout WireReader) throws(WireError) -> [Self]
}

extension WireCodable {
    public static var wireByteCountMin: Int { 1 }

    public static func encodeElements(_ elements: [Self], into writer: inout WireWriter) {
        for element in elements { element.encode(into: &writer) }
    }

    public static func decodeElements(count: Int, from reader: inout WireReader) throws(WireError) -> [Self] {
        var elements: [Self] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try Self(from: &reader)) }
        return elements
    }

    /// The value's bytes.
    public func wireBytes() -> [UInt8] {
        var writer = WireWriter()
        encode(into: &writer)
        return writer.bytes
    }

    /// Reads a value that takes all of `bytes`; bytes left over are an error.
    public init(wireBytes bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        self = try Self(from: &reader)
        try reader.finish()
    }
}

/// The one number that both ends of a mesh connection must share: it counts changes to any `WireCodable` and to `Protos/`.
public enum WireVersion {
    /// What this build speaks.
    public static let current: UInt32 = 3
}
