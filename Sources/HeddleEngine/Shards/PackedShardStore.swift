import Glibc
import HeddleCore
import HeddleFiles
import HeddleKernels

/// Owns a host's folder of packed shards: finds them by address, packs what is missing, and keeps within its bytes.
///
/// Any number of processes use one folder. A shard is packed under a lock that ends with its holder, so that of two processes
/// that want it one packs and the other waits; files appear whole or not at all. A file that is not what its name says is packed
/// again. Where room is short the files that were used longest ago go first: who has one mapped keeps its pages, and only the next
/// start has to pack.
public struct PackedShardStore: Sendable {
    /// The folder; made when something is first packed.
    public let directory: String
    /// Bytes of all packed shards together.
    public let byteCountMax: Int
    /// What was computed of model folders before.
    public var digests: ModelDigestMemory { ModelDigestMemory(directory: directory + "/digests") }

    private var shards: String { directory + "/shards" }

    /// - Parameter directory: of this user, and writable by nobody else.
    public init(directory: String, byteCountMax: Int = 64 << 30) {
        self.directory = directory
        self.byteCountMax = byteCountMax
    }

    /// What packing did.
    public enum Packing: Hashable, Sendable {
        /// The file was there and whole.
        case found(byteCount: Int)
        /// It was made now, perhaps in place of one that was refused.
        case made(byteCount: Int, refused: PackedFileError?)
    }

    /// Where the shard of this address lies, whether it is there or not.
    public func path(of address: ShardAddress) -> String { "\(shards)/\(address.fileName)" }

    /// Bytes of a packed shard's file; nil where there is none. The file is not looked into.
    public func byteCount(of address: ShardAddress) -> Int? {
        var status = stat()
        guard lstat(path(of: address), &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Maps a packed shard that is there.
    ///
    /// - Throws: `PackedFileError` where it is missing or not what it must be.
    public func open(
        _ address: ShardAddress, model: ModelFolder, plan: ShardPlan, format: WeightFormat, threadCount: Int = 1
    ) throws -> PackedShard {
        if let refusal = PackedShard.refusal(of: model.configuration) { throw refusal }
        try checkPrivate()
        let layout = ShardLayout(model: model, plan: plan, format: format)
        let path = path(of: address)
        let (memory, first) = try PackedShardFile.open(
            path: path, address: address, layout: layout, threadCount: threadCount)
        // Used now: what was used longest ago is what goes when room is short.
        utimensat(AT_FDCWD, path, nil, 0)
        return PackedShard(memory: memory, at: first, layout: layout, model: model, format: format)
    }

    /// Packs a shard unless it is there and whole.
    ///
    /// - Parameter onBytes: hears of every part of the file that was written, with its byte count.
    public func pack(
        _ address: ShardAddress, model: ModelFolder, plan: ShardPlan, format: WeightFormat, threadCount: Int = 1,
        onBytes: (Int) -> Void = { _ in }
    ) throws -> Packing {
        if let refusal = PackedShard.refusal(of: model.configuration) { throw refusal }
        try prepare()
        let path = path(of: address)
        let lock = try FileLock(path: path + Self.lockSuffix)
        defer { lock.release() }
        let layout = ShardLayout(model: model, plan: plan, format: format)
        let byteCount = PackedShardFile.byteCount(layout)
        var refused: PackedFileError?
        do throws(PackedFileError) {
            _ = try PackedShardFile.open(path: path, address: address, layout: layout, threadCount: threadCount)
            utimensat(AT_FDCWD, path, nil, 0)
            return .found(byteCount: byteCount)
        } catch {
            if case .system("open", _, ENOENT, _) = error {} else { refused = error }
        }
        removeLeftovers(of: address)
        try makeRoom(for: byteCount, address)
        try PackedShardFile.write(
            model: model, address: address, layout: layout, to: path, threadCount: threadCount, onBytes: onBytes)
        return .made(byteCount: byteCount, refused: refused)
    }

    /// Bytes that packing a shard writes.
    public func packedByteCount(model: ModelFolder, plan: ShardPlan, format: WeightFormat) -> Int {
        PackedShardFile.byteCount(ShardLayout(model: model, plan: plan, format: format))
    }

    private static let lockSuffix = ".lock"

    private func prepare() throws(PackedFileError) {
        var path = ""
        for part in shards.split(separator: "/", omittingEmptySubsequences: true) {
            path += (path.isEmpty && !shards.hasPrefix("/") ? "" : "/") + part
            if mkdir(path, 0o700) != 0, errno != EEXIST, errno != EISDIR, errno != EROFS, errno != EACCES {
                throw .failed("mkdir", path, code: errno)
            }
        }
        try checkPrivate()
    }

    /// Weights that others could write into would be their answers.
    private func checkPrivate() throws(PackedFileError) {
        for path in [directory, shards] {
            var status = stat()
            guard lstat(path, &status) == 0 else { throw .failed("lstat", path, code: errno) }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw .notPrivate(directory: path, reason: "it is no directory")
            }
            guard status.st_uid == geteuid() || status.st_uid == 0 else {
                throw .notPrivate(directory: path, reason: "it belongs to user \(status.st_uid)")
            }
            guard status.st_mode & 0o022 == 0 else {
                throw .notPrivate(
                    directory: path, reason: "others may write into it; chmod go-w \(path)")
            }
        }
    }

    /// What processes that were killed while they packed have left: of this shard all, since whoever holds its lock is the one
    /// who packs it; of others what nobody has written into for an hour.
    private func removeLeftovers(of address: ShardAddress) {
        for name in names() where name.hasSuffix(PackedFileWriter.temporarySuffix) {
            let path = "\(shards)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if name.hasPrefix(address.fileName) || status.st_mtim.tv_sec + 3600 < time(nil) { unlink(path) }
        }
    }

    private func makeRoom(for byteCount: Int, _ address: ShardAddress) throws(PackedFileError) {
        guard byteCount <= byteCountMax else {
            throw .overBudget(directory: directory, byteCount: byteCount, byteCountMax: byteCountMax)
        }
        var files: [(path: String, byteCount: Int, used: (Int, Int))] = []
        for name in names() where name.hasSuffix(ShardAddress.suffix) && name != address.fileName {
            var status = stat()
            guard lstat("\(shards)/\(name)", &status) == 0 else { continue }
            files.append(
                ("\(shards)/\(name)", Int(status.st_size), (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)))
        }
        files.sort { $0.used == $1.used ? $0.path < $1.path : $0.used < $1.used }
        var total = files.reduce(0) { $0 + $1.byteCount }
        var free = freeByteCount
        guard free.addingReportingOverflow(total).overflow || free + total >= byteCount else {
            throw .noRoom(directory: directory, byteCount: byteCount, freeByteCount: free)
        }
        for file in files {
            if total + byteCount <= byteCountMax, free >= byteCount { return }
            unlink(file.path)
            total -= file.byteCount
            free = freeByteCount
        }
        guard free >= byteCount else {
            throw .noRoom(directory: directory, byteCount: byteCount, freeByteCount: free)
        }
    }

    private var freeByteCount: Int {
        var system = statvfs()
        guard statvfs(shards, &system) == 0 else { return .max }
        let (bytes, overflow) = Int(clamping: system.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: system.f_frsize))
        return overflow ? .max : bytes
    }

    private func names() -> [String] {
        guard let folder = opendir(shards) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}
