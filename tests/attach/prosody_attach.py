#!/usr/bin/python3
"""mod_sallyport in a real Prosody, against our engine (component_peer) and a real client.

    prosody_attach.py [BUILD-FOLDER] [NAME]     NAME: only the claims that contain it

Everything is on 127.0.0.1, on free ports, in a temporary folder. Exit code 0 when all hold.
"""
import asyncio
import pathlib
import re
import signal
import socket
import sys
import tempfile
import time
import traceback

import logging
logging.getLogger("slixmpp").setLevel(logging.CRITICAL)
import slixmpp  # noqa: E402

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
DEADLINE = 15
SECRET = "s3cret"
HOME, ROOMS, GATEWAY = "home.example", "rooms.home.example", "gateway.home.example"
REMOTE = "bob@remote.example/far"
G1, G2 = "1" * 32, "2" * 32

CONFIG = """
run_as_root = true
daemonize = false
data_path = "{folder}/data"
pidfile = "{folder}/prosody.pid"
plugin_paths = {{ "{tree}/attach/prosody" }}
log = {{ debug = "{folder}/prosody.log" }}
network_backend = "epoll"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}
c2s_direct_tls_ports = {{}}
legacy_ssl_ports = {{}}
http_ports = {{}}
https_ports = {{}}
component_interfaces = {{ "127.0.0.1" }}
component_ports = {{ {port} }}
component_stanza_size_limit = 4 * 1024 * 1024
modules_enabled = {{ "roster", "saslauth", "disco", "ping"{module} }}
modules_disabled = {{ "s2s", "s2s_auth_certs", "tls" }}
authentication = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
sallyport_component = "gateway.home.example"
{more}
VirtualHost "home.example"
Component "rooms.home.example" "muc"
	{in_rooms}
	muc_room_locking = false
Component "gateway.home.example"
	component_secret = "s3cret"
	validate_from_addresses = false
	component_conflict_resolve = "kick_new"
	{in_gateway}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Missing(Exception):
    pass


async def until(holds, what, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while not (found := holds()):
        if time.monotonic() > end:
            raise Missing(f"{what} did not happen in {deadline} s")
        await asyncio.sleep(0.01)
    return found


class Prosody:
    def __init__(self, folder, module=True, only_named=False, more="", modules=""):
        self.folder, self.c2s, self.port = folder, free_port(), free_port()
        self.config = folder / "prosody.cfg.lua"
        inside = 'modules_enabled = { "sallyport" }'
        if only_named:
            more += '\n'  # the module is named host by host and nowhere else
        self.config.write_text(CONFIG.format(
            folder=folder, tree=TREE, c2s=self.c2s, port=self.port, more=more,
            module=(', "sallyport"' if module and not only_named else "") + modules,
            in_rooms=inside if only_named else "", in_gateway=inside if only_named else ""))
        if only_named:
            text = self.config.read_text().replace(
                'VirtualHost "home.example"', 'VirtualHost "home.example"\n\t' + inside)
            self.config.write_text(text)
        for user in ("alice", "carol"):
            accounts = folder / "data" / "home%2eexample" / "accounts"
            accounts.mkdir(parents=True, exist_ok=True)
            (accounts / f"{user}.dat").write_text('return { ["password"] = "secret" };\n')
        self.process = None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec("prosody", "--config", self.config)
        await until(lambda: listens(self.c2s) and listens(self.port), "Prosody's start")
        return self

    async def stop(self, how=signal.SIGTERM):
        if self.process and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()

    async def shell(self, command):
        """What an operator types at `prosodyctl shell`."""
        process = await asyncio.create_subprocess_exec(
            "prosodyctl", "--config", self.config, "shell", command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT)
        out = (await asyncio.wait_for(process.communicate(), DEADLINE))[0].decode()
        assert process.returncode == 0, out

    def log(self):
        return (self.folder / "prosody.log").read_text(errors="replace")


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Gateway:
    """component_peer: what it prints is in `lines`."""

    def __init__(self, build, prosody, instance=G1, secret=SECRET):
        self.build, self.prosody, self.instance, self.secret = build, prosody, instance, secret
        self.lines, self.process, self.reader = [], None, None

    async def start(self, connect=True):
        self.process = await asyncio.create_subprocess_exec(
            self.build / "src/xmpp/component_peer", "127.0.0.1", str(self.prosody.port), GATEWAY,
            self.secret, HOME, self.instance, limit=1 << 24,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        self.reader = asyncio.create_task(self.read())
        if connect:
            await self.connect()
        return self

    async def read(self):
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")

    async def connect(self):
        mark = len(self.lines)
        self.say("connect")
        return await self.line(r"ready (\d+) module=(\d) s2s=(\w*)", mark)

    async def stop(self):
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        if self.reader:
            await self.reader

    async def line(self, pattern, since=0, deadline=DEADLINE):
        """The match of the first such line."""
        def find():
            return next((m for line in self.lines[since:] if (m := re.search(pattern, line))), None)
        try:
            return await until(find, f"a line {pattern}", deadline)
        except Missing as missing:
            raise Missing(f"{missing}; got:\n    " + "\n    ".join(
                line[:200] for line in self.lines[since:][-20:])) from None

    def stanzas(self):
        """(origin, number, text) of all that came."""
        return [(m[1], int(m[2]), m[3]) for line in self.lines
                if (m := re.match(r"stanza (\S+) (\d+) (.*)", line))]

    def bodies(self):
        return [m[1] for _, _, text in self.stanzas()
                if (m := re.search(r"<body>([^<]*)</body>", text))]

    def message(self, body, to="alice@home.example", more=""):
        self.say(f"send <message from='{REMOTE}' to='{to}' type='chat'{more}>"
                 f"<body>{body}</body></message>")


class Client(slixmpp.ClientXMPP):
    def __init__(self, user, prosody):
        super().__init__(f"{user}@{HOME}/here", "secret")
        self.port = prosody.c2s
        self["feature_mechanisms"].unencrypted_plain = True
        self.whitespace_keepalive = False
        self.got = []
        for kind in ("message", "presence", "iq"):
            self.register_handler(slixmpp.xmlstream.handler.Callback(
                f"collect {kind}", slixmpp.xmlstream.matcher.MatchXPath(
                    f"{{jabber:client}}{kind}"), self.got.append))

    async def log_in(self):
        ready = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", lambda _: ready.done() or ready.set_result(1))
        self.connect(("127.0.0.1", self.port), disable_starttls=True, force_starttls=False)
        await asyncio.wait_for(ready, DEADLINE)
        self.send_presence()
        await until(lambda: any(s.name == "presence" for s in self.got), "our own presence")
        return self

    def bodies(self):
        return [s["body"] for s in self.got if s.name == "message" and s["type"] != "error"
                and s["body"]]

    def errors(self):
        """(id, condition, text) of each."""
        return [(s["id"], *read_error(s.xml)) for s in self.got if s["type"] == "error"]

    def say(self, body, to=REMOTE, more=""):
        self.send_raw(f"<message to='{to}' type='chat' id='{body}'><body>{body}</body>{more}"
                      "</message>")


def read_error(xml):
    ns = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
    words = {e.tag.removeprefix(ns): e.text for e in xml.find("{jabber:client}error")
             if e.tag.startswith(ns)}
    text = words.pop("text", "")
    return next(iter(words)), text


class Stage:
    """What a claim needs; all of it is stopped behind it."""

    def __init__(self, build, folder):
        self.build, self.folder, self.parts = build, folder, []

    async def prosody(self, **options):
        prosody = Prosody(self.folder, **options)
        self.parts.append(prosody)
        return await prosody.start()

    async def gateway(self, prosody, connect=True, **options):
        gateway = Gateway(self.build, prosody, **options)
        self.parts.append(gateway)
        return await gateway.start(connect)

    async def client(self, prosody, user="alice"):
        client = await Client(user, prosody).log_in()
        self.parts.append(client)
        return client

    async def clear(self):
        for part in reversed(self.parts):
            if isinstance(part, Client):
                part.abort()
                if part._run_out_filters:  # slixmpp leaves it behind
                    part._run_out_filters.cancel()
            elif isinstance(part, Prosody):
                await part.stop(signal.SIGKILL)
            else:
                await part.stop()


async def messages_go_both_ways_and_s2s_is_reported_off(stage):
    prosody = await stage.prosody()
    gateway = await stage.gateway(prosody)
    assert await gateway.line("ready 1 module=1 s2s=no")
    alice = await stage.client(prosody)
    gateway.message("in &amp; in")
    await until(lambda: alice.bodies() == ["in & in"], "the message in")
    message = next(s for s in alice.got if s.name == "message")
    assert str(message["from"]) == REMOTE, message
    assert "jabber:component:accept" not in str(message), message
    await gateway.line("delivered 1")
    alice.say("out")
    origin, number, text = (await until(gateway.stanzas, "the message out"))[-1]
    assert re.fullmatch("[0-9a-f]{32}", origin) and number >= 1, (origin, number)
    assert "from='alice@home.example/here'" in text and f"to='{REMOTE}'" in text, text


async def s2s_that_is_loaded_and_unloaded_later_is_told(stage):
    prosody = await stage.prosody(more='admin_socket = "%s/shell.sock"' % stage.folder,
                                  modules=', "admin_shell"')
    gateway = await stage.gateway(prosody)
    assert await gateway.line("ready 1 module=1 s2s=no")
    for verb, told in (("load", "yes"), ("unload", "no")):
        mark = len(gateway.lines)
        await prosody.shell(f'module:{verb}("s2s", "{HOME}")')
        await gateway.line(f"^s2s {told}$", mark)
    mark = len(gateway.lines)
    await prosody.shell(f'module:load("s2s", "{HOME}")')
    await gateway.line("^s2s yes$", mark)
    gateway.say("close")
    await gateway.line("closed 0", mark)
    await gateway.connect()
    assert await gateway.line("ready 1 module=1 s2s=yes", mark)


async def foreign_payload_arrives_as_it_was_sent(stage):
    prosody = await stage.prosody()
    gateway = await stage.gateway(prosody)
    alice = await stage.client(prosody)
    gateway.say(f"send <message from='{REMOTE}' to='alice@home.example'><body>p</body>"
                "<x xmlns='urn:a'><y/><z xmlns='urn:b'/></x></message>")
    await until(alice.bodies, "the message")
    xml = alice.got[-1].xml
    assert [e.tag for e in xml] == ["{jabber:client}body", "{urn:a}x"], [e.tag for e in xml]
    assert [e.tag for e in xml[1]] == ["{urn:a}y", "{urn:b}z"], [e.tag for e in xml[1]]


async def named_host_by_host_it_works_too(stage):
    prosody = await stage.prosody(only_named=True)
    gateway = await stage.gateway(prosody)
    alice = await stage.client(prosody)
    alice.say("out")
    await until(lambda: "out" in gateway.bodies(), "the message out")
    gateway.message("in")
    await until(alice.bodies, "the message in")


async def a_remote_user_joins_a_room(stage):
    prosody = await stage.prosody()
    gateway = await stage.gateway(prosody)
    alice = await stage.client(prosody)
    room = f"tea@{ROOMS}"
    alice.send_raw(f"<presence to='{room}/alice'><x xmlns='http://jabber.org/protocol/muc'/>"
                   "</presence>")
    await until(lambda: any(str(s["from"]) == f"{room}/alice" for s in alice.got), "alice's join")
    gateway.say(f"send <presence from='{REMOTE}' to='{room}/bob'>"
                "<x xmlns='http://jabber.org/protocol/muc'/></presence>")
    await gateway.line(rf"stanza \w+ \d+ <presence.*from='{room}/bob'|"
                       rf"stanza \w+ \d+ <presence.*{room}/bob")
    await until(lambda: any(str(s["from"]) == f"{room}/bob" for s in alice.got), "bob's join")
    alice.send_raw(f"<message to='{room}' type='groupchat'><body>tea?</body></message>")
    await until(lambda: "tea?" in gateway.bodies(), "the room's message")
    gateway.say(f"send <message from='{REMOTE}' to='{room}' type='groupchat'>"
                "<body>yes</body></message>")
    await until(lambda: "yes" in alice.bodies() and "yes" in gateway.bodies(), "bob's message")
    assert all(number for _, number, _ in gateway.stanzas()), "one came without a number"


async def what_the_server_answers_itself_is_numbered_too(stage):
    prosody = await stage.prosody()
    gateway = await stage.gateway(prosody)
    gateway.say(f"send <iq type='get' id='p1' from='{REMOTE}' to='{HOME}'>"
                "<ping xmlns='urn:xmpp:ping'/></iq>")
    await gateway.line(r"stanza [0-9a-f]{32} 1 <iq.*p1")
    gateway.say(f"send <iq type='get' id='p2' from='{REMOTE}' to='nobody@{HOME}'>"
                "<query xmlns='urn:unknown'/></iq>")
    await gateway.line(r"stanza [0-9a-f]{32} 2 <iq.*error.*service-unavailable")


async def the_component_itself_answers(stage):
    prosody = await stage.prosody()
    gateway = await stage.gateway(prosody)
    alice = await stage.client(prosody)
    for number, query in enumerate(("<ping xmlns='urn:xmpp:ping'/>",
                                    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                                    "<query xmlns='jabber:iq:version'/>")):
        alice.send_raw(f"<iq type='get' id='q{number}' to='{GATEWAY}'>{query}</iq>")
        await until(lambda: any(s["id"] == f"q{number}" and s["type"] == "result"
                                for s in alice.got), f"the answer to {query}")
    alice.say("stanza with a number")
    await until(gateway.stanzas, "the message")
    assert gateway.stanzas()[-1][1] == len(gateway.stanzas()), gateway.stanzas()


async def cuts_in_the_middle_lose_and_double_nothing(stage):
    prosody = await stage.prosody()
    gateway = await stage.gateway(prosody)
    alice = await stage.client(prosody)
    expected = [f"m{i}" for i in range(200)]
    for i, body in enumerate(expected):
        alice.say(body)
        gateway.message(body)
        if i % 25 == 12:
            await asyncio.sleep((i % 4) * 0.003)  # at various places in the stream
            gateway.say("cut")
            if i % 50 == 12:
                await asyncio.sleep(0.05)
            await gateway.connect()
    await until(lambda: len(gateway.bodies()) >= 200 and len(alice.bodies()) >= 200,
                "200 messages each way", 30)
    await gateway.line("delivered 200")
    await asyncio.sleep(0.3)  # a repeat would come now
    assert gateway.bodies() == expected, gateway.bodies()
    assert alice.bodies() == expected, alice.bodies()
    assert not any(line.startswith("uncertain") for line in gateway.lines)
    assert not alice.errors(), alice.errors()
    numbers = [number for _, number, _ in gateway.stanzas()]
    assert numbers == sorted(set(numbers)), numbers


async def what_is_not_settled_is_sent_again_to_another_gateway(stage):
    prosody = await stage.prosody()
    first = await stage.gateway(prosody)
    first.say("hold")
    alice = await stage.client(prosody)
    for i in range(5):
        alice.say(f"m{i}")
    await until(lambda: len(first.bodies()) == 5, "five messages")
    numbers = {body: (origin, n) for body, (origin, n, _) in
               zip(first.bodies(), [s for s in first.stanzas() if "<body>" in s[2]])}
    for _, n, text in first.stanzas():
        if "<message" not in text or "m1" in text or "m3" in text:
            first.say(f"settle {n}")
    alice.say("last")  # behind it the settlements have been written
    await until(lambda: "last" in first.bodies(), "the last message")
    await asyncio.sleep(0.2)
    await first.stop()
    second = await stage.gateway(prosody, instance=G2)
    await until(lambda: "last" in second.bodies(), "the repeats")
    assert second.bodies() == ["m0", "m2", "m4", "last"], second.bodies()
    for origin, n, text in second.stanzas():
        for body, was in numbers.items():
            if f"<body>{body}<" in text:
                assert was == (origin, n), (body, was, origin, n)


async def without_a_gateway_stanzas_wait_and_then_bounce(stage):
    prosody = await stage.prosody(more="sallyport_queue_seconds = 2")
    alice = await stage.client(prosody)
    alice.say("early")
    gateway = await stage.gateway(prosody)
    await until(lambda: "early" in gateway.bodies(), "the message that waited")
    gateway.say("hold")
    alice.say("given")
    await until(lambda: "given" in gateway.bodies(), "the message")
    gateway.say("cut")
    await gateway.line("closed")
    alice.say("late")
    alice.send_raw(f"<iq type='result' id='r' to='{REMOTE}'/>")
    await until(lambda: len(alice.errors()) >= 2, "the bounces")
    errors = {name: (condition, text) for name, condition, text in alice.errors()}
    assert errors["late"][0] == "remote-server-timeout", errors
    assert "may have been delivered" in errors["given"][1], errors
    assert "may have been delivered" not in errors["late"][1], errors
    await until(lambda: "Dropped result" in prosody.log(), "the log line about the result")
    mark = len(gateway.bodies())
    await gateway.connect()
    alice.say("again")
    await until(lambda: "again" in gateway.bodies(), "the message after that")
    assert gateway.bodies()[mark:] == ["again"], gateway.bodies()


async def a_full_queue_and_what_the_gateway_would_not_read_bounce_at_once(stage):
    prosody = await stage.prosody(more="sallyport_queue_stanzas = 3\nsallyport_stanza_bytes = 9000")
    alice = await stage.client(prosody)
    gateway = await stage.gateway(prosody)
    await asyncio.sleep(0.1)
    alice.say("large", more="<x xmlns='urn:x'>" + "y" * 9000 + "</x>")
    alice.say("deep", more="<x xmlns='urn:x'>" * 70 + "</x>" * 70)
    await until(lambda: len(alice.errors()) == 2, "two bounces")
    assert {e[:2] for e in alice.errors()} == {
        ("large", "policy-violation"), ("deep", "policy-violation")}, alice.errors()
    gateway.say("hold")
    for i in range(4):
        alice.say(f"m{i}")
    await until(lambda: len(alice.errors()) == 3, "the third bounce")
    assert alice.errors()[2][:2] == ("m3", "resource-constraint"), alice.errors()
    gateway.say("release")
    await asyncio.sleep(0.1)
    alice.say("m4")
    await until(lambda: "m4" in gateway.bodies(), "room again")


async def after_a_restart_of_prosody_what_was_not_acknowledged_is_uncertain(stage):
    prosody = await stage.prosody()
    gateway = await stage.gateway(prosody)
    alice = await stage.client(prosody)
    gateway.message("m1")
    await gateway.line("delivered 1")
    await until(alice.bodies, "the first message")
    prosody.process.send_signal(signal.SIGSTOP)
    gateway.message("m2")
    gateway.message("m3")
    await asyncio.sleep(0.2)
    await prosody.stop(signal.SIGKILL)
    await gateway.line("closed")
    assert not any(line.startswith("uncertain") for line in gateway.lines)
    gateway.message("m4")  # never given to the old one
    await prosody.start()
    alice = await stage.client(prosody)
    assert (await gateway.connect())[1] == "4"
    await gateway.line("uncertain 3")
    await gateway.line("delivered 4")
    await until(alice.bodies, "what was sent after the restart")
    assert alice.bodies() == ["m4"], alice.bodies()


async def a_second_gateway_and_a_wrong_secret_are_told_why(stage):
    prosody = await stage.prosody()
    await stage.gateway(prosody)
    second = await stage.gateway(prosody, connect=False, instance=G2)
    second.say("connect")
    await second.line("closed 1 .*conflict")
    wrong = await stage.gateway(prosody, connect=False, instance=G2, secret="wrong")
    wrong.say("connect")
    await wrong.line("closed 2 .*not-authorized")


async def an_orderly_end_and_a_new_start_keep_the_numbers(stage):
    prosody = await stage.prosody()
    gateway = await stage.gateway(prosody)
    alice = await stage.client(prosody)
    gateway.message("m1")
    await gateway.line("delivered 1")
    gateway.say("close")
    await gateway.line("closed 0")
    alice.say("kept")
    gateway.message("m2")
    assert (await gateway.connect())[1] == "2"
    await gateway.line("delivered 2")
    await until(lambda: "kept" in gateway.bodies(), "what was kept")
    await until(lambda: len(alice.bodies()) == 2, "the second message")
    assert alice.bodies() == ["m1", "m2"], alice.bodies()


async def without_the_module_the_home_domains_ping_acknowledges(stage):
    prosody = await stage.prosody(module=False)
    gateway = await stage.gateway(prosody)
    assert await gateway.line("ready 1 module=0 s2s=$")
    alice = await stage.client(prosody)
    for i in range(50):
        gateway.message(f"m{i}")
    await gateway.line("delivered 50")
    await until(lambda: len(alice.bodies()) == 50, "fifty messages")
    prosody.process.send_signal(signal.SIGSTOP)
    gateway.message("lost?")
    await asyncio.sleep(0.1)
    gateway.say("cut")
    await gateway.line("uncertain 51")
    prosody.process.send_signal(signal.SIGCONT)
    assert (await gateway.connect())[1] == "52"


CLAIMS = [value for name, value in list(globals().items())
          if asyncio.iscoroutinefunction(value) and value.__module__ == "__main__"
          and "stage" in value.__code__.co_varnames[:1]]


async def run(build, names):
    failed = 0
    for claim in CLAIMS:
        if names and not any(name in claim.__name__ for name in names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            stage = Stage(build, pathlib.Path(folder))
            start = time.monotonic()
            try:
                await claim(stage)
                print(f"ok {claim.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
            except (Missing, AssertionError, asyncio.TimeoutError, OSError):
                failed += 1
                print(f"FAILED {claim.__name__}\n{traceback.format_exc()}", flush=True)
                for part in stage.parts:
                    if isinstance(part, Prosody) and (part.folder / "prosody.log").exists():
                        print("\n".join(part.log().splitlines()[-25:]), flush=True)
            finally:
                await stage.clear()
    return failed


def main():
    arguments = sys.argv[1:]
    build = TREE / "build"
    if arguments and pathlib.Path(arguments[0]).is_dir():
        build = pathlib.Path(arguments.pop(0)).resolve()
    failed = asyncio.run(run(build, arguments))
    print(f"{failed} failed" if failed else "all hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
