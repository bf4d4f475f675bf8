/* A wall clock that steps, for a process with this library preloaded: every ten seconds by turns two
   hours ahead and one back. The machine's own clock and CLOCK_MONOTONIC are not changed. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, clock, now) != 0)
        return -1;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        struct timespec running;
        if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &running) != 0)
            return -1;
        now->tv_sec += running.tv_sec / 10 % 2 ? 7200 : -3600;
    }
    return 0;
}
