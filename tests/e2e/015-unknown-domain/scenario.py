"""A domain that does not exist, one that says it has no service, and one of ours that nobody
serves: the sender gets the right error, at once."""

from lib import topology
from lib.process import together

AT_ONCE = 8.0


async def run(stage):
    alice, *outside = await stage.alice_and_the_world()
    dns = await stage.dns()
    await dns.add("_xmpp-server._tcp.not-here.example. 60 IN SRV 0 0 0 .")
    await stage.domain("unserved.home.example", topology.address("edge"))

    await together(
        refused(alice, "x@nowhere.example", "the domain does not exist or has no XMPP server"),
        refused(alice, "x@not-here.example", "the domain says that it has no XMPP server"),
        *(refused_by_theirs(other, "x@unserved.home.example") for other in outside),
        *(no_such_user(other) for other in outside))

    ping = alice.make_iq_get(queryxmlns="urn:xmpp:ping", ito="nowhere.example")
    since = alice.mark()
    alice.send_raw(str(ping))
    error = await alice.error("iq", since, AT_ONCE)
    assert error["error"]["condition"] == "remote-server-not-found", error


async def refused(client, to, text):
    client.say(to, f"to {to}")
    error = await client.wait_for(
        lambda s: s.name == "message" and s["type"] == "error" and s["from"] == to,
        deadline=AT_ONCE, what=f"error from {to}")
    assert error["error"]["condition"] == "remote-server-not-found", error
    assert error["error"]["type"] == "cancel", error
    assert error["error"]["text"] == text, error["error"]["text"]


async def refused_by_theirs(client, to):
    """Their server hears host-unknown from the edge and tells its user in its own words."""
    client.say(to, f"to {to}")
    await client.wait_for(
        lambda s: s.name == "message" and s["type"] == "error" and s["from"] == to,
        deadline=AT_ONCE, what=f"error from {to}")


async def no_such_user(client):
    client.say("nobody@home.example", "hello")
    error = await client.wait_for(
        lambda s: s["type"] == "error" and s["from"] == "nobody@home.example",
        deadline=AT_ONCE, what="error from the home server")
    assert error["error"]["condition"] == "service-unavailable", error
