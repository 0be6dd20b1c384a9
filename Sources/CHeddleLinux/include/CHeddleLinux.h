// The Linux calls that Swift cannot name: they are variadic in glibc, have no wrapper there, or are not in its module.
// Every function returns 0 (or a descriptor) when it worked and a negated errno when it did not.
#pragma once

#include <stdint.h>
#include <sys/types.h>

/// Sleeps while `*word == expected`, at most `nanoseconds` (negative: without limit). -EAGAIN: the word had changed;
/// -ETIMEDOUT; -EINTR. `shared` is non-zero where the word lies in memory that several processes map.
int heddle_futex_wait(const void *word, uint32_t expected, int64_t nanoseconds, int shared);

/// Wakes everybody who sleeps on `word`.
int heddle_futex_wake(const void *word, int shared);

/// A descriptor that becomes readable when the process ends, also before its parent has reaped it.
int heddle_pidfd_open(pid_t process);

/// A counter that starts at zero and makes its descriptor readable once eight bytes of a number are written to it.
int heddle_event_create(void);

/// A pipe that no started process inherits; `ends[0]` reads and never blocks, `ends[1]` writes.
int heddle_pipe_create(int ends[2]);

/// Memory of `byteCount` zero bytes behind a descriptor: it ends with its last mapping, whatever kills the processes.
/// Nobody can shrink it under a mapping.
int heddle_memory_create(const char *name, int64_t byteCount);

/// Keeps the calling thread on the `index`-th core that it may use, counted from 0 and around.
int heddle_pin_thread(int index);

/// Has the kernel send `signal` to this process when the thread that started it ends.
int heddle_die_with_parent(int signal);

/// Tells the core that this is a waiting loop.
static inline void heddle_spin_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}
