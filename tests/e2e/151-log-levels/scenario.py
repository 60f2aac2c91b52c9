"""A module logs more for a time: at once, with an alarm that says until when, and it is as before by
itself; stanzas of one domain likewise. Who asked is in the log and in the history."""
import json

from lib.process import together

VERBOSE = 25019
MODULE = "network.dns"


async def run(stage):
    await stage.nodes()
    bob, alice = await together(stage.client("bob@prosody.example"),
                                stage.client("alice@home.example"))
    edge = stage.edge
    await edge.set("log.levels", f"{MODULE} warn")
    await together(level(edge), refused(edge), stanzas(stage.core))
    alice.say(bob.boundjid.full, "all is as before")
    await bob.message("all is as before")


async def level(edge):
    mark = edge.mark()
    out = await edge.ctl("log", "level", MODULE, "debug")
    assert out.startswith(f"{MODULE}: DEBUG, until 2"), out
    asked = await edge.event("log.level", f"module={MODULE} level=DEBUG", since=mark)
    assert 'by="root"' in asked.detail, asked.detail
    await edge.took("traffic", mark)
    alarm = await edge.alarm(VERBOSE, MODULE, "at debug, until 2")
    assert alarm["since"], alarm

    mark = edge.mark()
    await edge.ctl("log", "level", MODULE, "debug", "for=3")
    asked = await edge.event("log.level", f"module={MODULE} level=DEBUG", since=mark)
    ended = await edge.event("log.level", f"module={MODULE} level=WARN", since=mark)
    assert 'by="timer"' in ended.detail, ended.detail
    assert 2 <= (ended.time - asked.time).total_seconds() <= 8, (asked.time, ended.time)
    await edge.no_alarm(VERBOSE, MODULE)
    assert await edge.ctl("config", "get", "log.levels") == f"log.levels = {MODULE} warn\n"
    assert " timer: log.levels from " in await edge.ctl("config", "history")


async def refused(edge):
    for words, why in (((MODULE, "loud"), "not error, warn, info or debug"),
                       (("network.tea", "debug"), "no such module"),
                       ((MODULE, "debug", "for=ever"), "not for=SECONDS")):
        status, out = await edge.try_ctl("log", "level", *words)
        assert status == 1 and why in out, (status, out)


async def stanzas(node):
    mark = node.mark()
    out = await node.ctl("log", "stanzas", "prosody.example", "for=2")
    assert out.startswith("stanzas to and from prosody.example are logged, until 2"), out
    told = json.loads(await node.ctl("status", "--json"))["stanza_logs"]
    assert [row["domain"] for row in told] == ["prosody.example"] and told[0]["until"], told
    await node.event("log.level", "stanzas=on domain=prosody.example", 'by=', since=mark)
    await node.event("log.level", "stanzas=off domain=prosody.example", "timer", since=mark)
    assert not json.loads(await node.ctl("status", "--json")).get("stanza_logs")
