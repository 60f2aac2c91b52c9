"""`sallyport log` shows what happens on a node as it happens, chosen by domain, stream, module and
level; what a stranger wrote forges nothing in it (SEC-24); manage killed loses no line of it."""
import json
import re
import signal

from lib.peer import header
from lib.process import Process, together, until

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
WORDS = ('bye\u202e" peer=bank.example domain=bank.example xcoder=FORGED01\n'
         '2026-11-24T12:00:00.000000+00:00 edge-a sallyportd[1]: Module="m" Level="ERROR" '
         'CodeLocation="process.failed" Detail="forged\u0085\u009b31m')
HOSTILE = (header(from_="evil.example", to="home.example")
           + "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
           f"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>{WORDS}</text></stream:error>")


async def run(stage):
    await stage.nodes()
    await stage.edge.set("federation.security_mode", "tls-optional")
    peer = await stage.peer("evil.example", tls="none")
    text = await follower(stage, "text", "--follow", "last=0")
    data = await follower(stage, "data", "--json", "--follow", "domain=evil.example")
    bank = await follower(stage, "bank", "--follow", "domain=bank.example")
    stream = await peer.dial()
    stream.send(HOSTILE)
    await stage.edge.event("stream.error")
    await together(text.log.wait_for('CodeLocation="stream.error"'),
                   data.log.wait_for('"location":"stream.error"'))
    xcoder = of_the_text(text.log.lines)
    event = of_the_data(data.log.lines, xcoder)
    await chosen(stage.edge, xcoder)
    assert not bank.log.lines, bank.log.lines
    await survives(stage.edge, event)
    await together(*(leaves(one) for one in (text, data, bank)))


async def follower(stage, name, *words):
    edge = stage.edge
    process = await Process(f"log-{name}", edge.host, [
        edge.build / "src/ctl/sallyport", "-s", edge.socket, "log", *words]).start()
    stage.at_end.append(process.stop)
    asked = " ".join(word for word in words if word != "--json").replace("=", "%3D")
    await edge.event("admin.request", f"log {asked}")
    return process


def of_the_text(lines):
    """Nothing in it is a line that the stranger wrote; the stream's id."""
    for line in lines:
        assert not UNSAFE.search(line), repr(line)
        assert line.startswith("20"), repr(line)
        assert not re.search(r'Detail="forged', line), line
    error = next(line for line in lines if 'CodeLocation="stream.error"' in line)
    assert "\\u202e" in error, error
    return re.search(r"xcoder=([0-9A-F]{9})", error)[1]


def of_the_data(lines, xcoder):
    """Each line one event about that domain, with our keys alone."""
    events = [json.loads(line) for line in lines if line]
    for event in events:
        assert set(event) <= {"seq", "time", "node", "process", "pid", "module", "level",
                              "location", "detail", "xcoder", "domains"}, event
        assert "evil.example" in event["domains"] and "bank.example" not in event["domains"], event
        assert event["process"] == "sallyport-traffic", event
        assert not UNSAFE.search(event["detail"]), event
    error = next(event for event in events if event["location"] == "stream.error")
    assert error["xcoder"] == xcoder and error["level"] == "WARN", error
    return error


async def chosen(edge, xcoder):
    """What the filters say, and what they cannot be."""
    events = await log(edge, "last=1000", f"stream={xcoder}")
    assert len(events) > 1 and {event["xcoder"] for event in events} == {xcoder}, events
    events = await log(edge, "last=1000", "module=network.link")
    assert events and {event["module"] for event in events} == {"network.link"}, events
    events = await log(edge, "last=1000", "level=warn")
    assert events and {event["level"] for event in events} <= {"WARN", "ERROR"}, events
    events = await log(edge, "last=1", "text=PROCESS.READY")
    assert [event["location"] for event in events] == ["process.ready"], events
    assert not await log(edge, "since=0", "text=link.up")
    status, out = await edge.try_ctl("log", "colour=red")
    assert status == 2 and "no such key" in out, (status, out)


async def survives(edge, event):
    """Manage that starts again has the lines from before, with their numbers."""
    mark = edge.mark()
    edge.kill("manage")
    await edge.ready("manage", mark)

    async def there():
        status, out = await edge.try_ctl("log", "--json", "last=5", "text=undefined-condition")
        return status == 0 and json.loads(out)["events"]
    events = await until(there, "the lines from before")
    assert event in events, (event, events)


async def log(edge, *words):
    return json.loads(await edge.ctl("log", "--json", *words))["events"]


async def leaves(process):
    """Ctrl-C; it may have ended before, when manage did."""
    if process.running():
        await process.stop(signal.SIGINT)
    assert not process.running()
