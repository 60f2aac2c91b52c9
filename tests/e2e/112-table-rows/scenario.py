"""Symptoms 5 and 6: home's table is empty, names another edge, or still one that is no more; each
is seen, named, and set right by a refresh."""
from lib import topology
from lib.node import AXL_PORT, row
from lib.process import together
from lib.site import configure_edge
from lib.talk import NOT_SET_UP, both_ways, bounces

DEADLINE = 150.0


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await empty(stage, alice, bob)
    await another_realm(stage, alice, bob)
    await stale(stage, alice, bob)


async def empty(stage, alice, bob):
    """Row 5."""
    await stage.home.sql("delete from xmpps2snodes")
    await stage.site.loaded(stage.edge.name, False)
    await bounces(alice, bob.boundjid.full, NOT_SET_UP)
    await stage.home.alarm(90006)
    await repaired(stage, alice, bob)


async def another_realm(stage, alice, bob):
    """Row 5: the edge was renamed, or somebody wrote a name of his own."""
    cp_id = "cm-2_s2scp-1.edge-of-before"
    await stage.home.sql(f"update xmpps2snodes set cp_id='{cp_id}'")
    await stage.site.loaded(stage.edge.name, False)
    await bounces(alice, bob.boundjid.full, NOT_SET_UP)
    await stage.home.alarm(90006)
    await stage.core.refresh()
    await stage.home.no_alarm(90006)
    await both_ways(alice, bob)
    alarm = await stage.core.alarm(90007)
    assert "edge-of-before" in alarm["seen"] + alarm["subject"], alarm
    assert cp_id in await stage.home.table(), "a row that is not ours was deleted"
    await stage.home.sql(f"delete from xmpps2snodes where cp_id='{cp_id}'")
    await repaired(stage, alice, bob)
    await stage.core.no_alarm(90007)


async def stale(stage, alice, bob):
    """Row 6: an edge is removed while home's AXL service cannot be reached."""
    core, home = stage.core, stage.home
    edge_b = await stage.another("edge", "edge2", "edge-b")
    await configure_edge(edge_b)
    await core.joined(edge_b)
    await edge_b.configure("federation.enabled", "on")
    await home.rows(stage.edge.name, edge_b.name)
    await core.set("timeouts.axl", 2)
    topology.wall(home.host, AXL_PORT)
    await core.ctl("node", "remove", edge_b.name)
    await core.alarm(25023, home.name)
    assert row(edge_b.name) in await home.table(), "who deleted it?"
    topology.unblock()
    await repaired(stage, alice, bob)
    await core.no_alarm(25023)


async def repaired(stage, alice, bob):
    well, out = await stage.core.refresh()
    assert well, out
    await stage.home.rows(stage.edge.name)
    await stage.site.loaded(stage.edge.name)
    await stage.home.no_alarm(90006)
    await both_ways(alice, bob)
