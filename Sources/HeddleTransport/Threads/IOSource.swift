/// Something that an I/O thread looks after: a socket, or a table with moments at which something is due.
///
/// Everything here is touched on that thread alone.
package protocol IOSource: AnyObject {
    /// Readable means work; -1 for none. It never changes.
    var descriptor: Int32 { get }
    /// The next moment, on the monotonic clock, at which `service` must run even if nothing arrives; `.max` for none.
    var dueNanoseconds: UInt64 { get }
    /// `service` must run before the thread waits again: a send may have swallowed the descriptor's edge.
    var isMarked: Bool { get set }

    /// Reads and writes until nothing more can be done now, then returns.
    func service(nowNanoseconds: UInt64)
    /// The thread ends: close what is open.
    func close()
}
