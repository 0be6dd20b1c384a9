#include <errno.h>
#include <poll.h>
#include <semaphore.h>
// Swift's Glibc module leaves these out.
#include <sys/eventfd.h>
#include <sys/un.h>
#include <zmq.h>

// Declared by glibc only under _GNU_SOURCE, which Swift's importer does not set.
#include <pthread.h>
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until);
