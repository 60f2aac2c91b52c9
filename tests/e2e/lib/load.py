"""Many messages: a client of a few lines that reads no more XML than it must, and a flow of
numbered messages from one such client to another."""
import asyncio
import base64
import itertools
import re
import time

from .process import DEADLINE, Missing
from .prosody import PASSWORD

STREAM = ("<?xml version='1.0'?><stream:stream to='{}' xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
MESSAGE = re.compile(rb"<message\b([^>]*)>.*?</message>", re.DOTALL)
ATTRIBUTE = re.compile(rb"""\b(id|type)=['"]([^'"]*)['"]""")
TEXT = re.compile(rb"<text\b[^>]*>([^<]*)</text>")
CONDITION = re.compile(rb"<error\b[^>]*>.*?<([\w-]+) ", re.DOTALL)
TICK = 0.02  # seconds between bursts of a flow

resources = itertools.count(1)


class LeanClient(asyncio.Protocol):
    """`user@domain` at that address. Keeps ids, in the order of their coming."""

    def __init__(self, jid, address):
        self.user, self.domain = jid.split("@")
        self.jid = f"{jid}/load{next(resources)}"
        self.address = address
        self.transport = None
        self.data = b""
        self.ready = False
        self.messages = []  # ids, as they came
        self.errors = []  # (id, condition, text)
        self.wake = asyncio.Event()
        self.lost = None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, exc):
        self.lost = exc or "closed"
        self.notify()

    def notify(self):
        self.wake.set()
        self.wake = asyncio.Event()

    def data_received(self, data):
        self.data += data
        if self.ready:
            self.read_messages()
        self.notify()

    def read_messages(self):
        end = 0
        for found in MESSAGE.finditer(self.data):
            end = found.end()
            attributes = dict(ATTRIBUTE.findall(found[1]))
            name = attributes.get(b"id", b"").decode()
            if attributes.get(b"type") == b"error":
                condition, text = CONDITION.search(found[0]), TEXT.search(found[0])
                self.errors.append((name, condition and condition[1].decode(),
                                    text and text[1].decode()))
            else:
                self.messages.append(name)
        self.data = self.data[end:]

    async def until(self, question, deadline, what):
        end = time.monotonic() + deadline
        while not question():
            if self.lost:
                raise Missing(f"{self.jid}: {self.lost} before {what}")
            wake = self.wake
            try:
                await asyncio.wait_for(wake.wait(), end - time.monotonic())
            except asyncio.TimeoutError:
                raise Missing(f"{self.jid}: no {what} in {deadline:g} s") from None

    async def ask(self, text, answer):
        """Sends, and waits for a regular expression in what comes."""
        self.data = b""
        self.send(text)
        await self.until(lambda: re.search(answer, self.data), DEADLINE, answer)

    def send(self, text):
        self.transport.write(text.encode())

    async def log_in(self):
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, self.address, 5222)
        await self.ask(STREAM.format(self.domain), b"</stream:features>")
        plain = base64.b64encode(f"\0{self.user}\0{PASSWORD}".encode()).decode()
        await self.ask("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
                       f"{plain}</auth>", b"<success")
        await self.ask(STREAM.format(self.domain), b"</stream:features>")
        await self.ask("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                       f"<resource>{self.jid.split('/')[1]}</resource></bind></iq>", b"</iq>")
        await self.ask("<presence/>", b"<presence")
        self.data = b""
        self.ready = True
        return self

    async def log_out(self):
        if not self.lost:
            self.send("</stream:stream>")
            self.transport.close()


class Flow:
    """`count` numbered messages from one lean client to another, `rate` a second."""

    def __init__(self, sender, receiver, name, count, rate, size=100):
        self.sender, self.receiver, self.name = sender, receiver, name
        self.count, self.rate, self.size = count, rate, size
        self.sent = 0

    async def run(self):
        padding = "x" * self.size
        begin = time.monotonic()
        while self.sent < self.count:
            due = min(self.count, int((time.monotonic() - begin) * self.rate) + 1)
            self.sender.send("".join(
                f"<message to='{self.receiver.jid}' type='chat' id='{self.name}-{n}'>"
                f"<body>{n} {padding}</body></message>" for n in range(self.sent, due)))
            self.sent = due
            await asyncio.sleep(TICK)

    def numbers(self, names):
        prefix = self.name + "-"
        return [int(name[len(prefix):]) for name in names if name.startswith(prefix)]

    @property
    def arrived(self):
        """Numbers in the order of their coming."""
        return self.numbers(self.receiver.messages)

    @property
    def bounced(self):
        return self.numbers(name for name, _, _ in self.sender.errors)

    async def under_way(self, count):
        """So many have arrived. (A flow's two clients are its own, so counting is enough.)"""
        await self.receiver.until(lambda: len(self.receiver.messages) >= count, 60.0,
                                  f"message {count} of {self.name}")

    def is_settled(self):
        """What may or may not have arrived can do both, so that the sum alone does not say it."""
        return (len(self.receiver.messages) + len(self.sender.errors) >= self.count
                and len({*self.arrived, *self.bounced}) >= self.count)

    async def settled(self, deadline=60.0):
        """Each has arrived or been bounced (or that did not happen in time)."""
        end = time.monotonic() + deadline
        while not self.is_settled() and time.monotonic() < end:
            waits = [asyncio.create_task(c.wake.wait()) for c in (self.receiver, self.sender)]
            await asyncio.wait(waits, timeout=end - time.monotonic(),
                               return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()

    def must_be_whole(self):
        """Each exactly once, in order."""
        arrived = self.arrived
        missing = sorted(set(range(self.count)) - set(arrived))
        assert not missing, (f"{self.name}: {len(missing)} of {self.count} did not arrive: "
                             f"{spans(missing)}; bounced: {spans(sorted(self.bounced))}")
        assert len(arrived) == self.count, (
            f"{self.name}: {len(arrived) - self.count} twice: "
            f"{spans(sorted({n for n in arrived if arrived.count(n) > 1}))}")
        wrong = [n for n, m in zip(arrived, arrived[1:]) if m != n + 1]
        assert not wrong, f"{self.name}: out of order behind {spans(wrong)}"
        assert not self.bounced, f"{self.name}: arrived and bounced: {spans(sorted(self.bounced))}"


def spans(numbers):
    """`0-4, 7`; no more than ten of them."""
    runs = []
    for n in numbers:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    text = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs[:10])
    return text + (", ..." if len(runs) > 10 else "") or "none"
