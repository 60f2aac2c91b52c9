"""Subscription and presence, both ways, with Prosody and ejabberd outside."""
from lib.process import together



async def run(stage):
    await stage.nodes()
    await together(*(subscribe_both_ways(stage, inner, outer) for inner, outer in (
        ("erin@home.example", "dave@prosody.example"),
        ("frank@home.example", "dave@ejabberd.example"))))


async def subscribe_both_ways(stage, inner, outer):
    inner, outer = await together(stage.client(inner), stage.client(outer))
    for watcher, watched in ((inner, outer), (outer, inner)):
        await subscribe(watcher, watched)
    for watcher, watched in ((inner, outer), (outer, inner)):
        since = watcher.mark()
        watched.send_presence(pshow="away", pstatus=f"status of {watched.boundjid.bare}")
        got = await presence(watcher, watched, "away", since)
        assert got["status"] == f"status of {watched.boundjid.bare}", got["status"]
    for watcher, watched in ((outer, inner), (inner, outer)):
        since = watcher.mark()
        watched.send_presence(ptype="unavailable")
        await presence(watcher, watched, "unavailable", since)
        watched.send_presence()
        await presence(watcher, watched, "available", since)


async def subscribe(watcher, watched):
    since_watcher, since_watched = watcher.mark(), watched.mark()
    watcher.send_presence_subscription(pto=watched.boundjid.bare, ptype="subscribe")
    await presence(watched, watcher, "subscribe", since_watched)
    watched.send_presence_subscription(pto=watcher.boundjid.bare, ptype="subscribed")
    await presence(watcher, watched, "subscribed", since_watcher)
    await presence(watcher, watched, "available", since_watcher)


async def presence(client, sender, kind, since):
    return await client.wait_for(
        lambda s: s.name == "presence" and s["type"] == kind
        and s["from"].bare == sender.boundjid.bare, since,
        what=f"presence {kind} of {sender.boundjid.bare}")
