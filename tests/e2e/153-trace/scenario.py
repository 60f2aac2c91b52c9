"""`sallyport trace` shows all that happens with one domain or stream as it happens, down to the
protocol, while the levels stay as they are and nothing more of other domains is logged; when who
traces goes, that is over."""
import re
import signal

from lib.process import Process, together, until

NEAR, OTHER = "prosody.example", "ejabberd.example"
DEBUG = 'Level="DEBUG"'


async def run(stage):
    alice, bob, carol = await stage.alice_and_the_world()
    edge = stage.edge
    await edge.set("log.levels", "network.dns warn")
    await said(alice, bob, "before")
    await said(alice, carol, "before")

    mark = edge.mark()
    trace = await tracer(stage, NEAR)
    await said(alice, bob, "while one looks")
    await said(alice, carol, "while one looks")
    routed = await trace.log.wait_for(rf'{DEBUG} CodeLocation="stanza\.routed".*@{NEAR}')
    assert "while one looks" not in "".join(trace.log.lines), "a body is in the trace"
    verbose = [line for line in edge.log.lines[mark:] if DEBUG in line]
    assert routed.string in verbose, verbose
    assert not [line for line in [*verbose, *trace.log.lines] if OTHER in line], verbose
    await trace.stop(signal.SIGINT)
    await until(lambda: quiet(edge, alice, bob), "the end of what was logged for the trace")
    await together(one_stream(stage, alice, bob), refused(edge))
    await manage_dies(stage, alice, bob)


async def said(sender, receiver, text):
    sender.say(receiver.boundjid.full, text)
    await receiver.message(text)


async def tracer(stage, *words):
    edge = stage.edge
    mark = edge.mark()
    process = await Process("trace", edge.host, [
        edge.build / "src/ctl/sallyport", "-s", edge.socket, "trace", *words]).start()
    stage.at_end.append(process.stop)
    await edge.event("admin.request", f"trace {words[0]}", since=mark)
    await edge.ctl("status")  # traffic answers in turn: it watches
    return process


async def quiet(edge, sender, receiver):
    mark = edge.mark()
    await said(sender, receiver, f"at {mark}")
    await edge.ctl("status")
    return not [line for line in edge.log.lines[mark:] if DEBUG in line]


async def one_stream(stage, alice, bob):
    """By its id, for a time; the answer says that it is over."""
    streams = await stage.edge.told("streams", NEAR)
    streams = streams if isinstance(streams, list) else streams["streams"]
    xcoder = next(s["xcoder"] for s in streams if s["direction"] == "out")
    trace = await tracer(stage, xcoder, "for=2")
    await stage.edge.ctl("close", xcoder)
    await trace.log.wait_for("the trace ends here: its time is over")
    await trace.log.wait_for("ended with status 0")
    lines = [line for line in trace.log.lines if line.startswith("20")]
    assert any('CodeLocation="s2s.out.closed"' in line for line in lines), trace.log.lines
    assert {found for line in lines for found in re.findall(r"xcoder=(\w{9})", line)} == {xcoder}
    await said(alice, bob, "on a new stream")


async def manage_dies(stage, alice, bob):
    """Nobody is left who could end the trace: traffic ends it."""
    edge, mark, at_core = stage.edge, stage.edge.mark(), stage.core.mark()
    await tracer(stage, NEAR)
    edge.kill("manage")
    await edge.ready("manage", mark)
    await stage.core.event("tunnel.up", edge.name, since=at_core, deadline=60)
    await until(lambda: quiet(edge, alice, bob), "the end of what was logged for a trace of nobody")


async def refused(edge):
    status, out = await edge.try_ctl("trace", NEAR, "for=0")
    assert status == 2 and "for=SECONDS" in out, (status, out)
    status, out = await edge.try_ctl("trace", "not a domain")
    assert status == 1 and out.strip(), (status, out)
