"""A stanza before any domain is proven closes the stream with not-authorized, whatever its kind,
also while a key is being verified."""

from lib.peer import db_result
from lib.process import together

STANZAS = ("<message from='x@early.example' to='alice@home.example'><body>early</body></message>",
           "<presence from='x@early.example' to='alice@home.example'/>",
           "<iq from='x@early.example' to='home.example' type='get' id='1'>"
           "<ping xmlns='urn:xmpp:ping'/></iq>")


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    peer = await stage.peer("early.example")
    peer.verify = lambda verify: None
    await together(*(early(peer, stanza, claimed) for stanza in STANZAS
                     for claimed in (False, True)))
    assert not any(s["from"].domain == "early.example" for s in alice.received)


async def early(peer, stanza, claimed):
    stream = await peer.connect("home.example")
    if claimed:
        stream.send(db_result("early.example", "home.example", "0" * 64))
    stream.send(stanza)
    assert await stream.stream_error() == "not-authorized", stream.tail()
