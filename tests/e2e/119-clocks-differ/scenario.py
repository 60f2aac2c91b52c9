"""Symptom 38: a node whose clock is wrong by five minutes is named by alarm 25022 on both sides of
its tunnel, and no more once it is right; messages pass all the while."""
import os

from lib import topology
from lib.process import command
from lib.talk import both_ways

DEADLINE = 120.0
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


async def run(stage):
    site = await stage.own_nodes("c")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    edge, core = site.edge, site.core
    await core.no_alarm(25022)
    edge.env = dict(os.environ, LD_PRELOAD=str(await moved_clock()))
    await again(site)
    alarm = await core.alarm(25022, edge.name, deadline=40)
    assert any(digit.isdigit() for digit in alarm["seen"]), alarm
    await edge.alarm(25022, core.name, deadline=40)
    await both_ways(alice, bob)

    edge.env = None
    await again(site)
    await core.no_alarm(25022, deadline=40)
    await edge.no_alarm(25022, deadline=40)
    await both_ways(alice, bob)


async def again(site):
    """The edge is stopped and started."""
    marks = site.marks()
    await site.edge.stop()
    await site.edge.start(fresh=False)
    for name in ("link.up", "tunnel.up"):
        await site.core.event(name, site.edge.name, since=marks[site.core.name], deadline=60)


async def moved_clock():
    source, library = topology.RUN / "clock.c", topology.RUN / "clock.so"
    source.write_text(CLOCK)
    status, out = await command("core", "gcc", "-shared", "-fPIC", f"-DAHEAD={AHEAD_SECONDS}", "-o",
                                library, source)
    assert status == 0, out
    return library
