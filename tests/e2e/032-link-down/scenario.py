"""While the link is down, senders on both sides get the error that says so, within
limits.queue_seconds; errors and results are never bounced; afterwards everything passes again."""

from lib import topology
from lib.process import together

QUEUE_SECONDS = 3
IN_TIME = QUEUE_SECONDS + 5.0
TEXT = "the gateway is interrupted"


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await stage.site.set("limits.queue_seconds", QUEUE_SECONDS)
    await stage.site.set("limits.link_queue_seconds", QUEUE_SECONDS)
    # What has no fate yet when the link breaks would be uncertain, and rightly so: wait for the
    # fates of all that was sent. The addresses are this scenario's own.
    for node in (stage.home, stage.edge):
        await node.set("log.levels", *stage.site.levels, "developer.xcp.jabber debug")
    marks = stage.site.marks()
    alice.say(bob.boundjid.full, "before")
    await bob.message("before")
    bob.say(alice.boundjid.full, "before")
    await alice.message("before")
    await together(
        stage.home.event("stanza.written", bob.boundjid.full, since=marks[stage.home.name]),
        stage.edge.event("stanza.delivered", alice.boundjid.full, since=marks[stage.edge.name]))
    marks = stage.site.marks()
    topology.block_port(7400)
    topology.reset_connections("core", 7400, "edge")
    topology.reset_accepted("edge", 7400)
    await together(
        stage.core.event("link.down", stage.edge.name, since=marks[stage.core.name]),
        stage.edge.event("link.down", stage.core.name, since=marks[stage.edge.name]))
    await together(interrupted(alice, bob), interrupted(bob, alice))

    marks = stage.site.marks()
    topology.unblock()
    await stage.core.event("link.up", stage.edge.name, since=marks[stage.core.name], deadline=60)
    # and home has been told
    await stage.home.event("link.realms", stage.edge.name, since=marks[stage.home.name])
    alice.say(bob.boundjid.full, "after")
    await bob.message("after")
    bob.say(alice.boundjid.full, "after")
    await alice.message("after")


async def interrupted(sender, receiver):
    """An error and a result, which nobody may answer; then a message and a ping, which somebody
    must: order shows that the first two were not bounced."""
    since = sender.mark()
    to = receiver.boundjid.full
    error = sender.make_message(mto=to, mtype="error")
    error["id"] = "an-error"
    error["error"]["condition"] = "item-not-found"
    error.send()
    result = sender.make_iq_result(id="a-result", ito=to)
    result.send()
    sender.say(to, "interrupted")
    ping = sender.make_iq_get(queryxmlns="urn:xmpp:ping", ito=to)
    ping["id"] = "a-ping"
    sender.send_raw(str(ping))
    for kind in ("message", "iq"):
        got = await sender.wait_for(
            lambda s, kind=kind: s.name == kind and s["type"] == "error", since, IN_TIME,
            f"error {kind}")
        assert got["from"] == to, got
        assert got["error"]["type"] == "wait", got
        assert got["error"]["condition"] == "remote-server-timeout", got
        assert got["error"]["text"] == TEXT, got["error"]["text"]
    bounced = [s["id"] for s in sender.received[since:] if s["type"] == "error"]
    assert not {"an-error", "a-result"} & set(bounced), bounced
