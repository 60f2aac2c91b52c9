"""A stranger who sends nothing, a byte now and then, or hangs in the midst of TLS is closed once
timeouts.authentication has passed, and not before (SEC-15)."""
import asyncio
import time

from lib.peer import TLS, header
from lib.process import together

SECONDS = 2
DRIP = 0.05  # seconds between bytes: any pause is short, all of them together are too long


async def run(stage):
    await stage.nodes()
    await stage.edge.set("timeouts.authentication", SECONDS)
    peer = await stage.peer("slow.example")
    opening = header(from_="slow.example", to="home.example")
    await together(closed(peer, ""), closed(peer, opening), closed(peer, opening, DRIP),
                   closed(peer, opening + f"<starttls xmlns='{TLS}'/>"))


async def closed(peer, text, pause=0.0):
    stream = await peer.dial()
    began = time.monotonic()
    for piece in text if pause else [text]:
        if stream.ended:
            break
        stream.send(piece)
        await asyncio.sleep(pause)
    await stream.end(SECONDS * 3)
    took = time.monotonic() - began
    assert SECONDS * 0.9 <= took <= SECONDS * 2, f"{text[-40:]!r}: {took:.1f} s: {stream.tail()}"
