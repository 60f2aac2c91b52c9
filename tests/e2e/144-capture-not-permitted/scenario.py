"""A node that may not open packet sockets says that it takes CAP_NET_RAW; its diagnostic log works all the
same without a capture, and nothing has died of it."""
from lib.node import Refused

WHY = "it takes CAP_NET_RAW"


async def run(stage):
    await stage.nodes()
    edge = await stage.another("edge", "edge2", "edge-b",
                               wrapper=("setpriv", "--bounding-set=-net_raw"))
    mark = edge.mark()
    await refused(edge, "capture", "start", "eth0")
    await refused(edge, "diag", "start", "capture")
    assert (await edge.told("diag", "status"))["nodes"][0]["state"] == "none"
    await edge.event("capture.failed", WHY, since=mark)
    assert not edge.events("process.died", since=mark)
    await edge.ctl("diag", "start", "for=30")
    await edge.ctl("diag", "stop")


async def refused(edge, *words):
    try:
        out = await edge.ctl(*words)
    except Refused as refusal:
        assert WHY in str(refusal), refusal
    else:
        raise AssertionError(f"{words}: {out}")
