"""Symptom 38: a node whose clock is wrong by five minutes is named by alarm 25022 on both sides of
its tunnel, and no more once it is right; messages pass all the while."""
import os

from lib.clock import AHEAD_SECONDS, moved_clock
from lib.talk import both_ways

DEADLINE = 120.0


async def run(stage):
    site = await stage.own_nodes("c")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    edge, core = site.edge, site.core
    await core.no_alarm(25022)
    edge.env = dict(os.environ, LD_PRELOAD=str(await moved_clock(AHEAD_SECONDS)))
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
