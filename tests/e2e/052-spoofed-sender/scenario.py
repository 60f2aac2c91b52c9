"""A proven domain may send only as itself: any other sender, none, or a look-alike closes the
stream with invalid-from, and nothing of it arrives; so does a stanza beyond the proven pair."""

from lib.peer import message
from lib.process import together

US = "alice@home.example"
REFUSED = {  # what the message says about its sender
    "another domain": "from='x@victim.example'",
    "a local user": "from='bob@home.example'",
    "a local domain": "from='home.example'",
    "no sender": "",
    "a subdomain": "from='x@sub.spoofer.example'",
    "the parent": "from='x@example'",
    "a longer name": "from='x@spoofer.example.org'",
    "the domain in the localpart": "from='spoofer.example@victim.example'",
    "the domain in the resource": "from='x@victim.example/spoofer.example'",
    "a twin in other letters": "from='x@sp\u043eofer.example'",
    "two senders": "from='x@spoofer.example@victim.example'",
}
BEYOND = {  # recipients, from the proven sender
    "a pair not proven": ("r@conference.home.example", {"invalid-from"}),
    "a domain not ours": ("bob@prosody.example", {"host-unknown", "invalid-from"}),
    "an address": ("x@203.0.113.2", {"host-unknown", "invalid-from"}),
    "nobody": (None, {"improper-addressing"}),
    "no address at all": ("@", {"improper-addressing"}),
}


async def run(stage):
    await stage.nodes()
    alice = await stage.client(US)
    peer = await stage.peer("spoofer.example")
    await together(
        *(spoof(peer, what, sender) for what, sender in REFUSED.items()),
        *(beyond(peer, what, *row) for what, row in BEYOND.items()),
        *(accepted(peer, alice, sender) for sender in (
            "x@spoofer.example/a@b/c", "SPOOFER.example", "x@Spoofer.EXAMPLE")))
    bad = [str(s) for s in alice.received if s.name == "message" and s["body"] == "spoofed"]
    assert not bad, bad


async def spoof(peer, what, sender):
    stream = await peer.proven("home.example")
    stream.send(f"<message {sender} to='{US}' type='chat'><body>spoofed</body></message>")
    condition = await stream.stream_error()
    assert condition in ("invalid-from", "improper-addressing"), f"{what}: {stream.tail()}"
    if what != "two senders":
        assert condition == "invalid-from", f"{what}: {condition}"


async def beyond(peer, what, to, conditions):
    stream = await peer.proven("home.example")
    to = "" if to is None else f"to='{to}'"
    stream.send(f"<message from='x@spoofer.example' {to}><body>spoofed</body></message>")
    condition = await stream.stream_error()
    assert condition in conditions, f"{what}: {condition}"


async def accepted(peer, alice, sender):
    stream = await peer.proven("home.example")
    stream.send(message(sender, alice.boundjid.full, f"as {sender}"))
    await alice.message(f"as {sender}")
