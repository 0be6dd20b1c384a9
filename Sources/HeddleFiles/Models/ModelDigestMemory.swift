import Glibc
import HeddleCore

/// Remembers the digests of model folders in small files, so that a start does not hash gigabytes that were hashed before.
///
/// A note is found by the folder's path and believed only where every file that the digest covers is still the one that was
/// hashed, by `FileIdentity`. It is not kept where a file changed so shortly before that a later change could bear the same time,
/// or where files changed while they were read.
public struct ModelDigestMemory: Sendable {
    /// The folder of the notes; made when the first is written.
    public let directory: String
    /// The most notes; beyond them the oldest goes.
    public let noteCountMax: Int
    private static let heading = "heddle model digest 1"
    /// Clocks of file systems may be this coarse.
    private static let clockSecondsMax = 2

    /// Notes in a folder of this user.
    public init(directory: String, noteCountMax: Int = 256) {
        self.directory = directory
        self.noteCountMax = noteCountMax
    }

    /// The remembered digest; nil where the folder is new or has changed.
    public func recalled(_ model: ModelFolder) -> Digest? {
        guard let file = try? MappedFile(path: path(of: model), byteCountMax: 1 << 20, use: .copied) else { return nil }
        let text = file.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
        guard lines.count == 3, lines[0] == Self.heading, lines[2] == Self.text(of: model) else { return nil }
        return Self.digest(lines[1])
    }

    /// The folder's digest: remembered, or else computed and remembered as far as that is safe.
    ///
    /// - Parameters:
    ///   - seconds: now, since 1970.
    ///   - onBytes: hears of every part of the files that was read, with its byte count; of none where it was remembered.
    public func digest(
        of model: ModelFolder, seconds: Int = time(nil), onBytes: (Int) -> Void = { _ in }
    ) -> Digest {
        if let digest = recalled(model) { return digest }
        let digest = model.digest(onBytes: onBytes)
        let isSettled = model.identities.allSatisfy { $0.identity.changedSeconds + Self.clockSecondsMax < seconds }
        if isSettled, model.isAsOpened { remember(digest, model) }
        return digest
    }

    /// A note that cannot be written costs another hash at the next start, no more.
    private func remember(_ digest: Digest, _ model: ModelFolder) {
        mkdir(directory, 0o700)
        let path = path(of: model)
        let temporary = "\(path).\(getpid()).\(UInt64.random(in: 0 ... .max)).part"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0 { return }
        let bytes = Array("\(Self.heading)\n\(digest)\n\(Self.text(of: model))".utf8)
        let isWritten = write(file, bytes, bytes.count) == bytes.count
        close(file)
        if !isWritten || rename(temporary, path) != 0 { unlink(temporary) }
        prune(keeping: path)
    }

    /// The new note stays, though others may bear the same second.
    private func prune(keeping newest: String) {
        guard let folder = opendir(directory) else { return }
        defer { closedir(folder) }
        var notes: [(path: String, identity: FileIdentity)] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let path = "\(directory)/\(name)"
            if !name.hasPrefix("."), path != newest, let identity = FileIdentity(path: path) {
                notes.append((path, identity))
            }
        }
        let surplus = notes.count + 1 - noteCountMax
        if surplus <= 0 { return }
        notes.sort { ($0.identity.changedSeconds, $0.path) < ($1.identity.changedSeconds, $1.path) }
        for note in notes.prefix(surplus) { unlink(note.path) }
    }

    private static func digest(_ text: Substring) -> Digest? {
        guard text.utf8.count == 2 * Digest.byteCount else { return nil }
        var bytes: [UInt8] = []
        var rest = text
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return Digest(bytes)
    }

    private func path(of model: ModelFolder) -> String {
        "\(directory)/\(Digest(hashing: Self.folder(of: model)))"
    }

    /// The folder without symbolic links, so that all ways to it find one note.
    private static func folder(of model: ModelFolder) -> String {
        guard let resolved = realpath(model.path, nil) else { return model.path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func text(of model: ModelFolder) -> String {
        folder(of: model) + "\n"
            + model.identities.map { "\($0.name) \($0.identity)\n" }.joined()
    }
}
