"""What servers of the field do with strange openings, as a table: each vector, in clear and before
authentication, and what the edge must answer."""
import asyncio

from lib.peer import conditions, db_error, db_result, db_verify, header, local, message
from lib.process import together

HELLO = header(from_="strange.example", to="home.example")
NOWHERE = db_result("strange.example", "not-served.example", "0" * 64)
US = "alice@home.example"

# Vectors that end the stream, and its condition.
ENDED = [
    ("stanza before authentication", HELLO + message("x@strange.example", US, "x"),
     "not-authorized"),
    ("header from our own domain", header(from_="home.example", to="home.example"),
     "invalid-from"),
    ("header to a host that we do not serve", header(to="not-served.example"), "host-unknown"),
    ("header to a subdomain of ours", header(to="sub.home.example"), "host-unknown"),
    ("header to an address", header(to="203.0.113.2"), "host-unknown"),
    ("wrong stream namespace", HELLO.replace("etherx.jabber.org/streams", "example.org/streams"),
     "invalid-namespace"),
    ("wrong content namespace", HELLO.replace("'jabber:server'", "'urn:example:server'"),
     "invalid-namespace"),
    ("comment", HELLO + "<!-- hello -->", "restricted-xml"),
    ("processing instruction", HELLO + "<?hello world?>", "restricted-xml"),
    ("DOCTYPE before the header", "<?xml version='1.0'?><!DOCTYPE x>" + HELLO[21:],
     "restricted-xml"),
    ("DOCTYPE in the stream", HELLO + "<!DOCTYPE x [<!ENTITY e 'e'>]>", "restricted-xml"),
    ("entity", HELLO + "<message>&nbsp;</message>", "restricted-xml"),
    ("UTF-16, little end first", HELLO.encode("utf-16"), "unsupported-encoding"),
    ("UTF-16, big end first", b"\xfe\xff" + HELLO.encode("utf-16-be"), "unsupported-encoding"),
    ("another encoding", HELLO.replace("?>", " encoding='ISO-8859-1'?>", 1),
     "unsupported-encoding"),
    ("broken UTF-8", HELLO.encode() + b"<message>\xff</message>", "not-well-formed"),
    ("overlong UTF-8", HELLO.encode() + b"<message>\xc0\xaf</message>", "not-well-formed"),
    ("a surrogate", HELLO.encode() + b"<message>\xed\xa0\x80</message>", "not-well-formed"),
    ("NUL", HELLO.encode() + b"<message>\0</message>", "not-well-formed"),
    ("lone ampersand", HELLO + "<message>a & b</message>", "not-well-formed"),
    ("]]> in text", HELLO + "<message>]]></message>", "not-well-formed"),
    ("an attribute twice", HELLO + "<message to='a' to='b'/>", "not-well-formed"),
    ("text between stanzas", HELLO + "hello<message/>", "not-well-formed"),
    ("crossed tags", HELLO + "<message><body></message></body>", "not-well-formed"),
    ("20 kB stanza without end", HELLO + "<message><body>" + "x" * 20_000, "policy-violation"),
    ("3,000 attributes", HELLO + "<message " + " ".join(
        f"a{n}='1'" for n in range(3000)) + "/>", "policy-violation"),
    ("depth 4,000", HELLO + "<message>" + "<a>" * 4000, "policy-violation"),
    ("20,000 children", HELLO + "<message>" + "<a/>" * 20_000, "policy-violation"),
    ("1,000 declarations", HELLO + "<message " + " ".join(
        f"xmlns:a{n}='n'" for n in range(1000)) + "/>", "policy-violation"),
    ("40 kB name", HELLO + "<" + "a" * 40_000 + "/>", "policy-violation"),
]
LARGE = [("80 kB", 80_000), ("700 kB", 700_000)]  # these may meet a reset before the answer
FOREIGN = [
    ("HTTP", b"GET / HTTP/1.1\r\nHost: strange.example\r\n\r\n"),
    ("SMTP", b"EHLO strange.example\r\n"),
    ("TLS hello in clear", b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + b"\0" * 36),
]


async def run(stage):
    await stage.nodes()
    await stage.edge.set("federation.security_mode", "tls-optional")
    peer = await stage.peer("strange.example", tls="none")
    await together(
        *(ended(peer, *row) for row in ENDED), *(large(peer, *row) for row in LARGE),
        *(foreign(peer, *row) for row in FOREIGN), unasked_answer(peer), not_served(peer),
        no_sender(peer), verify_not_served(peer), external(peer), compress(peer), no_to(peer),
        version_two(peer), no_version(peer), byte_by_byte(peer))


async def started(peer, text=HELLO):
    stream = await peer.dial()
    stream.send(text)
    return stream


async def alive(stream, what):
    """A claim for a domain that is not served is answered, and the stream stays."""
    stream.send(NOWHERE)
    answer = await stream.element("result", from_="not-served.example")
    assert answer.get("type") == "error", f"{what}: {stream.tail()}"
    assert db_error(answer) == "item-not-found", f"{what}: {stream.tail()}"
    assert not stream.ended, f"{what}: {stream.tail()}"


async def ended(peer, what, text, condition):
    stream = await started(peer, text)
    await stream.end()
    assert conditions(stream.raw) == condition, f"{what}: {stream.tail()}"


async def large(peer, what, size):
    stream = await started(peer, HELLO + "<message><body>" + "x" * size)
    await stream.end()
    assert conditions(stream.raw) in (None, "policy-violation"), f"{what}: {stream.tail()}"


async def foreign(peer, what, data):
    stream = await started(peer, data)
    await stream.end()
    for word in data.split():
        assert len(word) < 4 or word not in stream.raw, f"{what}: echoed in {stream.tail()}"


async def unasked_answer(peer):
    stream = await started(peer)
    stream.send(db_verify("victim.example", "home.example", "x", "", type="valid"))
    await alive(stream, "db:verify of type valid")


async def not_served(peer):
    stream = await started(peer)
    for _ in range(2):
        await alive(stream, "db:result for a domain not served")


async def no_sender(peer):
    stream = await started(peer)
    stream.send("<db:result to='home.example'>0000</db:result>")
    answer = await stream.element("result")
    assert answer.get("type") == "error" and db_error(answer), stream.tail()
    await alive(stream, "db:result without from")


async def verify_not_served(peer):
    stream = await started(peer)
    stream.send(db_verify("strange.example", "not-served.example", "x", "0" * 64))
    answer = await stream.element("verify")
    assert answer.get("type") == "error", stream.tail()
    assert db_error(answer) == "item-not-found", stream.tail()
    await alive(stream, "db:verify for a domain not served")


async def external(peer):
    stream = await started(peer)
    stream.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
    failure = await stream.element("failure")
    assert [local(c) for c in failure if local(c) != "text"] == ["encryption-required"], (
        stream.tail())


async def compress(peer):
    stream = await started(peer)
    features = await stream.element("features")
    assert not any(local(f) == "compression" for f in features), stream.tail()
    stream.send("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method>"
                "</compress>")
    failure = await stream.element("failure")
    assert [local(c) for c in failure if local(c) != "text"] == ["unsupported-method"], (
        stream.tail())


async def no_to(peer):
    stream = await started(peer, header(from_="strange.example"))
    await stream.element("features")
    await alive(stream, "no to in the header")


async def version_two(peer):
    stream = await started(peer, header(version="2.0", from_="strange.example",
                                        to="home.example"))
    await stream.element("features")
    assert stream.header.get("version") == "1.0", stream.tail()
    await alive(stream, "version 2.0")


async def no_version(peer):
    stream = await started(peer, header(version=None, from_="strange.example",
                                        to="home.example"))
    theirs = await stream.got_header()
    assert "version" not in theirs and theirs.get("id"), stream.tail()
    await alive(stream, "no version")
    assert b"<stream:features" not in stream.raw, stream.tail()


async def byte_by_byte(peer):
    stream = await peer.dial()
    for byte in HELLO + NOWHERE:
        stream.send(byte)
        await asyncio.sleep(0)
    answer = await stream.element("result")
    assert db_error(answer) == "item-not-found", stream.tail()
