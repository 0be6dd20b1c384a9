/// Keeps the newest entries, each under a number that only grows, so that a reader who comes back misses nothing or is told
/// how much it missed.
public struct NumberedRing<Entry: Sendable>: Sendable {
    /// Entries that are kept; an older one makes room for a newer.
    public let countMax: Int
    private var entries: [Entry] = []
    /// Where the oldest lies once the ring is full.
    private var oldest = 0
    /// The number that the next entry gets; the first one ever has 1.
    public private(set) var next: UInt64 = 1

    public init(countMax: Int) {
        precondition(countMax > 0, "a ring keeps at least one entry")
        self.countMax = countMax
    }

    public var count: Int { entries.count }

    public mutating func append(_ entry: Entry) {
        next += 1
        if entries.count < countMax { return entries.append(entry) }
        entries[oldest] = entry
        oldest = (oldest + 1) % countMax
    }

    /// The entries behind `number`, oldest first, and how many behind it are gone. Without a number: the newest.
    ///
    /// A number that was never given is another process's, and everything is new to its reader.
    public func page(after number: UInt64?, countMax: Int) -> Page {
        let first = next - UInt64(entries.count)
        guard let number, number < next else {
            let start = number == nil ? max(first, next - UInt64(min(entries.count, countMax))) : first
            return Page(entries: slice(from: start, countMax: countMax, first: first), missedCount: 0)
        }
        let missed = number + 1 < first ? first - number - 1 : 0
        return Page(entries: slice(from: max(first, number + 1), countMax: countMax, first: first), missedCount: missed)
    }

    private func slice(from start: UInt64, countMax: Int, first: UInt64) -> [(number: UInt64, entry: Entry)] {
        let end = min(next, start + UInt64(max(0, countMax)))
        guard start < end else { return [] }
        return (start..<end).map { ($0, entries[(oldest + Int($0 - first)) % entries.count]) }
    }

    /// A part of a ring.
    public struct Page: Sendable {
        public var entries: [(number: UInt64, entry: Entry)]
        /// Entries behind the reader's number that had made room already.
        public var missedCount: UInt64
    }
}
