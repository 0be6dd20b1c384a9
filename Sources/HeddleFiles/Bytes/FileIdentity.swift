import Glibc

/// Tells whether a file is the one that was read before: device, inode, size, and when its content and its state last changed.
///
/// The last of them no program can set back, so that a file that was written into is noticed even where its time of change was
/// restored.
package struct FileIdentity: Hashable, Sendable, CustomStringConvertible {
    private let device: UInt64
    private let inode: UInt64
    private let byteCount: Int
    private let modified: Moment
    private let changed: Moment

    private struct Moment: Hashable {
        var seconds: Int
        var nanoseconds: Int

        init(_ time: timespec) {
            seconds = time.tv_sec
            nanoseconds = time.tv_nsec
        }
    }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        byteCount = Int(status.st_size)
        modified = Moment(status.st_mtim)
        changed = Moment(status.st_ctim)
    }

    /// Of the file that a path now leads to; nil where there is none.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// When it last changed, in whole seconds since 1970.
    var changedSeconds: Int { changed.seconds }

    /// All of it on one line.
    package var description: String {
        "\(device):\(inode) \(byteCount) \(modified.seconds).\(modified.nanoseconds) \(changed.seconds).\(changed.nanoseconds)"
    }
}
