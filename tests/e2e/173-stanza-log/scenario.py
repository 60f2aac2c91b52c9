"""With log.stanzas whole stanzas to and from one foreign domain are logged on each node that they
pass, those of other domains are not; and it ends by itself, by the time in the setting."""
import time

from lib.process import until

SECONDS = 4


async def run(stage):
    alice, bob, carol = await stage.alice_and_the_world()
    nodes = (stage.edge, stage.core, stage.home)
    marks = [node.mark() for node in nodes]
    ends = int(time.time()) + SECONDS
    for node in nodes:
        await node.ctl("config", "set", "log.stanzas", f"prosody.example {ends}")
        await node.applied("log.stanzas")

    alice.say(bob.boundjid.full, "whole and \N{RIGHT-TO-LEFT OVERRIDE}text")
    await bob.message("whole and \N{RIGHT-TO-LEFT OVERRIDE}text")
    bob.say(alice.boundjid.full, "an answer " + "x" * 6000)
    await alice.message("an answer " + "x" * 6000)
    alice.say(carol.boundjid.full, "not this one")
    await carol.message("not this one")
    for node, mark in zip(nodes, marks):
        there = await node.event("stanza.logged", "whole and", since=mark)
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in there.detail, there.detail
        assert "\\u202e" in there.detail, there.detail
        back = await node.event("stanza.logged", "an answer", since=mark)
        assert int(back.fields["bytes"]) > 6000 and "(truncated)" in back.detail, back.detail
        assert not node.events("stanza.logged", "not this one", since=mark)

    await until(lambda: over(ends), "the end of the stanza log", SECONDS + 5)
    alice.say(bob.boundjid.full, "too late")
    await bob.message("too late")
    for node in nodes:
        assert not node.events("stanza.logged", "too late"), node.name
        await node.ctl("config", "set", "log.stanzas")


async def over(ends):
    return time.time() > ends
