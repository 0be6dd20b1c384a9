import Glibc

/// A value that several threads share, behind a pthread mutex: the thread sanitizer understands that one, and reports
/// every use of `Synchronization.Mutex`.
public final class Locked<Value>: @unchecked Sendable {
    // Safety: `value` is touched only between lock and unlock; the mutex has a stable address of its own.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    public init(_ value: Value) {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs the closure alone; it must be short and must not lock anything that waits for this lock.
    public func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
