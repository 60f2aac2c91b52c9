"""A diagnostic log with capture and secrets, begun on the core: tshark finds STARTTLS required, proceed,
the dialback both ways and the message's body in the edge's file; without secrets it finds no body."""
from lib import capture, topology
from lib.process import together, until


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    with_secrets = await captured(stage, alice, bob, "secrets", "domain=prosody.example")
    shown = capture.dialogue(with_secrets)
    for text in ("required", "proceed", "db:result", "db:verify", "out with secrets",
                 "in with secrets"):
        assert text in shown.lower(), f"{text!r} is not in\n{capture.summary(with_secrets)}"

    without = await captured(stage, alice, bob)
    shown = capture.dialogue(without).lower()
    assert "required" in shown and "proceed" in shown, capture.summary(without)
    for text in ("db:result", "db:verify", "out without", "in without"):
        assert text not in shown, f"{text!r} is in\n{capture.summary(without)}"
    assert b"CLIENT_" not in without.read_bytes() and b"SERVER_" not in without.read_bytes()

    for node in (stage.core, stage.home):  # nor in clear, as the attachment has it
        path = await capture.saved(node, topology.RUN / f"{node.name}.pcapng", "capture", "get",
                                   "diagnostic")
        assert capture.packets(path), node.name
        assert b"without</body>" not in path.read_bytes(), node.name

    other = await captured(stage, alice, bob, "secrets", "domain=ejabberd.example")
    assert b"TRAFFIC_SECRET_0" not in other.read_bytes(), "secrets of another domain"
    assert "out with secrets" not in capture.dialogue(other)


async def captured(stage, alice, bob, *options):
    """The edge's capture of messages both ways over streams that begin while it runs."""
    edge, core = stage.edge, stage.core
    marks = stage.site.marks()
    said = await core.ctl("diag", "start", "capture", *options, "for=60")
    for node in stage.site.nodes:
        assert node.name in said, said
        await node.event("diag.started", "capture=yes", f"secrets={'yes' if options else 'no'}",
                         since=marks[node.name])
    await capture.new_streams(edge, "prosody.example")
    how = "with secrets" if options else "without"
    for sender, receiver, way in ((alice, bob, "out"), (bob, alice, "in")):
        mark = receiver.mark()
        sender.say(receiver.boundjid.full, f"{way} {how}")
        await receiver.message(f"{way} {how}", mark)
    await core.ctl("diag", "stop")
    await edge.event("capture.ended", "name=diagnostic", "dropped=0", since=marks[edge.name])

    async def none():
        told = await edge.told("status")
        return not [row for row in told["processes"] if "capture" in row["name"]]
    await until(none, "end of the capture process")
    return await capture.saved(edge, topology.RUN / "edge.pcapng", "capture", "get", "diagnostic")
