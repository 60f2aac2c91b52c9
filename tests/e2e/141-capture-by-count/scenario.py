"""`capture start` as the TechNote has it ends at its count; the file is whole, its owner's alone and never
written over; what cannot be captured is refused with why."""
from lib import capture, topology
from lib.node import Refused
from lib.process import together
from lib.talk import both_ways

REFUSED = [
    ("no such interface: eth9", "eth9"),
    ("no such interface", "an-interface-with-a-long-name"),
    ("not a name for a capture", "eth0", "file", "../axl"),
    ("not a name for a capture", "eth0", "file", "diagnostic"),
    ("count takes", "eth0", "count", "0"),
    ("size takes", "eth0", "size", "300000"),
    ("port takes", "eth0", "port", "70000"),
    ("for= takes 1 to 3600", "eth0", "for=3601"),
    ("nothing follows", "eth0", "count"),
    ("not a word of this command", "eth0", "promiscuous", "on"),
]


async def run(stage):
    await stage.nodes()
    edge = stage.edge
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    for why, *words in REFUSED:
        await refused(edge, why, "capture", "start", *words)
    await refused(edge, "no capture runs", "capture", "stop")
    await refused(edge, "no capture of that name", "capture", "get", "axl_inject",
                  topology.RUN / "none.pcapng")
    assert not (topology.RUN / "none.pcapng").exists()

    mark = edge.mark()
    await edge.ctl("capture", "start", "eth0", "file", "axl_inject", "count", "40", "size", "all",
                   "port", "5269")
    await refused(edge, "runs already: axl_inject", "capture", "start", "eth0", "file", "another")
    await refused(edge, "still runs", "capture", "get", "axl_inject", topology.RUN / "none.pcapng")
    for _ in range(40):
        await both_ways(alice, bob)
        if edge.events("capture.ended", since=mark):
            break
    ended = await edge.event("capture.ended", "name=axl_inject", "packets=40", since=mark)
    assert "as many packets as were asked for" in ended.detail, ended.detail
    rows = (await edge.told("status"))["captures"]
    assert [(row["state"], row["packets"]) for row in rows if row["name"] == "axl_inject"] == [
        ("kept", 40)], rows

    path = await capture.saved(edge, topology.RUN / "axl.pcapng", "capture", "get", "axl_inject")
    shown = capture.tshark(path, "-T", "fields", "-e", "tcp.port").split()
    assert len(shown) == 40 and all("5269" in ports for ports in shown), shown
    assert b"TRAFFIC_SECRET" not in path.read_bytes()
    before = path.read_bytes()
    await refused(edge, "is not written over", "capture", "get", "axl_inject", path)
    assert path.read_bytes() == before
    await edge.event("diag.taken", "what=capture", "name=axl_inject", since=mark)

    await edge.ctl("capture", "start", "any", "size", "60")  # no limit is reached: it is ended
    await both_ways(alice, bob)
    await edge.ctl("capture", "stop")
    path = await capture.saved(edge, topology.RUN / "any.pcapng", "capture", "get", "capture")
    sizes = [int(n) for n in capture.tshark(path, "-T", "fields", "-e", "frame.cap_len").split()]
    assert sizes and max(sizes) <= 60, sizes


    await edge.ctl("config", "set", "limits.capture_bytes", "1048576")
    mark = edge.mark()
    await edge.ctl("capture", "start", "eth0", "file", "large")
    for _ in range(20):
        await both_ways(alice, bob)
        since = bob.mark()
        alice.say(bob.boundjid.full, "x" * 100000)
        await bob.message("x" * 100000, since)
        if edge.events("capture.ended", since=mark):
            break
    await edge.event("capture.ended", "name=large", "limits.capture_bytes", since=mark)
    await edge.ctl("config", "set", "limits.capture_bytes")
    path = await capture.saved(edge, topology.RUN / "large.pcapng", "capture", "get", "large")
    assert 900000 < path.stat().st_size <= 1048576 + 4096, path.stat().st_size

    mark = edge.mark()
    await edge.ctl("capture", "start", "lo", "file", "short", "for=1")
    await edge.event("capture.ended", "name=short", "its time is over", since=mark)
    kept = [row["name"] for row in (await edge.told("status"))["captures"]]
    assert kept == ["short", "large", "capture", "axl_inject"], kept


async def refused(node, why, *words):
    try:
        out = await node.ctl(*words)
    except Refused as refusal:
        assert why in str(refusal), f"{refusal}, not {why}"
    else:
        raise AssertionError(f"{words}: {out}")
