"""Symptom 40: somebody switches federation off in working hours. Asked before, a dry run says which
streams that closes and whom it cuts off; nothing is changed until it is done for real."""
from lib.process import together
from lib.talk import NOT_SET_UP, SWITCHED_OFF, both_ways, bounces


async def run(stage):
    await stage.nodes()
    alice, bob, carol = await stage.alice_and_the_world()
    await together(both_ways(alice, bob), both_ways(alice, carol))
    edge, site = stage.edge, stage.site
    marks = site.marks()
    out = await edge.ctl("config", "set", "--dry-run", "federation.enabled", "off")
    for domain in ("prosody.example", "ejabberd.example"):
        assert domain in out, f"{domain} is not named: {out!r}"
    assert (await edge.ctl("config", "get", "federation.enabled")).split()[-1] == "on"
    assert not edge.events("s2s.out.closed", since=marks[edge.name])
    await both_ways(alice, bob)

    await edge.configure("federation.enabled", "off")
    await site.followed("off", marks)
    await bounces(alice, bob.boundjid.full, SWITCHED_OFF, NOT_SET_UP)
    frank = await stage.client("frank@home.example")  # who is inside loses nothing
    since = frank.mark()
    alice.say(frank.boundjid.full, "inside")
    await frank.message("inside", since)
    marks = site.marks()
    await edge.configure("federation.enabled", "on")
    await site.followed("on", marks)
    await together(both_ways(alice, bob), both_ways(alice, carol))
