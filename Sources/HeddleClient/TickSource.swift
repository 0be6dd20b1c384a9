import HeddleTransport

/// Calls back on an I/O thread every so often while it is switched on.
final class TickSource: IOSource {
    let descriptor: Int32 = -1
    private(set) var dueNanoseconds: UInt64 = .max
    var isMarked = false
    private let periodNanoseconds: UInt64
    private let tick: (UInt64) -> Void

    init(periodNanoseconds: UInt64, tick: @escaping (UInt64) -> Void) {
        self.periodNanoseconds = periodNanoseconds
        self.tick = tick
    }

    func switchOn() {
        if dueNanoseconds == .max { dueNanoseconds = MonotonicClock.nanoseconds() &+ periodNanoseconds }
    }

    func switchOff() { dueNanoseconds = .max }

    func service(nowNanoseconds: UInt64) {
        guard nowNanoseconds >= dueNanoseconds else { return }
        dueNanoseconds = nowNanoseconds &+ periodNanoseconds
        tick(nowNanoseconds)
    }

    func close() { switchOff() }
}
