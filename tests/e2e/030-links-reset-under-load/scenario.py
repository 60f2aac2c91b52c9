"""10,000 messages each way at 500 a second, while the link between core and edge is reset five
times and the one between core and home once: each arrives exactly once, in order."""

from lib import topology
from lib.load import Flow
from lib.process import together

COUNT, RATE = 10_000, 500
DEADLINE = 120


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.lean("alice@home.example"),
                                stage.lean("bob@prosody.example"))
    flows = [Flow(alice, bob, "out", COUNT, RATE), Flow(bob, alice, "in", COUNT, RATE)]
    await together(*(flow.run() for flow in flows), disturb(stage, flows))
    await together(*(flow.settled() for flow in flows))
    for flow in flows:
        flow.must_be_whole()


async def disturb(stage, flows):
    resets = ["edge", "edge", "home", "edge", "edge", "edge"]
    for place, host in enumerate(resets, 1):
        await together(*(flow.under_way(place * COUNT // 8) for flow in flows))
        node = getattr(stage, host)
        marks = stage.site.marks()
        assert topology.reset_connections("core", 7400, host), f"no link to {host}"
        await together(
            stage.core.event("link.down", node.name, since=marks[stage.core.name]),
            stage.core.event("link.up", node.name, since=marks[stage.core.name]),
            node.event("link.up", stage.core.name, since=marks[node.name]))
