/// 128 random bits that tell one start of a process from every other (law 4: only the present speaks).
public struct Incarnation: Hashable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Draws a fresh incarnation; randomness is an argument, as everywhere in the core.
    public init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }

    public var description: String { hexadecimal(high) + hexadecimal(low) }
}

/// The idempotent name of a request, 128 bits, chosen by the client: submitting it twice runs it once.
public struct RequestID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }

    /// Reads the 32 hexadecimal digits that `description` writes.
    public init?(_ text: String) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }
    public var description: String { hexadecimal(high) + hexadecimal(low) }
}

/// SHA-256 of what is named: model files, adapter files, packed shards. Content is keyed by digest, never by name.
public struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let byteCount = 32
    /// Four big-endian words.
    public let words: [UInt64]

    /// Takes exactly 32 bytes; anything else is nil.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: [UInt64] = []
        var word: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            word = word << 8 | UInt64(byte)
            if index % 8 == 7 {
                words.append(word)
                word = 0
            }
        }
        self.words = words
    }

    public var bytes: [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) } }
    }

    public static func < (left: Self, right: Self) -> Bool { left.words.lexicographicallyPrecedes(right.words) }
    /// 64 hexadecimal digits.
    public var description: String { words.map(hexadecimal).joined() }
    /// The first 12 hexadecimal digits, for tables that people read.
    public var short: String { String(description.prefix(12)) }
}

/// Which try of a request this is, from 1. A frame of an older attempt is counted and dropped.
public struct Attempt: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt32
    public init(_ number: UInt32) { self.number = number }
    public var next: Attempt { Attempt(number &+ 1) }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { String(number) }
}

/// Which forming of a worker group, or which leadership of a queue, this is; it only grows.
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public var next: Epoch { Epoch(number &+ 1) }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { String(number) }
}

/// An entry of the model's vocabulary, 0..<vocabularyCount.
public typealias TokenID = Int32

/// One choice of one request while it runs on a worker group; unique within the group's epoch.
public struct SequenceID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { String(number) }
}

/// A block of 16 token positions in a worker's paged KV storage.
public struct BlockID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let index: Int32
    public init(_ index: Int32) { self.index = index }
    public static func < (left: Self, right: Self) -> Bool { left.index < right.index }
    public var description: String { String(index) }
}

/// Where a group's ranks hold one mapped adapter; the group's rank 0 hands slots out.
public struct AdapterSlot: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let index: Int32
    public init(_ index: Int32) { self.index = index }
    public static func < (left: Self, right: Self) -> Bool { left.index < right.index }
    public var description: String { String(index) }
}

/// A moment on one process's monotonic clock. Clocks of two processes do not compare: durations travel, moments do not.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let nanoseconds: UInt64
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public func advanced(by duration: Duration) -> Instant {
        let (seconds, attoseconds) = duration.components
        let delta = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !delta.overflow else { return Instant(nanoseconds: seconds < 0 ? 0 : .max) }
        let total = delta.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard !total.overflow else { return Instant(nanoseconds: seconds < 0 ? 0 : .max) }
        if total.partialValue < 0 {
            let back = total.partialValue.magnitude
            return Instant(nanoseconds: back > nanoseconds ? 0 : nanoseconds - back)
        }
        let sum = nanoseconds.addingReportingOverflow(UInt64(total.partialValue))
        return Instant(nanoseconds: sum.overflow ? .max : sum.partialValue)
    }

    /// The time from `earlier` to here; zero where `earlier` is later.
    public func duration(since earlier: Instant) -> Duration {
        .nanoseconds(Int64(clamping: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0))
    }

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
    public var description: String { "\(nanoseconds) ns" }
}

func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
