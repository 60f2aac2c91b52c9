"""Doctor finds nothing on a healthy system, on any node; a node that is gone is named as that and
nothing else, and one whose tunnel is down is said not to have been looked at."""
from lib import doctor, topology
from lib.node import PROVISION_PORT
from lib.process import together
from lib.talk import both_ways

DEADLINE = 150.0


async def run(stage):
    site = await doctor.site(stage, "w")
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await both_ways(alice, bob)
    await healthy(site)
    await tunnel_down(site)
    await node_gone(site)


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


async def tunnel_down(site):
    edge, core = site.edge, site.core
    for node in site.nodes:
        await node.configure("timeouts.ssh_silence", 3)
    await core.configure("timeouts.tcp", 2)
    topology.block_port(PROVISION_PORT)
    await doctor.names(core, 11)
    status, told = await doctor.ask(core)
    assert status == 1, told
    rows = {node["name"]: node for node in told["nodes"]}
    assert rows[site.home.name]["reached"] and not rows[edge.name]["reached"], rows
    assert "tunnel" in rows[edge.name]["why"], rows
    topology.unblock()
    await doctor.well(core)


async def node_gone(site):
    mark = site.core.mark()
    await site.edge.stop()
    await site.core.event("link.down", site.edge.name, since=mark)
    await doctor.names(site.core, 103)
    _, told = await doctor.ask(site.core)
    assert told["findings"][0]["subject"] == site.edge.name, told["findings"]
    await site.edge.start(fresh=False)
    await doctor.well(site.core)
