"""`sallyport probe` reaches a domain up to authentication, and sends nothing; streams that are
there go on; policy is obeyed; its exit code says whether the domain was reached."""
import json

from lib.process import together


async def run(stage):
    alice, bob, _ = await stage.alice_and_the_world()
    peer = await stage.peer("probed.example")
    await together(reaches(stage, peer), reaches_prosody(stage), fails(stage))
    await beside_a_stream(stage, alice, peer)
    await refused(stage)
    alice.say(bob.boundjid.full, "all is well")
    await bob.message("all is well")


async def reaches(stage, peer):
    probe = await data(stage.edge, "probe", "probed.example")
    assert (probe["verdict"], probe["failure"]) == ("up", None), probe
    attempt, = probe["attempts"]
    assert attempt["state"] == "ready" and attempt["local"] == "home.example", attempt
    assert [s for s in attempt["steps"] if s["name"] == "dialback" and s["verdict"] == "ok"]
    await peer.served[-1].end()
    assert not peer.stanzas, peer.stanzas
    assert b"<message" not in peer.served[-1].raw and b"</stream:stream>" in peer.served[-1].raw
    await stage.edge.ctl("probe", "probed.example", "from=conference.home.example")
    await peer.served[-1].end()
    assert peer.served[-1].header["from"] == "conference.home.example", peer.served[-1].header
    status, out = await stage.edge.try_ctl("probe", "probed.example", "from=elsewhere.example")
    assert status == 1 and "no domain of ours" in out, out


async def reaches_prosody(stage):
    """A core asks its edge; Prosody logs the stream and its end, and no stanza."""
    prosody = await stage.prosody()
    mark = prosody.log.mark()
    probe = await data(stage.core, "probe", "prosody.example", "from=home.example")
    assert probe["verdict"] == "up" and probe["nodes"][0]["node"] == stage.edge.name, probe
    await prosody.log.wait_for("s2s stream conference.home.example->.* closed|"
                               "s2s stream home.example->.* closed", mark)


async def fails(stage):
    await stage.peer("nobody.example", listen=False)
    status, out = await stage.edge.try_ctl("probe", "nobody.example")
    assert status == 1 and "nobody.example is not reached: the" in out, out
    assert "cause" in out and "fix" in out, out
    status, out = await stage.edge.try_ctl("probe", "--json", "nobody.example")
    assert status == 1 and json.loads(out)["failure"] == "tcp-refused", out


async def beside_a_stream(stage, alice, peer):
    alice.say("x@probed.example", "one")
    await peer.message("one")
    stream = peer.stanzas[-1][0]
    count = len(peer.served)
    await stage.edge.ctl("probe", "probed.example")
    assert len(peer.served) == count + 1 and not stream.ended
    alice.say("x@probed.example", "two")
    await peer.message("two")
    assert peer.stanzas[-1][0] is stream, "it took another stream"


async def refused(stage):
    mark = stage.edge.mark()
    await stage.edge.set("federation.deny_list", "denied.example")
    await stage.edge.set("federation.privacy_mode", "deny-list")
    status, out = await stage.edge.try_ctl("probe", "denied.example")
    assert status == 1 and "federation.deny_list" in out, out
    assert not stage.edge.events("Resolver", "denied.example", since=mark)


async def data(node, verb, *words):
    """The answer as data."""
    return json.loads(await node.ctl(verb, "--json", *words))
