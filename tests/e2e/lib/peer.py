"""A foreign server on the level of XML, under the scenario's control.

A Peer has one of the runner's own addresses. It is the receiving and the authoritative server for
its domains (it listens, and the DNS says so), and it dials the edge as their initiating server.
Unless told otherwise it behaves: TLS offered, keys that it made are valid, everybody's claim is
believed. The scenario changes its attributes, or takes a Stream and says what it likes, to the
byte, in clear or under TLS.
"""
import asyncio
import re
import ssl
import time
import uuid
from xml.etree import ElementTree

from . import pki, topology
from .process import DEADLINE, Missing

STREAMS = "http://etherx.jabber.org/streams"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
CONDITIONS = "urn:ietf:params:xml:ns:xmpp-streams"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
DIALBACK = "jabber:server:dialback"
HEADER = ("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='{db}' "
          "xmlns:stream='{streams}'{attributes}>")


def header(version="1.0", **attributes):
    """A stream header; None leaves an attribute out, a trailing _ is for Python's keywords."""
    attributes = {"version": version, **attributes}
    return HEADER.format(db=DIALBACK, streams=STREAMS, attributes="".join(
        f" {name.rstrip('_')}='{value}'" for name, value in attributes.items()
        if value is not None))


def local(element):
    """Its name without the namespace."""
    return element.tag.rsplit("}", 1)[-1]


def child(element, name):
    """The first child of that local name, or None."""
    return next((c for c in element if local(c) == name), None)


def body(stanza):
    found = child(stanza, "body")
    return None if found is None else found.text


def db_result(sender, target, key, **attributes):
    more = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return f"<db:result from='{sender}' to='{target}'{more}>{key}</db:result>"


def db_verify(sender, target, stream_id, key, **attributes):
    more = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return f"<db:verify from='{sender}' to='{target}' id='{stream_id}'{more}>{key}</db:verify>"


def message(sender, to, text, kind="chat"):
    return (f"<message from='{sender}' to='{to}' type='{kind}' id='{uuid.uuid4().hex[:8]}'>"
            f"<body>{text}</body></message>")


class Stream(asyncio.Protocol):
    """One connection: bytes out, elements in. TLS runs in memory, so that what passes before,
    behind and beside the handshake is the scenario's choice."""

    def __init__(self):
        self.transport = None
        self.tls = None
        self.raw = b""  # everything that came in, decrypted
        self.parser = None
        self.header = None  # the attributes of the other side's header
        self.elements = []  # children of the stream since the last restart, `place` of them taken
        self.place = 0
        self.depth = 0
        self.ended = False  # footer or end of connection
        self.closed = False  # end of connection
        self.broken = None  # the connection's error: a reset
        self.wake = asyncio.Event()
        self.secured = asyncio.Event()
        self.restart()

    # asyncio's side

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, exc):
        self.broken, self.closed, self.ended = exc, True, True
        self.notify()

    def eof_received(self):
        self.closed = self.ended = True
        self.notify()

    def data_received(self, data):
        if not self.tls:
            self.take(data)
        else:
            self.incoming.write(data)
            self.turn_tls()
        self.notify()

    def notify(self):
        self.wake.set()
        self.wake = asyncio.Event()

    def turn_tls(self):
        try:
            if not self.secured.is_set():
                self.tls.do_handshake()
                self.secured.set()
            while data := self.tls.read(65536):
                self.take(data)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as problem:
            self.broken, self.closed, self.ended = problem, True, True
        self.flush_tls()

    def flush_tls(self):
        if data := self.outgoing.read():
            self.transport.write(data)

    def take(self, data):
        self.raw += data
        if not self.parser:
            return
        try:
            self.parser.feed(data)
            for event, element in self.parser.read_events():
                self.depth += 1 if event == "start" else -1
                if event == "start" and self.depth == 1:
                    self.header = dict(element.attrib)
                    self.root = element
                elif event == "end" and self.depth == 1:
                    self.elements.append(element)
                    self.root.remove(element)
                elif event == "end" and self.depth == 0:
                    self.ended = True
        except ElementTree.ParseError:
            self.parser = None  # not XML: look at raw

    # the scenario's side

    def restart(self):
        """A new stream on the connection: nothing that was read counts any more."""
        self.parser = ElementTree.XMLPullParser(["start", "end"])
        self.header, self.elements, self.place, self.depth = None, [], 0, 0

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        if self.tls and self.secured.is_set():
            self.tls.write(data)
            self.flush_tls()
        else:
            self.transport.write(data)

    async def until(self, question, deadline=DEADLINE, what="answer"):
        """Waits until question() is true and returns that."""
        end = time.monotonic() + deadline
        while not (answer := question()):
            if self.closed:
                raise Missing(f"closed ({self.broken}) before {what}; got {self.tail()}")
            wake = self.wake
            try:
                await asyncio.wait_for(wake.wait(), end - time.monotonic())
            except asyncio.TimeoutError:
                raise Missing(f"no {what} in {deadline:g} s; got {self.tail()}") from None
        return answer

    def tail(self):
        return self.raw[-400:].decode("utf-8", "replace") or "nothing"

    async def got_header(self, deadline=DEADLINE):
        await self.until(lambda: self.header is not None, deadline, "stream header")
        return self.header

    async def element(self, name, deadline=DEADLINE, **attributes):
        """The next child of the stream of that local name (or one of several) and with these
        attributes; what came before is skipped."""
        names = (name,) if isinstance(name, str) else name

        def find():
            for place in range(self.place, len(self.elements)):
                element = self.elements[place]
                if local(element) in names and all(
                        element.get(k.rstrip("_")) == v for k, v in attributes.items()):
                    self.place = place + 1
                    return [element]
            return None
        return (await self.until(find, deadline, f"{name} {attributes}"))[0]

    async def stream_error(self, deadline=DEADLINE):
        """The condition of the stream error that comes next; then the connection ends."""
        error = await self.element("error", deadline)
        await self.end(deadline)
        return next(local(c) for c in error if c.tag.startswith(f"{{{CONDITIONS}}}")
                    and local(c) != "text")

    async def end(self, deadline=DEADLINE):
        """The other side has closed its stream or the connection."""
        if not self.ended:
            await self.until(lambda: self.ended, deadline, "end of stream")

    def abort(self):
        if not self.closed:
            self.transport.abort()

    def close(self):
        if self.transport and not self.transport.is_closing():
            self.send("</stream:stream>")
            self.transport.close()

    def begin_tls(self, context, server_side, server_hostname=None):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side, server_hostname)
        self.restart()
        self.turn_tls()

    async def start_tls(self, context, server_side, deadline=DEADLINE, server_hostname=None):
        """The handshake; then a new stream."""
        self.begin_tls(context, server_side, server_hostname)
        if not self.secured.is_set():
            await self.until(self.secured.is_set, deadline, "TLS")

    # Steps that every stream begins with; each can be left out and done by hand.

    async def open(self, tls=None, **attributes):
        """As initiating server: header, features; with a context, STARTTLS before that. Returns
        the features."""
        self.send(header(**attributes))
        await self.got_header()
        features = await self.element("features")
        if tls:
            assert child(features, "starttls") is not None, f"no starttls: {self.tail()}"
            self.send(f"<starttls xmlns='{TLS}'/>")
            await self.element("proceed")
            await self.start_tls(tls, False, server_hostname=attributes.get("to"))
            features = await self.open(**attributes)
        return features

    @property
    def id(self):
        """Of the stream, as the receiving server chose it."""
        return self.header["id"]

    async def prove(self, sender, target, key, deadline=DEADLINE):
        """Dialback as initiating server; the type of the answer."""
        self.send(db_result(sender, target, key))
        answer = await self.element("result", deadline, from_=target, to=sender)
        return answer.get("type")


def db_error(element):
    """The condition in a dialback error (XEP-0220 2.4)."""
    error = child(element, "error")
    if error is None:
        return None
    return next((local(c) for c in error if c.tag.startswith(f"{{{STANZAS}}}")
                 and local(c) != "text"), None)


class Peer:
    def __init__(self, address, *domains, tls="offered"):
        self.address, self.domains = address, domains
        self.tls = tls  # or "required", "none"
        self.verify = self.knows  # (element) -> "valid", "invalid", None for silence
        self.believe = lambda result: "valid"  # (element) -> likewise, about db:result
        self.keys = set()  # made by us: (sender, target, stream id, key)
        self.served = []  # streams that came in
        self.dialled = []
        self.stanzas = []  # (stream, element)
        self.verified = []  # the db:verify that came
        self.silent = False  # accepts connections and says nothing at all
        self.tasks = set()
        self.server = None
        self.wake = asyncio.Event()

    async def listen(self, port=5269):
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self.accept, self.address, port)
        return self

    async def stop(self):
        if self.server:
            self.server.close()
        for task in self.tasks:
            task.cancel()
        for stream in [*self.served, *self.dialled]:
            if stream.transport:
                stream.abort()

    def context(self, server_side):
        certificate, key = pki.certificate(*self.domains)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side
                                 else ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(certificate, key)
        if not server_side:
            context.load_verify_locations(pki.authority_file())
        return context

    # as receiving and authoritative server

    def accept(self):
        stream = Stream()
        self.served.append(stream)
        if not self.silent:
            task = asyncio.create_task(self.serve(stream))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self.notify()
        return stream

    def notify(self):
        self.wake.set()
        self.wake = asyncio.Event()

    async def serve(self, stream):
        """A stream's life on our side: header, STARTTLS, then dialback and stanzas."""
        try:
            secured = False
            while await self.greet(stream, secured):
                await stream.start_tls(self.context(True), True)
                secured = True
            while True:
                element = await stream.element(("result", "verify", "message", "presence", "iq"),
                                               deadline=3600)
                self.take(stream, element)
        except (Missing, ConnectionError):
            pass  # it ended

    async def greet(self, stream, secured):
        """Header and features; true when TLS is to begin."""
        theirs = await stream.got_header(deadline=3600)
        stream.our_id = uuid.uuid4().hex
        stream.send(header(from_=theirs.get("to"), to=theirs.get("from"), id=stream.our_id))
        offered = self.tls != "none" and not secured
        stream.send("<stream:features>"
                    + (f"<starttls xmlns='{TLS}'>{'<required/>' * (self.tls == 'required')}"
                       "</starttls>" if offered else "")
                    + "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
                    "</stream:features>")
        if not offered:
            return False
        await stream.until(lambda: stream.elements, 3600, "first element")
        if local(stream.elements[0]) != "starttls":
            return False
        stream.send(f"<proceed xmlns='{TLS}'/>")
        return True

    def take(self, stream, element):
        sender, target = element.get("from"), element.get("to")
        if local(element) == "verify":
            self.verified.append(element)
            if answer := self.verify(element):
                stream.send(db_verify(target, sender, element.get("id"), "", type=answer))
        elif local(element) == "result":
            if answer := self.believe(element):
                stream.send(db_result(target, sender, "", type=answer))
        else:
            self.stanzas.append((stream, element))
        self.notify()

    def knows(self, verify):
        """Is it a key that we made?"""
        known = (verify.get("to"), verify.get("from"), verify.get("id"), verify.text) in self.keys
        return "valid" if known else "invalid"

    async def until(self, question, deadline=DEADLINE, what="it"):
        end = time.monotonic() + deadline
        while not (answer := question()):
            wake = self.wake
            try:
                await asyncio.wait_for(wake.wait(), end - time.monotonic())
            except asyncio.TimeoutError:
                last = self.served[-1].tail() if self.served else "no connection"
                raise Missing(f"{self.domains[0]}: no {what} in {deadline:g} s; last stream: "
                              f"{last}") from None
        return answer

    async def stanza(self, matches, since=0, deadline=DEADLINE, what="stanza"):
        """The first since the mark for which matches(element) is true."""
        found = await self.until(
            lambda: [e for _, e in self.stanzas[since:] if matches(e)], deadline, what)
        return found[0]

    async def message(self, text, since=0, deadline=DEADLINE):
        return await self.stanza(lambda e: body(e) == text, since, deadline,
                                 f"message {text[:40]!r}")

    # as initiating server

    async def dial(self, to="edge", port=5269):
        """A connection to a host from our address, in its family, nothing said yet."""
        loop = asyncio.get_running_loop()
        address = topology.address6 if ":" in self.address else topology.address
        host = address(to) if to in topology.HOSTS else to
        _, stream = await loop.create_connection(Stream, host, port,
                                                 local_addr=(self.address, 0))
        self.dialled.append(stream)
        return stream

    async def connect(self, target, tls=True, sender=None, to="edge"):
        """A stream to the target domain, negotiated, dialback still to do."""
        stream = await self.dial(to)
        await stream.open(self.context(False) if tls else None,
                          from_=sender or self.domains[0], to=target)
        return stream

    def key(self, stream, sender, target):
        """A key that our authoritative side calls valid."""
        key = uuid.uuid4().hex * 2
        self.keys.add((sender, target, stream.id, key))
        return key

    async def proven(self, target, tls=True, sender=None, to="edge"):
        """A stream on which `sender` has been proven to the target domain."""
        sender = sender or self.domains[0]
        stream = await self.connect(target, tls, sender, to)
        verdict = await stream.prove(sender, target, self.key(stream, sender, target))
        assert verdict == "valid", f"{sender} is not believed: {stream.tail()}"
        return stream


def conditions(raw):
    """The stream error's condition in raw bytes that need not be XML."""
    found = re.search(rb"<stream:error><([\w-]+)", raw)
    return found[1].decode() if found else None
