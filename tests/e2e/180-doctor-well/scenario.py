"""Doctor finds nothing on a healthy system, on any node; a node whose tunnel is down, or that does
not answer, is said not to have been looked at, and holds nobody up."""
import os
import signal

from lib import doctor, topology
from lib.node import PROVISION_PORT
from lib.site import configure_edge
from lib.process import together
from lib.talk import both_ways

DEADLINE = 240.0


async def run(stage):
    site = await doctor.site(stage, "w")
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await both_ways(alice, bob)
    await healthy(site)
    await tunnel_down(site, holds=doctor.HOLDS_SECONDS if stage.full else 0)
    if stage.full:
        await hangs(site)
        await grown(stage)
        await small(stage)


async def healthy(site):
    status, told = await doctor.ask(site.core)
    assert (status, told["verdict"], told["findings"]) == (0, "all is well", []), told
    assert {node["name"] for node in told["nodes"]} == {node.name for node in site.nodes}, told
    assert all(node["reached"] for node in told["nodes"]), told["nodes"]
    for check in told["checks"]:
        assert check["result"] == "ok", check
    assert {check["node"] for check in told["checks"]} == {node.name for node in site.nodes}
    for node in site.nodes:
        status, told = await doctor.ask(node, "here")
        assert (status, [row["name"] for row in told["nodes"]]) == (0, [node.name]), told
    status, out = await site.core.try_ctl("doctor")
    assert status == 0 and out.startswith("all is well"), out
    status, out = await site.core.try_ctl("doctor", "there")
    assert status == 2, out


async def tunnel_down(site, holds):
    edge, core = site.edge, site.core
    for node in site.nodes:
        await node.configure("timeouts.ssh_silence", 3)
    await core.configure("timeouts.tcp", 2)
    topology.block_port(PROVISION_PORT)
    await doctor.names(core, 11, holds)
    status, told = await doctor.ask(core)
    assert status == 1, told
    rows = {node["name"]: node for node in told["nodes"]}
    assert rows[site.home.name]["reached"] and not rows[edge.name]["reached"], rows
    assert "tunnel" in rows[edge.name]["why"], rows
    topology.unblock()
    await doctor.well(core)



async def hangs(site):
    """A node whose manage has stopped in the middle of everything: it is said that it could not be
    asked, or that its tunnel is down by then; never is it waited for longer than a look may take."""
    pid = site.home.pid("manage")
    os.kill(pid, signal.SIGSTOP)
    try:
        status, told = await doctor.ask(site.core)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert status == 1 and doctor.named(told) <= {11, 112}, doctor.brief(told)
    row = next(node for node in told["nodes"] if node["name"] == site.home.name)
    assert not row["reached"] and row["why"], row
    assert next(n for n in told["nodes"] if n["name"] == site.edge.name)["reached"], told["nodes"]
    await doctor.well(site.core)


async def grown(stage):
    """Two edges and two home nodes are as healthy as one of each."""
    edge_b = await stage.another("edge", "edge2", "edge-b")
    home_b = await stage.another("home", "home2", "home-b")
    await together(*(node.configure("log.levels") for node in (edge_b, home_b)))
    await configure_edge(edge_b)
    await stage.core.joined(home_b)
    await stage.core.joined(edge_b)
    await edge_b.configure("federation.enabled", "on")
    await together(*(home.rows(stage.edge.name, edge_b.name) for home in (stage.home, home_b)))
    await doctor.well(stage.core)
    _, told = await doctor.ask(stage.core)
    assert len(told["nodes"]) == 5 and all(n["reached"] for n in told["nodes"]), told["nodes"]


async def small(stage):
    """So is a site without a home node."""
    site = await stage.nodes(small=True)
    stage.at_end.append(stage.vacate)
    for node in site.nodes:
        await node.configure("log.levels")
    await doctor.well(site.core)
