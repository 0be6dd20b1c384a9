// Persistent threads that share the parts of one call with its caller.
//
// One word says everything: (round << 32 | parts not yet taken). Whoever swaps it down by one owns that part. A thread
// that wakes late finds nothing to take and disturbs nobody, so a call never waits for a sleeper, only for parts that
// were taken. What a part is (body, context) may only be changed when no part is taken, and a part can only be taken
// by a swap that proves that the word, and so the call, is still the one that was read.

#include "kernel_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

namespace {

uint64_t microseconds_now() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void pause_briefly() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

typedef void (*Body)(const void *, int64_t, int64_t);

}  // namespace

struct heddle_team {
    alignas(64) uint64_t word;
    alignas(64) int64_t parts_done;
    alignas(64) Body body;
    const void *context;
    int64_t count;
    int64_t grain;
    int32_t sleepers;
    int32_t caller_sleeps;
    int32_t stopping;
    int32_t thread_count;
    int32_t spin_microseconds;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    pthread_cond_t done;
    pthread_t *threads;
};

namespace {

/// Takes and runs one part; false where none is left.
bool run_one(heddle_team *team) {
    uint64_t word = __atomic_load_n(&team->word, __ATOMIC_ACQUIRE);
    while (uint32_t left = (uint32_t)word) {
        Body body = __atomic_load_n(&team->body, __ATOMIC_RELAXED);
        const void *context = __atomic_load_n(&team->context, __ATOMIC_RELAXED);
        int64_t count = __atomic_load_n(&team->count, __ATOMIC_RELAXED);
        int64_t grain = __atomic_load_n(&team->grain, __ATOMIC_RELAXED);
        if (!__atomic_compare_exchange_n(&team->word, &word, word - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            continue;
        int64_t parts = (count + grain - 1) / grain;
        int64_t first = (parts - left) * grain;
        body(context, first, count - first < grain ? count : first + grain);
        if (__atomic_add_fetch(&team->parts_done, 1, __ATOMIC_SEQ_CST) == parts
            && __atomic_load_n(&team->caller_sleeps, __ATOMIC_SEQ_CST)) {
            pthread_mutex_lock(&team->mutex);
            pthread_cond_signal(&team->done);
            pthread_mutex_unlock(&team->mutex);
        }
        return true;
    }
    return false;
}

bool has_work(heddle_team *team) {
    return (uint32_t)__atomic_load_n(&team->word, __ATOMIC_SEQ_CST) || __atomic_load_n(&team->stopping, __ATOMIC_SEQ_CST);
}

void *thread_main(void *argument) {
    heddle_team *team = (heddle_team *)argument;
    for (;;) {
        while (run_one(team)) {}
        uint64_t spin_end = microseconds_now() + (uint64_t)team->spin_microseconds;
        bool found = false;
        while (!found && microseconds_now() < spin_end)
            for (int i = 0; i < 32 && !found; ++i) {
                found = has_work(team);
                pause_briefly();
            }
        if (!found) {
            pthread_mutex_lock(&team->mutex);
            __atomic_add_fetch(&team->sleepers, 1, __ATOMIC_SEQ_CST);
            while (!has_work(team)) pthread_cond_wait(&team->work, &team->mutex);
            __atomic_sub_fetch(&team->sleepers, 1, __ATOMIC_SEQ_CST);
            pthread_mutex_unlock(&team->mutex);
        }
        if (__atomic_load_n(&team->stopping, __ATOMIC_SEQ_CST)) return nullptr;
    }
}

}  // namespace

extern "C" heddle_team *heddle_team_create(int32_t thread_count, int32_t spin_microseconds) {
    heddle_team *team = (heddle_team *)aligned_alloc(64, (sizeof(heddle_team) + 63) / 64 * 64);
    if (!team) return nullptr;
    *team = {};
    team->spin_microseconds = spin_microseconds;
    team->threads = (pthread_t *)calloc((size_t)thread_count, sizeof(pthread_t));
    pthread_mutex_init(&team->mutex, nullptr);
    pthread_cond_init(&team->work, nullptr);
    pthread_cond_init(&team->done, nullptr);
    team->thread_count = 1;
    while (team->threads && team->thread_count < thread_count) {
        if (pthread_create(&team->threads[team->thread_count - 1], nullptr, thread_main, team)) break;
        team->thread_count += 1;
    }
    if (team->thread_count == thread_count) return team;
    heddle_team_destroy(team);
    return nullptr;
}

extern "C" void heddle_team_destroy(heddle_team *team) {
    pthread_mutex_lock(&team->mutex);
    __atomic_store_n(&team->stopping, 1, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&team->work);
    pthread_mutex_unlock(&team->mutex);
    for (int32_t i = 0; i + 1 < team->thread_count; ++i) pthread_join(team->threads[i], nullptr);
    pthread_mutex_destroy(&team->mutex);
    pthread_cond_destroy(&team->work);
    pthread_cond_destroy(&team->done);
    free(team->threads);
    free(team);
}

extern "C" int32_t heddle_team_thread_count(const heddle_team *team) { return team ? team->thread_count : 1; }

void heddle_team_run(heddle_team *team, Body body, const void *context, int64_t count, int64_t grain) {
    if (count <= 0) return;
    if (!team || team->thread_count == 1 || count <= grain) return body(context, 0, count);
    const int64_t parts = (count + grain - 1) / grain;
    __atomic_store_n(&team->body, body, __ATOMIC_RELAXED);
    __atomic_store_n(&team->context, context, __ATOMIC_RELAXED);
    __atomic_store_n(&team->count, count, __ATOMIC_RELAXED);
    __atomic_store_n(&team->grain, grain, __ATOMIC_RELAXED);
    __atomic_store_n(&team->parts_done, 0, __ATOMIC_RELAXED);
    const uint64_t round = (__atomic_load_n(&team->word, __ATOMIC_RELAXED) >> 32) + 1;
    __atomic_store_n(&team->word, round << 32 | (uint64_t)parts, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&team->sleepers, __ATOMIC_SEQ_CST)) {
        pthread_mutex_lock(&team->mutex);
        pthread_cond_broadcast(&team->work);
        pthread_mutex_unlock(&team->mutex);
    }
    while (run_one(team)) {}
    const uint64_t spin_end = microseconds_now() + (uint64_t)team->spin_microseconds;
    while (__atomic_load_n(&team->parts_done, __ATOMIC_ACQUIRE) != parts) {
        for (int i = 0; i < 32; ++i) pause_briefly();
        if (microseconds_now() < spin_end) continue;
        pthread_mutex_lock(&team->mutex);
        __atomic_store_n(&team->caller_sleeps, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&team->parts_done, __ATOMIC_SEQ_CST) != parts)
            pthread_cond_wait(&team->done, &team->mutex);
        __atomic_store_n(&team->caller_sleeps, 0, __ATOMIC_SEQ_CST);
        pthread_mutex_unlock(&team->mutex);
    }
}
