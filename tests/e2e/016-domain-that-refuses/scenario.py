"""Foreign servers that call our key invalid, know nothing of the domain, refuse TCP or say
nothing: the sender gets the error that fits, and no later than limits.queue_seconds allows."""
from lib.process import together


QUEUE_SECONDS = 3
IN_TIME = QUEUE_SECONDS + 5.0
EXPIRED = "the stanza waited too long for its connection"


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    await stage.edge.set("limits.queue_seconds", QUEUE_SECONDS)

    invalid = await stage.peer("invalid.example")
    invalid.believe = lambda result: "invalid"
    silent = await stage.peer("silent.example")
    silent.silent = True
    mute = await stage.peer("mute.example")
    mute.believe = lambda result: None
    await stage.peer("closed.example", listen=False)

    await together(
        refused(alice, "x@invalid.example", "cancel", "internal-server-error",
                "the domain's server does not believe that we speak for our domain"),
        refused(alice, "x@closed.example", "wait", "remote-server-timeout",
                "the domain's server refuses connections", EXPIRED),
        refused(alice, "x@silent.example", "wait", "remote-server-timeout",
                "the domain's server took too long", EXPIRED),
        refused(alice, "x@mute.example", "wait", "remote-server-timeout",
                "the domain's server took too long", EXPIRED))


async def refused(client, to, kind, condition, *texts):
    client.say(to, f"to {to}")
    error = await client.wait_for(
        lambda s: s.name == "message" and s["type"] == "error" and s["from"] == to,
        deadline=IN_TIME, what=f"error from {to}")
    assert error["error"]["type"] == kind, error
    assert error["error"]["condition"] == condition, error
    assert error["error"]["text"] in texts, error["error"]["text"]
