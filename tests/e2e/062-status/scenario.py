"""`sallyport status` shows links, attachment, streams and processes, as text and as JSON, and says
first what is wrong."""
import json

from lib.node import CHILDREN
from lib.process import together

WELL = ("up", "ready", "open", "running")


async def run(stage):
    alice, bob, _ = await stage.alice_and_the_world()
    alice.say(bob.boundjid.full, "out")
    await bob.message("out")
    bob.say(alice.boundjid.full, "in")
    await alice.message("in")
    edge, core, home = await together(*(status(node) for node in stage.site.nodes))

    links = {link["node"]: link for link in core["links"]}
    assert set(links) == {stage.edge.name, stage.home.name}, core["links"]
    for other in (edge, home):
        assert [link["node"] for link in other["links"]] == [stage.core.name], other["links"]
    for link in [*links.values(), *edge["links"], *home["links"]]:
        assert link["state"] in WELL, link
    assert [a["name"] for a in home["attachments"]] == ["users"], home["attachments"]
    assert home["attachments"][0]["state"] in WELL, home["attachments"]

    pairs = {(s["direction"], s["local"], s["remote"]) for s in edge["streams"]}
    for direction in ("in", "out"):
        assert (direction, "home.example", "prosody.example") in pairs, edge["streams"]
    for stream in edge["streams"]:
        if stream["remote"] == "prosody.example" and stream["state"] == "ready":
            assert stream["tls"] not in ("", "-", "none"), stream
    for node, told in ((stage.edge, edge), (stage.core, core), (stage.home, home)):
        processes = {p["name"]: p["pid"] for p in told["processes"]}
        for child in CHILDREN:
            name = child if child in processes else f"sallyport-{child}"
            assert processes[name] == node.pid(child), processes

    text = await stage.edge.ctl("status", "--all")
    for word in (stage.core.name, "prosody.example", "home.example", "traffic"):
        assert word in text, text
    text = await stage.home.ctl("status")
    assert "users" in text and stage.core.name in text, text


async def status(node):
    told = json.loads(await node.ctl("status", "--json"))
    assert not told["wrong"], told["wrong"]
    assert told["node"]["name"] == node.name and told["node"]["role"] == node.role, told["node"]
    return told
