import CZeroMQ
import Glibc

/// One operating-system thread with a name that `top -H` shows; whoever starts it joins it.
package final class NamedThread: @unchecked Sendable {
    // Safety: `handle` is written once, before `start` returns, and read by the one caller of `join`.
    private let handle: pthread_t
    private let name: String

    private final class Body {
        let name: String
        let run: () -> Void
        init(name: String, run: @escaping () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts at once; the name is cut to the 15 bytes that Linux keeps.
    package init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var handle = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 2 << 20)
        let status = pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument else { return nil }
                // Safety: retained above, released exactly here.
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                pthread_setname_np(pthread_self(), String(body.name.utf8.prefix(15)) ?? "heddle")
                body.run()
                return nil
            }, body.toOpaque())
        pthread_attr_destroy(&attributes)
        precondition(status == 0, "the system refuses another thread (error \(status)) for \(name)")
        self.handle = handle
    }

    /// Waits for the end, at most this long; false when the thread still runs, which is then left to itself.
    package func join(timeout: Duration) -> Bool {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        let nanoseconds = UInt64(until.tv_nsec).addingClamped(UInt64(nanosecondsOf: timeout))
        until.tv_sec += Int(clamping: nanoseconds / 1_000_000_000)
        until.tv_nsec = Int(nanoseconds % 1_000_000_000)
        guard pthread_timedjoin_np(handle, nil, &until) == 0 else {
            pthread_detach(handle)
            return false
        }
        return true
    }

    package var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }
}
