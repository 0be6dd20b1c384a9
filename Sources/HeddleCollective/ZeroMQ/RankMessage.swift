import HeddleCore

/// What ranks on different hosts say to each other: a header of 24 bytes, little-endian, and for most kinds a payload
/// frame.
struct RankMessage {
    /// What the message is about.
    enum Kind: UInt8 {
        /// A rank would like to join; the payload is a `RankTitle`.
        case hello = 1
        /// Everybody has come.
        case welcome = 2
        /// A rank may not join; the payload says why.
        case refuse = 3
        /// A piece of a call.
        case piece = 4
        /// The group has ended; `elementCount` says why, as `SharedSegment` does.
        case ended = 5
    }

    var kind: Kind
    /// The call that a piece belongs to.
    var operation: UInt32 = 0
    /// Counts the pieces of this epoch; wraps around.
    var sequence: UInt32 = 0
    /// Elements of the whole call.
    var elementCount: UInt64 = 0

    static let byteCount = 24

    init(_ kind: Kind) { self.kind = kind }

    /// Nil for what no rank writes.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, let kind = Kind(rawValue: bytes[0]) else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        self.kind = kind
        operation = UInt32(number(4..<8))
        sequence = UInt32(number(8..<12))
        elementCount = number(16..<24)
    }

    var bytes: [UInt8] {
        [kind.rawValue, 0, 0, 0] + littleEndianBytes(operation) + littleEndianBytes(sequence) + [0, 0, 0, 0]
            + littleEndianBytes(elementCount)
    }
}

/// Which group, epoch and shapes a rank was told to join; both sides of a handshake compare it.
struct RankTitle: Hashable {
    /// "heddlecol" in a way, and the version of these messages.
    static let layout: UInt64 = 0x6865_6464_6C65_0101

    var numbers: [UInt64]
    var group: String
    var rank: Int

    private static let fields = ["layout", "rank count", "epoch", "slot size", "broadcast limit"]
    private static let groupByteCountMax = 128

    init(group: GroupName, epoch: Epoch, rank: Int, rankCount: Int, limits: CollectiveLimits) {
        numbers = [
            Self.layout, UInt64(rankCount), epoch.number, UInt64(limits.slotByteCount),
            UInt64(limits.broadcastByteCountMax),
        ]
        self.group = group.text
        self.rank = rank
    }

    /// Nil for what no rank writes.
    init?(_ bytes: [UInt8]) {
        let numberCount = Self.fields.count + 1
        guard bytes.count >= 8 * numberCount, bytes.count <= 8 * numberCount + Self.groupByteCountMax else {
            return nil
        }
        var numbers = (0..<numberCount).map { index in
            bytes[(8 * index)..<(8 * index + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        guard let last = numbers.popLast(), let rank = Int(exactly: last),
            let group = String(validating: bytes[(8 * numberCount)...], as: UTF8.self)
        else { return nil }
        self.numbers = numbers
        self.group = group
        self.rank = rank
    }

    var bytes: [UInt8] {
        (numbers + [UInt64(rank)]).flatMap { littleEndianBytes($0) } + group.utf8.prefix(Self.groupByteCountMax)
    }

    /// The first field in which another rank's title differs from this one.
    func mismatch(_ found: RankTitle) -> (field: String, expected: String, found: String)? {
        for (field, pair) in zip(Self.fields, zip(numbers, found.numbers)) where pair.0 != pair.1 {
            return (field, String(pair.0), String(pair.1))
        }
        return group == found.group ? nil : ("name", group, found.group)
    }
}

/// Why a rank may not join, as the hub tells it.
struct RankRefusal {
    var field: String
    var expected: String
    var found: String

    /// Texts are cut here.
    private static let textByteCountMax = 256

    init(field: String, expected: String, found: String) {
        self.field = field
        self.expected = expected
        self.found = found
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count <= 3 * (Self.textByteCountMax + 1) else { return nil }
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        field = String(decoding: parts[0], as: UTF8.self)
        expected = String(decoding: parts[1], as: UTF8.self)
        found = String(decoding: parts[2], as: UTF8.self)
    }

    var bytes: [UInt8] {
        Array(
            [field, expected, found].map { $0.utf8.filter { $0 != 0 }.prefix(Self.textByteCountMax) }.joined(
                separator: [0]))
    }
}

private func littleEndianBytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}
