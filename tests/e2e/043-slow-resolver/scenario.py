"""A resolver that is 300 ms slow shows as such in the log's timings."""
from lib.events import pattern

# The first questions teach libunbound how long this server takes: until then it asks again too early.
LESSONS = 3


async def run(stage):
    await stage.nodes()
    dns = await stage.dns()
    lessons = [f"lesson{n}.example" for n in range(LESSONS)]
    peer = await stage.peer("slowly-resolved.example", *lessons)
    dns.relay.delay_s = 0.3
    for lesson in lessons:
        await peer.proven("home.example", sender=lesson)
    mark = stage.edge.mark()
    await peer.proven("home.example")
    found = await stage.edge.log.wait_for(
        pattern("debug") + r".*resolved dialback address for host=slowly-resolved\.example "
        r"method=SRV dns-timings=\(TOTAL:(\d+\.\d+) SRV:0\.3\d*", mark)
    assert float(found[1]) >= 0.3, found.string
