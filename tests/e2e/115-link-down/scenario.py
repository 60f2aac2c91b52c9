"""Symptoms 10, 13 and 14: no stanza passes because the link to the edge is blocked, or dialled at
the wrong one of its addresses; edge and core both say so, and the repair ends it."""
from lib import topology
from lib.node import LINK_PORT
from lib.process import together
from lib.site import configure_edge
from lib.talk import INTERRUPTED, both_ways, bounces

DEADLINE = 150.0
QUEUE_SECONDS = 3


async def run(stage):
    site = await stage.own_nodes("k")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    for node in site.nodes:
        await node.configure("limits.link_queue_seconds", QUEUE_SECONDS)
    await site.core.configure("timeouts.tcp", 2)
    await blocked(site, alice, bob)
    await wrong_interface(stage, alice, bob)


async def blocked(site, alice, bob):
    """Rows 10 and 13: the core cannot reach port 7400, so the edge cannot take part."""
    edge, core = site.edge, site.core
    marks = site.marks()
    topology.block_port(LINK_PORT)
    topology.reset_connections("core", LINK_PORT, "edge")
    topology.reset_accepted("edge", LINK_PORT)
    await together(core.event("link.down", edge.name, since=marks[core.name]),
                   edge.event("link.down", core.name, since=marks[edge.name]))
    await bounces(alice, bob.boundjid.full, INTERRUPTED)
    alarm = await core.alarm(90001, edge.name)
    assert alarm["seen"], alarm
    await edge.alarm(90013)
    told = await edge.told("status")
    assert told["wrong"], "the edge says that all is well"
    topology.unblock()
    await core.event("link.up", edge.name, since=marks[core.name], deadline=60)
    await together(core.no_alarm(90001), edge.no_alarm(90013), edge.no_alarm(90001))
    await both_ways(alice, bob)


async def wrong_interface(stage, alice, bob):
    """Row 14: an edge with two addresses was paired with the outer one for its link."""
    site, core = stage.site, stage.core
    edge_b = await stage.another("edge", "edge2", "edge-b")
    await configure_edge(edge_b)
    await edge_b.configure("federation.enabled", "on")
    await site.edge.configure("federation.enabled", "off")
    mark = core.mark()
    await core.joined(edge_b, f"link={topology.OUTER}:{LINK_PORT}")
    await core.event("tunnel.up", edge_b.name, since=mark)
    await core.event("link.failed", edge_b.name, since=mark)
    alarm = await core.alarm(90001, edge_b.name, seen="refused")
    assert topology.OUTER in alarm["seen"], alarm
    since = alice.mark()
    alice.say(bob.boundjid.full, "by the wrong interface")
    await alice.error("message", since)
    mark = core.mark()
    await core.joined(edge_b, f"link={topology.address('edge2')}:{LINK_PORT}")
    await core.event("link.up", edge_b.name, since=mark)
    await core.no_alarm(90001, edge_b.name)
    await site.home.rows(edge_b.name)
    await site.loaded(edge_b.name)
    alice.say(bob.boundjid.full, "by the right one")
    await bob.message("by the right one")
