"""A node whose wall clock is wrong."""
from . import topology
from .process import command

AHEAD_SECONDS = 300
# The wall clock of a process, moved; monotonic clocks stay. For LD_PRELOAD.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	int status;
	if (!real)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	status = real(clock, now);
	if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += AHEAD;
	return status;
}
time_t time(time_t *when)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (when)
		*when = now.tv_sec;
	return now.tv_sec;
}
int gettimeofday(struct timeval *restrict when, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	when->tv_sec = now.tv_sec;
	when->tv_usec = now.tv_nsec / 1000;
	return 0;
}
"""


async def moved_clock(ahead):
    """A library for LD_PRELOAD, by which a node's clock is so many seconds ahead."""
    source, library = topology.RUN / "clock.c", topology.RUN / "clock.so"
    source.write_text(CLOCK)
    status, out = await command("core", "gcc", "-shared", "-fPIC", f"-DAHEAD={ahead}", "-o",
                                library, source)
    assert status == 0, out
    return library
