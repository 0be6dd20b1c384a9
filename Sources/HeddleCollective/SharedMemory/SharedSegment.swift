import CHeddleLinux
import Glibc
import HeddleCore
import Synchronization

/// Owns the memory that the ranks of a group share, and knows where everything lies in it.
///
/// ```
/// header    256 bytes     magic, layout, rank count, slot bytes, epoch, group's name, failure, attached count
/// counters  128 a rank    published generation, sleepers, process
/// slots     2 a rank      64 bytes of announcement, then the payload
/// ```
///
/// Counters of two ranks never share a pair of cache lines: the hardware fetches lines in pairs.
final class SharedSegment: @unchecked Sendable {
    // Safety: the memory is mapped as long as this object lives; every word that two ranks touch at the same time is an
    // `Atomic`; a slot is written by its rank alone, before the release store of its generation and only after every
    // other rank has published that it is done with the slot's last content.

    /// "heddle" and the layout's version: both sides of a mapping must mean the same bytes.
    static let magic: UInt64 = 0x6865_6464_6C65_0001
    static let headerByteCount = 256
    static let counterByteCount = 128
    static let announcementByteCount = 64
    static let groupByteCountMax = 128

    let rankCount: Int
    let slotByteCount: Int
    /// Whether several processes map the memory.
    let isShared: Bool
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int

    static func byteCount(rankCount: Int, slotByteCount: Int) -> Int {
        headerByteCount + rankCount * (counterByteCount + 2 * (announcementByteCount + slotByteCount))
    }

    /// Memory for ranks that are threads of this process.
    convenience init(rankCount: Int, slotByteCount: Int) throws(CollectiveError) {
        let byteCount = Self.byteCount(rankCount: rankCount, slotByteCount: slotByteCount)
        try self.init(
            rankCount: rankCount, slotByteCount: slotByteCount, byteCount: byteCount, descriptor: -1, isShared: false)
    }

    /// Maps what lies behind a descriptor, which stays the caller's.
    convenience init(rankCount: Int, slotByteCount: Int, descriptor: Int32) throws(CollectiveError) {
        let byteCount = Self.byteCount(rankCount: rankCount, slotByteCount: slotByteCount)
        try self.init(
            rankCount: rankCount, slotByteCount: slotByteCount, byteCount: byteCount, descriptor: descriptor,
            isShared: true)
    }

    private init(
        rankCount: Int, slotByteCount: Int, byteCount: Int, descriptor: Int32, isShared: Bool
    ) throws(CollectiveError) {
        let kind = isShared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS
        let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, kind | MAP_POPULATE, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw .systemCall("mmap") }
        base = address
        self.byteCount = byteCount
        self.rankCount = rankCount
        self.slotByteCount = slotByteCount
        self.isShared = isShared
    }

    deinit { munmap(base, byteCount) }

    // MARK: Header

    private enum Field {
        static let magic = 0
        static let rankCount = 8
        static let slotByteCount = 16
        static let epoch = 24
        static let failure = 32
        static let attached = 36
        static let groupByteCount = 40
        static let group = 48
    }

    /// What the creator says about the group; everyone who attaches compares it.
    struct Title: Hashable {
        var magic: UInt64
        var rankCount: UInt64
        var slotByteCount: UInt64
        var epoch: UInt64
        var group: [UInt8]

        init(group: GroupName, epoch: Epoch, rankCount: Int, slotByteCount: Int) {
            magic = SharedSegment.magic
            self.rankCount = UInt64(rankCount)
            self.slotByteCount = UInt64(slotByteCount)
            self.epoch = epoch.number
            self.group = Array(group.text.utf8.prefix(SharedSegment.groupByteCountMax))
        }

        fileprivate init(magic: UInt64, rankCount: UInt64, slotByteCount: UInt64, epoch: UInt64, group: [UInt8]) {
            self.magic = magic
            self.rankCount = rankCount
            self.slotByteCount = slotByteCount
            self.epoch = epoch
            self.group = group
        }

        /// The first field in which another title differs from this one.
        func mismatch(_ found: Title) -> CollectiveError? {
            func differs(_ field: String, _ mine: UInt64, _ other: UInt64) -> CollectiveError? {
                mine == other ? nil : .mismatch(field: field, expected: String(mine), found: String(other))
            }
            if let error = differs("layout", magic, found.magic) ?? differs("rank count", rankCount, found.rankCount)
                ?? differs("slot size", slotByteCount, found.slotByteCount) ?? differs("epoch", epoch, found.epoch)
            {
                return error
            }
            if group == found.group { return nil }
            return .mismatch(
                field: "name", expected: String(decoding: group, as: UTF8.self),
                found: String(decoding: found.group, as: UTF8.self))
        }
    }

    var title: Title {
        get {
            let length = min(
                Int(base.load(fromByteOffset: Field.groupByteCount, as: UInt32.self)), Self.groupByteCountMax)
            return Title(
                magic: base.load(fromByteOffset: Field.magic, as: UInt64.self),
                rankCount: base.load(fromByteOffset: Field.rankCount, as: UInt64.self),
                slotByteCount: base.load(fromByteOffset: Field.slotByteCount, as: UInt64.self),
                epoch: base.load(fromByteOffset: Field.epoch, as: UInt64.self),
                group: (0..<length).map { base.load(fromByteOffset: Field.group + $0, as: UInt8.self) })
        }
        set {
            base.storeBytes(of: newValue.rankCount, toByteOffset: Field.rankCount, as: UInt64.self)
            base.storeBytes(of: newValue.slotByteCount, toByteOffset: Field.slotByteCount, as: UInt64.self)
            base.storeBytes(of: newValue.epoch, toByteOffset: Field.epoch, as: UInt64.self)
            base.storeBytes(of: UInt32(newValue.group.count), toByteOffset: Field.groupByteCount, as: UInt32.self)
            for (index, byte) in newValue.group.enumerated() {
                base.storeBytes(of: byte, toByteOffset: Field.group + index, as: UInt8.self)
            }
            base.storeBytes(of: newValue.magic, toByteOffset: Field.magic, as: UInt64.self)
        }
    }

    /// 0 while the group works, then why it ended: `abortedCode`, or `lostCode` + the rank.
    var failure: UnsafeMutablePointer<Atomic<UInt32>> { atomic(at: Field.failure) }
    /// Ranks that have attached.
    var attached: UnsafeMutablePointer<Atomic<UInt32>> { atomic(at: Field.attached) }

    // MARK: Counters and slots

    /// Twice the generation that a rank has published; the lowest bit says that the group has ended.
    func published(_ rank: Int) -> UnsafeMutablePointer<Atomic<UInt32>> { atomic(at: counterOffset(rank)) }
    /// Threads that sleep, or are about to, until `published` of the rank changes.
    func sleepers(_ rank: Int) -> UnsafeMutablePointer<Atomic<UInt32>> { atomic(at: counterOffset(rank) + 4) }
    /// The process that holds the rank; 0 is nobody.
    func process(_ rank: Int) -> UnsafeMutablePointer<Atomic<UInt32>> { atomic(at: counterOffset(rank) + 8) }

    /// What a rank says about the payload of the same slot.
    struct Announcement {
        var operation: UInt32
        /// Elements of the whole operation, of which the payload is a piece.
        var elementCount: UInt64
    }

    func announcement(_ rank: Int, slot: Int) -> Announcement {
        let offset = slotOffset(rank, slot)
        return Announcement(
            operation: base.load(fromByteOffset: offset, as: UInt32.self),
            elementCount: base.load(fromByteOffset: offset + 8, as: UInt64.self))
    }

    func announce(_ announcement: Announcement, rank: Int, slot: Int) {
        let offset = slotOffset(rank, slot)
        base.storeBytes(of: announcement.operation, toByteOffset: offset, as: UInt32.self)
        base.storeBytes(of: announcement.elementCount, toByteOffset: offset + 8, as: UInt64.self)
    }

    /// `slotByteCount` bytes.
    func payload(_ rank: Int, slot: Int) -> UnsafeMutableRawPointer {
        base + slotOffset(rank, slot) + Self.announcementByteCount
    }

    private func counterOffset(_ rank: Int) -> Int { Self.headerByteCount + rank * Self.counterByteCount }

    private func slotOffset(_ rank: Int, _ slot: Int) -> Int {
        Self.headerByteCount + rankCount * Self.counterByteCount
            + (2 * rank + slot) * (Self.announcementByteCount + slotByteCount)
    }

    private func atomic(at offset: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        // Safety: fresh memory is zero, which is a valid `Atomic<UInt32>`, a trivial type of four aligned bytes.
        (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    // MARK: The end of the group

    static let abortedCode: UInt32 = 1
    static let lostCode: UInt32 = 16

    /// Ends every wait of every rank. The first reason stays.
    func end(_ code: UInt32) {
        _ = failure.pointee.compareExchange(expected: 0, desired: code, ordering: .sequentiallyConsistent)
        for rank in 0..<rankCount {
            // The word itself changes, so a thread that is just going to sleep on it does not.
            published(rank).pointee.bitwiseOr(1, ordering: .sequentiallyConsistent)
            wake(published(rank))
        }
        wake(attached)
    }

    /// Why the group ended; nil while it works.
    var error: CollectiveError? {
        switch failure.pointee.load(ordering: .acquiring) {
        case 0: nil
        case let code where code >= Self.lostCode: .rankLost(Int(code - Self.lostCode))
        default: .aborted
        }
    }

    func wake(_ word: UnsafeMutablePointer<Atomic<UInt32>>) { _ = heddle_futex_wake(word, isShared ? 1 : 0) }

    /// Sleeps while the word is `value`, at most `limit` (nil: until it changes).
    func sleep(on word: UnsafeMutablePointer<Atomic<UInt32>>, while value: UInt32, limitNanoseconds: Int64?) {
        _ = heddle_futex_wait(word, value, limitNanoseconds ?? -1, isShared ? 1 : 0)
    }
}

extension CollectiveError {
    /// A failed call of libc, from `errno`.
    static func systemCall(_ call: String, _ code: Int32 = errno) -> CollectiveError {
        .system(call: call, code: code, reason: String(cString: strerror(code)))
    }
}
