import Glibc

/// Lets a thread wait for one event of another thread.
package final class Signal: @unchecked Sendable {
    // Safety: a semaphore may be raised and waited on from any thread; it has a stable address of its own.
    private let semaphore: UnsafeMutablePointer<sem_t>

    package init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    package func raise() { sem_post(semaphore) }

    package func wait() { while sem_wait(semaphore) != 0 {} }
}
