"""The home node's traffic process is killed while messages pass: what the users' server had given it
arrives exactly once and in order, as our module kept it; what came from outside arrives, or its
sender gets an error, or both where nobody can know. Nothing is silent, nothing arrives twice."""

from lib.load import Flow, spans
from lib.process import together

COUNT, RATE = 5_000, 500
DEADLINE = 120
UNCERTAIN = "the connection broke; the stanza may have been delivered"


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.lean("alice@home.example"),
                                stage.lean("bob@prosody.example"))
    outward, inward = Flow(alice, bob, "out", COUNT, RATE), Flow(bob, alice, "in", COUNT, RATE)
    await together(outward.run(), inward.run(), kill(stage, outward, inward))
    await together(outward.settled(), inward.settled())

    outward.must_be_whole()
    arrived, bounced = inward.arrived, inward.bounced
    assert len(arrived) == len(set(arrived)), "some arrived twice"
    assert arrived == sorted(arrived), "out of order"
    assert len(bounced) == len(set(bounced)), "some bounced twice"
    silent = set(range(COUNT)) - set(arrived) - set(bounced)
    assert not silent, f"neither arrived nor bounced: {spans(sorted(silent))}"
    texts = {text for _, _, text in bob.errors}
    assert texts <= {UNCERTAIN}, texts


async def kill(stage, *flows):
    await together(*(flow.under_way(COUNT // 3) for flow in flows))
    marks = stage.site.marks()
    mark = marks[stage.home.name]
    stage.home.kill("traffic")
    died = await stage.home.event("process.died", "traffic", since=mark)
    assert "signal 9" in died.detail, died.detail
    await stage.home.ready("traffic", mark)
    await stage.core.event("link.up", stage.home.name, since=marks[stage.core.name])
    await stage.home.event("attachment.up", since=mark)
