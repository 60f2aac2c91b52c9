"""The edge's traffic process is killed while messages pass: what came from inside arrives or is
bounced, both only if the bounce says that nobody can know, and without such a bounce all of it has
arrived; of what came from outside only that is missing which the dead process had read from a
server without acknowledgements. Nothing arrives twice or out of order, and both directions work
again by themselves. (How many bounces there are depends on the moment of death; 035 provokes one.)
"""

from lib.load import Flow, spans
from lib.process import together

COUNT, RATE = 5_000, 500
LOST_LIMIT = RATE  # one second's worth: what can have been on its way into the dead process
DEADLINE = 120
UNCERTAIN = "the connection broke; the stanza may have been delivered"


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.lean("alice@home.example"),
                                stage.lean("bob@prosody.example"))
    outward, inward = Flow(alice, bob, "out", COUNT, RATE), Flow(bob, alice, "in", COUNT, RATE)
    await together(outward.run(), inward.run(), kill(stage, outward, inward))
    await fence(outward)
    await fence(inward)

    for flow in (outward, inward):
        assert len(flow.arrived) == len(set(flow.arrived)), f"{flow.name}: some arrived twice"
        assert flow.arrived == sorted(flow.arrived), f"{flow.name}: out of order"
        assert len(flow.bounced) == len(set(flow.bounced)), f"{flow.name}: some bounced twice"
    silent = set(range(COUNT)) - set(outward.arrived) - set(outward.bounced)
    assert not silent, f"from inside, neither arrived nor bounced: {spans(sorted(silent))}"
    uncertain = [name for name, _, text in alice.errors if text == UNCERTAIN]
    missing = set(range(COUNT)) - set(outward.arrived)
    assert uncertain or not missing, (
        f"no bounce says that nobody can know, and yet missing: {spans(sorted(missing))}")
    both = set(outward.arrived) & set(outward.bounced)
    texts = {text for name, _, text in alice.errors if name in {f"out-{n}" for n in both}}
    assert texts <= {UNCERTAIN}, f"arrived, and yet bounced with {texts}"

    lost = sorted(set(range(COUNT)) - set(inward.arrived) - set(inward.bounced))
    assert len(lost) <= LOST_LIMIT, f"from outside, {len(lost)} are missing: {spans(lost)}"
    assert not lost or lost[-1] - lost[0] <= 2 * LOST_LIMIT, f"lost all over: {spans(lost)}"


async def kill(stage, *flows):
    await together(*(flow.under_way(COUNT // 3) for flow in flows))
    assert all(flow.sent < COUNT for flow in flows), "nothing was left to pass"
    marks = stage.site.marks()
    mark = marks[stage.edge.name]
    stage.edge.kill("traffic")
    died = await stage.edge.event("process.died", "traffic", since=mark)
    assert "signal 9" in died.detail, died.detail
    await stage.edge.ready("traffic", mark)
    await stage.core.event("link.up", stage.edge.name, since=marks[stage.core.name])


async def fence(flow):
    """One more message; when it has arrived, order says that nothing else will."""
    flow.count += 1
    flow.sender.send(f"<message to='{flow.receiver.jid}' type='chat' id='{flow.name}-{COUNT}'>"
                     "<body>fence</body></message>")
    name = f"{flow.name}-{COUNT}"
    await flow.receiver.until(lambda: name in flow.receiver.messages[-20:], 60.0, "the fence")
    flow.receiver.messages.remove(name)
    flow.count -= 1
