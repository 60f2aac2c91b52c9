"""One core keeps the rows of two edges in the tables of two home nodes, which notify each for itself;
an edge whose dialback secret is another one is named by an alarm and kept out until they agree."""
from lib.process import together, until
from lib.site import DIALBACK_SECRET, configure_edge
from lib.talk import both_ways

DEADLINE = 150.0


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    core, edge, home = stage.core, stage.edge, stage.home
    edge_b = await stage.another("edge", "edge2", "edge-b")
    home_b = await stage.another("home", "home2", "home-b")
    await core.joined(home_b)
    await home_b.rows(edge.name)
    await core.joined(edge_b)
    await configure_edge(edge_b, federation_dialback_secret=("a-secret-of-its-own-beside",))
    mark = core.mark()
    await edge_b.configure("federation.enabled", "on")
    await core.event("replica.taken", edge_b.name, since=mark)
    await core.alarm(90005)
    await together(edge.alarm(90005), edge_b.alarm(90005))
    await core.refresh()
    await together(home.rows(edge.name), home_b.rows(edge.name))
    await both_ways(alice, bob)

    await edge_b.configure("federation.dialback_secret", DIALBACK_SECRET)
    await together(home.rows(edge.name, edge_b.name), home_b.rows(edge.name, edge_b.name))
    await together(*(node.no_alarm(90005) for node in (core, edge, edge_b)))
    await stage.site.loaded(edge_b.name)
    await both_ways(alice, bob)
    servers = await core.home_servers()
    assert {name: row["state"] for name, row in servers.items()} == {
        home.name: "ready", home_b.name: "ready"}, servers

    await together(*(node.set("router.apply", "restart") for node in (home, home_b)))
    await core.ctl("node", "remove", edge_b.name)
    await together(home.rows(edge.name), home_b.rows(edge.name))
    await together(*(noticed(node) for node in (home, home_b)))
    await home_b.ctl("restart", "router")
    await unnoticed(home_b)
    await noticed(home)  # each has its own
    await home.ctl("restart", "router")
    await unnoticed(home)
    await both_ways(alice, bob)


async def noticed(home):
    notices = await until(home.notifications, f"{home.name}: notification")
    assert home.name in notices[0]["description"], notices


async def unnoticed(home):
    async def none():
        return not await home.notifications()
    await until(none, f"{home.name}: end of the notification", instead=home.notifications)
