"""Killed ten times in the middle of changes, a node comes back each time with the last change that
it acknowledged, or the one after, and with its pairings and its secret."""
import asyncio
import re
import signal

from lib.process import Missing, together
from lib.talk import both_ways

DEADLINE = 180.0
TIMES = 10
AFTER = [0, 1, 2, 3, 5, 8, 1, 2, 4, 6]  # changes acknowledged before the kill


async def run(stage):
    site = await stage.own_nodes("s")
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    edge = site.edge
    kept = await what_stays(edge)
    value = await queue_stanzas(edge)
    for round_number in range(TIMES):
        value = await killed_while_changing(edge, value, AFTER[round_number])
        marks = site.marks()
        await edge.start(fresh=False)
        got = await queue_stanzas(edge)
        assert got in (value, value + 1), f"round {round_number}: {got}, not {value} or one more"
        value = got
        assert await what_stays(edge) == kept, f"round {round_number}"
    await site.core.event("link.up", edge.name, since=marks[site.core.name], deadline=60)
    await site.core.event("tunnel.up", edge.name, since=marks[site.core.name], deadline=60)
    await both_ways(alice, bob, deadline=40)


async def what_stays(edge):
    out = await edge.ctl("config", "export")
    return [line for line in out.splitlines() if "limits.queue_stanzas" not in line
            and not line.startswith("#")] + sorted(await edge.node_names())


async def queue_stanzas(edge):
    out = await edge.ctl("config", "get", "limits.queue_stanzas")
    return int(re.fullmatch(r"limits\.queue_stanzas = (\d+)\n", out)[1])


async def killed_while_changing(edge, value, changes):
    """Sets one number after the other; kills the node with one change under way. Returns the last
    number that was acknowledged."""
    acknowledged = value
    while acknowledged < value + changes:
        await edge.ctl("config", "set", "limits.queue_stanzas", acknowledged + 1)
        acknowledged += 1
    under_way = asyncio.create_task(
        edge.try_ctl("config", "set", "limits.queue_stanzas", acknowledged + 1))
    await asyncio.sleep(0)
    edge.process.process.send_signal(signal.SIGKILL)
    await edge.process.process.wait()
    try:
        status, _ = await under_way
    except Missing:
        status = 1
    return acknowledged + (status == 0)
