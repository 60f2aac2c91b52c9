"""A domain of ours that comes from outside is refused: in the stream header, as a dialback claim,
as a sender; and the core refuses it again, should an edge that was broken into pass it on."""
import asyncio
import ssl

from lib import pki, topology
from lib.peer import Stream, db_error, db_result, header, local, message
from lib.process import together

EDGE_ADDRESS = topology.NETWORKS["dmz"] + ".1"
LINK = "urn:sallyport:link:1"
LINK_HEADER = ("<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
               "xmlns:stream='http://etherx.jabber.org/streams' xmlns:l='{ns}' id='1' "
               "from='edge-taken' to='{core}' version='1.0' l:instance='{instance}'>"
               "<stream:features><l:link role='edge' release='0.1' workers='1' "
               "stanza-bytes='4194304' last='yes'/></stream:features>")
INSTANCE = "0123456789abcdef" * 2


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    peer = await stage.peer("outside.example")
    await together(*(in_header(peer, domain) for domain in (
        "home.example", "HOME.example", "conference.home.example")), as_claim(peer))
    await at_the_core(stage, alice)
    bad = [str(s) for s in alice.received if s.name == "message" and s["body"] == "spoofed"]
    assert not bad, bad


async def in_header(peer, domain):
    stream = await peer.dial()
    stream.send(header(from_=domain, to="home.example"))
    assert await stream.stream_error() == "invalid-from", stream.tail()


async def as_claim(peer):
    stream = await peer.connect("home.example")
    for domain in ("home.example", "conference.home.example"):
        stream.send(db_result(domain, "home.example", "0" * 64))
        answer = await stream.element("result")
        assert answer.get("type") == "error", stream.tail()
        assert db_error(answer) == "not-acceptable", stream.tail()
    assert not peer.verified, "the edge asked about its own domain"


class TakenEdge(Stream):
    """An edge in an intruder's hands: its key is pinned, what it says is not true."""

    def connection_made(self, transport):
        super().connection_made(transport)
        certificate, key = pki.certificate("edge-taken")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["sallyport-link"])
        self.begin_tls(context, True)

    async def say_hello(self, core):
        await self.got_header()
        self.send(LINK_HEADER.format(ns=LINK, core=core, instance=INSTANCE))
        await self.element("open")
        self.send(f"<l:opened/><l:origin k='1' i='{INSTANCE}'/><l:next k='1' n='1'/>")

    def fate_of(self, number):
        """(fate, why) of what we sent under that number, or None."""
        for element in self.elements:
            if local(element) == "fate" and number in numbers(element.get("n")):
                return element.get("is"), element.get("why")
        return None


def numbers(text):
    for part in text.split():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


async def at_the_core(stage, alice):
    links = asyncio.Queue()

    def accept():
        link = TakenEdge()
        links.put_nowait(link)
        return link
    loop = asyncio.get_running_loop()
    server = await loop.create_server(accept, EDGE_ADDRESS, 7400)
    pin = pki.pin(pki.certificate("edge-taken")[0])
    await stage.core.ctl("node", "add", "edge-taken", "role=edge", f"pin={pin}",
                         f"address={EDGE_ADDRESS}:7400")

    async def forget():
        server.close()
        await stage.core.ctl("node", "remove", "edge-taken")
    stage.at_end.append(forget)

    link = await asyncio.wait_for(links.get(), 20)
    await link.until(link.secured.is_set, what="TLS")
    await link.say_hello(stage.core.name)
    mark = stage.core.mark()
    lies = [("bob@home.example", alice.boundjid.full), ("home.example", alice.boundjid.full),
            ("r@conference.home.example/x", alice.boundjid.full),
            ("x@outside.example", "bob@prosody.example")]
    for sender, to in lies:
        link.send(message(sender, to, "spoofed"))
    link.send(message("x@outside.example", alice.boundjid.full, "true"))
    await alice.message("true")
    for number, lie in enumerate(lies, 1):
        fate = await link.until(lambda number=number: link.fate_of(number), what="fate")
        assert fate[0] == "refused", f"{lie}: {fate}"
    await stage.core.event("link.refused", "edge-taken", since=mark)
