"""A resolver that is 300 ms slow shows as such in the log's timings."""
from lib.events import pattern


async def run(stage):
    await stage.nodes()
    dns = await stage.dns()
    peer = await stage.peer("slowly-resolved.example")
    dns.relay.delay_s = 0.3
    mark = stage.edge.mark()
    await peer.proven("home.example")
    found = await stage.edge.log.wait_for(
        pattern("debug") + r".*resolved dialback address for host=slowly-resolved\.example "
        r"method=SRV dns-timings=\(TOTAL:(\d+\.\d+) SRV:0\.3\d*", mark)
    assert float(found[1]) >= 0.3, found.string
