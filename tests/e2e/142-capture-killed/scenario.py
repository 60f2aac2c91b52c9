"""Killed, the capture process takes nothing with it: traffic goes on, the log says why, the diagnostic log
runs on; killed, traffic gets its secrets to the capture again as soon as it is back."""
from lib import capture, topology
from lib.process import together, until
from lib.talk import both_ways


async def run(stage):
    await stage.nodes()
    edge, core = stage.edge, stage.core
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    await both_ways(alice, bob)
    traffic, mark = edge.pid("traffic"), edge.mark()
    await edge.ctl("diag", "start", "capture", "secrets", "for=60")
    edge.kill("capture")
    failed = await edge.event("capture.failed", "name=diagnostic", since=mark)
    assert "signal 9" in failed.detail, failed.detail
    await both_ways(alice, bob)
    assert edge.pid("traffic") == traffic
    await edge.event("process.died", "process=capture", since=mark)
    told = (await edge.told("diag", "status"))["nodes"]
    assert [(row["node"], row["state"]) for row in told] == [(edge.name, "running")], told
    row = next(row for row in (await edge.told("status"))["captures"]
               if row["name"] == "diagnostic")
    assert row["state"] == "failed" and "signal 9" in row["why"], row
    out = await edge.ctl("diag", "stop")
    assert "its capture brought nothing: signal 9" in out, out
    status, out = await edge.try_ctl("diag", "stop")
    assert status == 1 and "the last one is over; `sallyport diag bundle" in out, out
    status, out = await edge.try_ctl("capture", "get", "diagnostic", topology.RUN / "no.pcapng")
    assert status == 1 and "signal 9" in out, out

    await replaced(edge, alice, bob)

    mark, at_core = edge.mark(), core.mark()
    await edge.ctl("diag", "start", "capture", "secrets", "for=60")
    edge.kill("traffic")
    await edge.ready("traffic", mark)
    await core.event("link.up", edge.name, since=at_core, deadline=30)
    await both_ways(alice, bob, deadline=30)
    await edge.ctl("diag", "stop")
    path = await capture.saved(edge, topology.RUN / "again.pcapng", "capture", "get", "diagnostic")
    assert "db:result" in capture.dialogue(path)

    async def well():
        return not (await edge.told("status"))["wrong"]
    await until(well, f"{edge.name} is well again")


async def replaced(edge, alice, bob):
    """A new diagnostic log takes the place of one that runs, with its capture."""
    mark = edge.mark()
    await edge.ctl("diag", "start", "capture", "for=60")
    out = await edge.ctl("diag", "start", "capture", "for=50")
    assert "the one before it is gone" in out, out
    await edge.event("capture.ended", "name=diagnostic", "another one replaces it", since=mark)
    await edge.event("diag.ended", "another one replaces it", since=mark)
    await both_ways(alice, bob)
    await edge.ctl("diag", "start", "for=40")
    assert "diagnostic" not in [row["name"] for row in (await edge.told("status"))["captures"]]
    told = (await edge.told("diag", "status"))["nodes"][0]
    assert told["state"] == "running" and not told["capture"], told
    await edge.ctl("diag", "stop")
