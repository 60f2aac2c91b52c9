#!/usr/bin/python3
"""The demo: the nodes between a home server and the world, and two people who talk across.

    demo.py [--build FOLDER] [--once] [--break PORT]

Every step that it prints is a line of the nodes' own logs, with the time that stands there. With
--once it ends after the show; otherwise it stays, shows what passes, and lets your own client in.
With --break a port of the edge is blocked, and the demo says which step failed and exits 1.
Nothing is left behind: networks, processes and files live in namespaces of their own.
"""
import argparse
import asyncio
import datetime
import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from lib import events, prosody, site, topology  # noqa: E402
from lib.node import ADMIN_PORT  # noqa: E402
from lib.process import Missing  # noqa: E402
from lib.stage import Stage  # noqa: E402

CLIENT_PORT = 5222
# What the real host's loopback offers: to clients the home server, to browsers each node's page. The
# pages have addresses of their own, for a browser's cookies know no ports.
DOORS = {"users": ("127.0.0.1", CLIENT_PORT), "edge": ("127.0.0.1", ADMIN_PORT),
         "core": ("127.0.0.2", ADMIN_PORT), "home": ("127.0.0.3", ADMIN_PORT)}
WIDTH = max(100, min(shutil.get_terminal_size((132, 0)).columns, 160))
BAR = 12  # characters of the longest step

PICTURE = """
      world 198.51.100.0/24         DMZ 203.0.113.0/24            inside 10.9.3.0/24
  ┌────────────────────────┐      ┌────────────────────┐      ┌──────────────┐      ┌──────────────┐
  │ {0:<22} │ 5269 │ {2:<18} │ 7400 │ {4:<12} │ 7400 │ {6:<12} │
  │ {1:<22} │ ◄──► │ {3:<18} │ 2222 │ {5:<12} │ 2222 │ {7:<12} │
  │                        │      │                    │ ◄─── │              │ 8443 │              │
  │                        │      │                    │      │              │ ───► │              │
  └────────────────────────┘      └────────────────────┘      └──────────────┘      └──────┬───────┘
                                                                                           │ component
   ◄──► s2s, both ways     ───► who dials                                    alice@home.example
"""


class Paint:
    """Colours for people, none for files."""

    CODES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35,
             "cyan": 36}

    def __init__(self):
        self.on = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    def __call__(self, text, *styles):
        if not self.on or not styles:
            return text
        codes = ";".join(str(self.CODES[style]) for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"


paint = Paint()


def say(text=""):
    print(text, flush=True)


def title(text):
    say()
    say(paint(f"── {text} ".ljust(WIDTH, "─"), "bold"))


# What the log's events mean on a stanza's way.

def clean(event):
    """Detail without what only a program wants."""
    text = re.sub(r"xcoder=\S+ ?|\([0-9A-Fa-f-]{36}, [^)]*\) ?", "", event.detail)
    return re.sub(r" {2,}", " ", text).strip()


def looked_up(event):
    found = re.search(r"lookup for '([^:']+).*?service=([\w.-]+)", event.detail)
    return f"asks for {found[2]}.{found[1]}" if found else clean(event)


def resolved(event):
    found = re.search(r"host=(\S+) method=(\S+) dns-timings=\(([^)]*)\)", event.detail)
    if not found:
        return clean(event)
    timings = ", ".join(f"{kind} {float(seconds) * 1000:.1f} ms" for kind, seconds in
                        re.findall(r"(\w+):([\d.]+)", found[3]))
    return f"by {found[2]}: {timings}"


def element(event):
    """A dialback element: its name, what it says, and the way it goes."""
    found = re.search(r"<db:(\w+)([^>]*)>([^<]*)", event.detail)
    if not found:
        return clean(event)
    attributes = dict(re.findall(r"(\w+)='([^']*)'", found[2]))
    says = attributes.get("type", "").rstrip("/") or found[3] or "?"
    arrow = "←" if "received::" in event.detail or "Received" in event.detail else "→"
    return f"{arrow} db:{found[1]} {says}, from {attributes.get('from')}"


def handed_on(event):
    fields = event.fields
    if "port" not in fields:
        return clean(event)
    return f"hands it to {fields['port']}"


def fate(event):
    fields = event.fields
    if "via" not in fields:
        return clean(event)
    taken = {"stanza.delivered": "acknowledged", "stanza.written": "the next server's TCP has it"}
    return f"{taken[event.name]}, by way of {fields['via']}"


def attempted(event):
    fields = event.fields
    return f"dials {fields['address']} ({fields.get('host')})" if "address" in fields else (
        clean(event))


def accepted(event):
    return f"{event.fields.get('address')} dials in"


def secured(event):
    fields = event.fields
    return f"{fields.get('tls')}, the peer's certificate: {fields.get('certificate')}"


def checked(event):
    fields = event.fields
    return f"the key {fields.get('key')} is ours"


def ready(event):
    fields = event.fields
    ways = {"s2s.out.ready": ("local", "peer"), "s2s.in.ready": ("peer", "local")}[event.name]
    return f"{fields.get(ways[0])} may send to {fields.get(ways[1])}"


STEPS = {  # CodeLocation: (step, colour, words)
    "stanza.routed": ("route", "blue", handed_on),
    "policy.decided": ("policy", "blue", clean),
    "Resolver": ("SRV", "cyan", looked_up),
    "debug": ("SRV", "cyan", resolved),
    "dns.failed": ("SRV", "red", clean),
    "s2s.out.attempt": ("TCP", "cyan", attempted),
    "s2s.in.accepted": ("TCP", "cyan", accepted),
    "s2s.tls": ("TLS", "magenta", secured),
    "s2s.tls.failed": ("TLS", "red", clean),
    "stanza.component.out": ("dialback", "yellow", element),
    "stanza.component.in": ("dialback", "yellow", element),
    "DBVerify": ("dialback", "yellow", element),
    "dialback.valid": ("dialback", "yellow", checked),
    "dialback.invalid": ("dialback", "red", clean),
    "s2s.out.ready": ("stream", "green", ready),
    "s2s.in.ready": ("stream", "green", ready),
    "s2s.out.failed": ("stream", "red", clean),
    "s2s.in.failed": ("stream", "red", clean),
    "link.down": ("link", "red", clean),
    "link.failed": ("link", "red", clean),
    "link.up": ("link", "green", clean),
    "attachment.down": ("home", "red", clean),
    "attachment.up": ("home", "green", clean),
    "stanza.written": ("delivery", "green", fate),
    "stanza.delivered": ("delivery", "green", fate),
    "stanza.bounced": ("bounce", "red", clean),
    "stanza.expired": ("bounce", "red", clean),
}
SET_UP = ("pairing.done", "tunnel.up", "link.up", "attachment.up", "replica.taken", "axl.synced",
          "router.loaded")
TABLE = "xmpps2snodes"
FATES = ("stanza.written", "stanza.delivered")
NODE_COLOURS = {"edge": "magenta", "core": "blue", "home": "green"}
# Which step a failure of tables/failures.h belongs to, by how its name begins.
FAILED_STEP = [
    (("no-such-domain", "no-service", "dns", "address-refused"), "SRV"), (("tcp",), "TCP"),
    (("tls", "no-tls", "certificate"), "TLS"), (("dialback",), "dialback"),
    (("link",), "link"), (("attachment",), "home server"),
]


def cut(text, width):
    return text if len(text) <= width else text[:width - 1] + "…"


def row(event, offset_ms, delta_ms, share):
    step, colour, words = STEPS[event.name]
    role = event.node.split("-")[0]
    bar = "▇" * max(1, round(share * BAR)) if share > 0.02 else "·" if delta_ms is not None else ""
    delta = "" if delta_ms is None else f"{delta_ms:7.1f}"
    return " ".join((
        paint(f"{offset_ms:9.1f}", "dim"), f"{delta:>7}", paint(f"{bar:<{BAR}}", colour),
        paint(f"{event.node:<8}", NODE_COLOURS.get(role, "bold")),
        paint(f"{step:<8}", colour, "bold"), cut(words(event), WIDTH - 50)))


class Show:
    def __init__(self, options):
        self.options = options
        self.stage = Stage(pathlib.Path(options.build).resolve())
        self.failed = None  # (step, name, words)

    @property
    def nodes(self):
        return self.stage.site.nodes

    async def run(self):
        topology.build()
        await self.set_the_stage()
        if self.options.broken:
            return await self.show_broken()
        for other, user in ((self.bob, "bob"), (self.carol, "carol")):
            domain = other.boundjid.domain
            if not (await self.passes(self.alice, other, f"alice → {user}@{domain}: the first "
                                      "message, and all that it takes")
                    and await self.passes(other, self.alice, f"{user}@{domain} → alice: the "
                                          "answer, on a stream the other way")
                    and await self.passes(self.alice, other, f"alice → {user}@{domain}: once "
                                          "more, now that everything is open")):
                return self.verdict()
        title("Done: both directions work with both servers")
        if not self.options.once:
            await self.stay()
        return 0

    # The stage.

    async def set_the_stage(self):
        title("Sallyport: three nodes between a home server and the world")
        stage = self.stage
        await self.step("DNS with the records of all domains", stage.dns())
        await asyncio.gather(
            self.step("home.example: Prosody, attached as a component", stage.users()),
            self.step("prosody.example: Prosody, unchanged", stage.prosody()),
            self.step("ejabberd.example: ejabberd, unchanged", stage.ejabberd()))
        say("  The nodes, set up as an operator does it:")
        stage.on_step = self.step
        await stage.nodes()
        for node in self.nodes:
            await node.configure("log.levels", *site.LEVELS, "developer.xcp.jabber debug",
                                 "developer.xcp.federation debug")
        self.alice, self.bob, self.carol = await asyncio.gather(
            stage.client("alice@home.example"), stage.client("bob@prosody.example"),
            stage.client("carol@ejabberd.example"))
        names = [(node.name, topology.address(node.host)) for node in self.nodes]
        say(paint(PICTURE.format(
            "bob@prosody.example", "carol@ejabberd.example", *names[0], *names[1], *names[2]),
            "cyan"))
        await self.show_set_up()

    async def show_set_up(self):
        """What the nodes logged of it, and home's table in the end."""
        seen = [event for node in self.nodes for name in SET_UP for event in node.events(name)]
        seen += [event for node in self.nodes
                 for event in node.events("config.changed", "is_federation_enabled")]
        for event in sorted(seen, key=lambda event: event.time):
            say(f"  {event.time:%H:%M:%S.%f}  {paint(f'{event.node:<7}', 'bold')}  "
                f"{event.name:<14}  {paint(cut(clean(event), WIDTH - 44), 'dim')}")
        say(f"\n  home# sallyport run sql 'select * from {TABLE}'")
        for line in (await self.stage.home.sql(f"select * from {TABLE}")).splitlines():
            say(f"    {line}")

    async def step(self, what, doing):
        begin = time.monotonic()
        await doing
        took = time.monotonic() - begin
        say(f"  {paint('✓', 'green')} {what:<66} {paint(f'{took:6.2f} s', 'dim')}")

    # One message.

    async def passes(self, sender, receiver, what, deadline=45.0):
        """Sends a message and shows its way; false when it did not arrive."""
        title(what)
        marks = self.stage.site.marks()
        since = receiver.mark(), sender.mark()
        body = f"{what} #{time.monotonic_ns()}"
        sent = datetime.datetime.now(datetime.timezone.utc)
        sender.say(receiver.boundjid.full, body)
        arrival = asyncio.create_task(receiver.message(body, since[0], deadline))
        refusal = asyncio.create_task(sender.error("message", since[1], deadline))
        await asyncio.wait((arrival, refusal), return_when=asyncio.FIRST_COMPLETED)
        arrived = arrival.done() and not arrival.exception()
        took = datetime.datetime.now(datetime.timezone.utc) - sent
        if arrived:
            await asyncio.gather(*(self.settled(node, marks[node.name]) for node in self.nodes))
        self.print_way(self.collect(marks), sent)
        if arrived:
            say(f"{paint('✓ arrived', 'green', 'bold')} after "
                f"{paint(f'{took.total_seconds() * 1000:.1f} ms', 'bold')}")
        else:
            self.name_failure(self.collect(marks), refusal)
        for task in (arrival, refusal):
            task.cancel()
        await asyncio.gather(arrival, refusal, return_exceptions=True)
        return arrived

    async def settled(self, node, mark):
        """The node has logged the stanza's fate."""
        waits = [asyncio.create_task(node.event(name, since=mark, deadline=5.0))
                 for name in FATES]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    def collect(self, marks):
        """The nodes' events since the marks that belong to the way, by time."""
        found = [events.read(line) for node in self.nodes
                 for line in node.log.lines[marks[node.name]:]]
        return sorted((event for event in found if event and event.name in STEPS),
                      key=lambda event: event.time)

    def print_way(self, way, sent):
        say(paint(f"{'ms':>9} {'step':>7} {'':<{BAR}} {'node':<8} {'what':<8} as the node's log "
                  "has it", "dim"))
        offsets = [max(0.0, (event.time - sent).total_seconds() * 1000) for event in way]
        deltas = [offset - before for offset, before in zip(offsets, [0.0, *offsets])]
        longest = max([*deltas, 0.001])
        for event, offset, delta in zip(way, offsets, deltas):
            say(row(event, offset, delta, delta / longest))

    # What went wrong.

    async def show_broken(self):
        port = self.options.broken
        for name, value in (("timeouts.tcp", 3), ("limits.queue_seconds", 6),
                            ("limits.link_queue_seconds", 6)):
            await asyncio.gather(*(node.configure(name, value) for node in self.nodes))
        topology.block_port(port)
        say(paint(f"\n  The firewall drops port {port} of the edge from now on.", "red", "bold"))
        outward = await self.passes(self.alice, self.bob,
                                    f"alice → bob, with port {port} blocked")
        inward = outward and await self.passes(self.bob, self.alice,
                                               f"bob → alice, with port {port} blocked")
        if outward and inward:
            say(f"Port {port} is not on the way: everything arrived.")
            return 0
        return self.verdict()

    def name_failure(self, way, refusal):
        """From the nodes' log, and from what the sender was told."""
        words = "nothing came back to the sender"
        if refusal.done() and not refusal.cancelled() and not refusal.exception():
            error = refusal.result()["error"]
            words = f"“{error['text']}” ({error['type']}/{error['condition']})"
        step, name, node = "stream", "unknown", "no node"
        for event in way:  # the first failure is the cause, those after it follow from it
            why = event.fields.get("why") or event.fields.get("failure")
            if (STEPS[event.name][1] == "red" or "verdict=refused" in event.detail) and why:
                step, name, node = STEPS[event.name][0], why, event.node
                break
        step = next((step for begins, step in FAILED_STEP if name.startswith(begins)), step)
        self.failed = (step, name, node, words)

    def verdict(self):
        step, name, node, words = self.failed
        say()
        say(paint(f"✗ The step that fails: {step} ({name}, as {node} has it)", "red", "bold"))
        say(f"  The sender was told: {words}")
        return 1

    # Staying.

    async def stay(self):
        for client in (self.bob, self.carol):
            client.add_event_handler("message", answer)
        doors = await self.open_doors()
        title("It stays up: join with a client and a browser of your own" if doors
              else "It stays up")
        await self.show_pages(doors)
        if "users" in doors:
            say(f"  JID       {paint('dave@home.example', 'bold')} (or alice, erin, frank)\n"
                f"  password  {paint(prosody.PASSWORD, 'bold')}\n"
                f"  server    {paint('127.0.0.1', 'bold')}, port {CLIENT_PORT} (the certificate is "
                "the demo's own: accept it, or connect without TLS)\n"
                f"  write to  {paint('bob@prosody.example', 'bold')} or "
                f"{paint('carol@ejabberd.example', 'bold')}: they answer")
        say("  Ctrl-C ends it and leaves nothing behind. What passes:\n")
        for node in self.nodes:
            node.process.on_line = show_line
        await asyncio.Event().wait()

    async def show_pages(self, doors):
        """One-time links to the nodes' pages, as a browser on the real host reaches them."""
        for node in self.nodes:
            if node.host not in doors:
                continue
            link = re.search(r"https://\S+?(/#\S+)", await node.ctl("admin", "link"))[1]
            address, port = DOORS[node.host]
            say(f"  {node.role:<9} {paint(f'https://{address}:{port}{link}', 'bold')}")
        if {"edge", "core", "home"} & doors:
            say("            (each good once, for a quarter of an hour; the certificates are the "
                "nodes' own: accept them)\n")

    async def open_doors(self):
        """Connections to the real host's loopback go inside. Which there are."""
        for door in self.options.doors:
            host, fd = door.split("=")
            listener = socket.socket(fileno=int(fd))
            listener.setblocking(False)
            await asyncio.start_server(functools.partial(relay, self.behind(host)), sock=listener)
        return {door.split("=")[0] for door in self.options.doors}

    def behind(self, host):
        """(address, port) of what that door leads to."""
        node = next((node for node in self.nodes if node.host == host), None)
        return (node.address("admin"), ADMIN_PORT) if node else (topology.address(host),
                                                                CLIENT_PORT)


def answer(message):
    if message["type"] in ("chat", "normal") and message["body"]:
        message.reply(f"{message['to'].bare} read: {message['body']}").send()


def show_line(line):
    event = events.read(line)
    if event and event.name in STEPS:
        step, colour, words = STEPS[event.name]
        say(" ".join((paint(f"{event.time:%H:%M:%S.%f}"[:-3], "dim"),
                      paint(f"{event.node:<8}", NODE_COLOURS.get(event.node.split("-")[0], "bold")),
                      paint(f"{step:<8}", colour, "bold"), cut(words(event), WIDTH - 32))))


async def relay(to, reader, writer):
    try:
        inner = await asyncio.open_connection(*to)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, inner[1]), copy(inner[0], writer))


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def door(own):
    """Opened on the real host, before the demo enters its own network; None: the port is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(own)
    except OSError as problem:
        say(f"{own[0]}:{own[1]}: {problem.strerror}; nobody can join there")
        return None
    listener.listen()
    return listener


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--once", action="store_true", help="end after the show")
    parser.add_argument("--break", dest="broken", type=int, metavar="PORT",
                        help="block that port of the edge")
    parser.add_argument("--door", dest="doors", action="append", default=[],
                        help=argparse.SUPPRESS)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        doors = {} if options.once or options.broken else {
            host: listener for host, own in DOORS.items() if (listener := door(own))}
        argv = [*sys.argv, *(f"--door={host}={listener.fileno()}"
                             for host, listener in doors.items())]
        sys.exit(topology.enter(argv, [listener.fileno() for listener in doors.values()]))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    try:
        status = asyncio.run(Show(options).run())
    except KeyboardInterrupt:
        say("\nGone.")
        status = 0
    except (Missing, AssertionError, RuntimeError) as problem:
        say(paint(f"✗ {problem}", "red", "bold"))
        status = 1
    sys.stdout.flush()
    os._exit(status)  # as process 1 of its namespace: everything else ends with it


if __name__ == "__main__":
    main()
