"""Strangers at the admin port: who trickles a request, opens connection after connection, does not
take an answer or sends without end is cut off, and people go on working meanwhile."""
import asyncio
import contextlib
import socket
import ssl
import time

from lib import topology
from lib.node import ADMIN_PORT
from lib.process import together
from lib.web import Web, account

DEADLINE = 120.0
REQUEST_S = 30  # for a request to arrive whole
PER_ADDRESS = 64
ANY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # whoever it is
ANY.check_hostname = False
ANY.verify_mode = ssl.CERT_NONE


async def run(stage):
    await stage.nodes()
    core = stage.core
    web = await account(core, "anna", "admin", "a-good-password")
    stop = asyncio.Event()
    work = asyncio.create_task(works(web, stop))
    try:
        await crowd(core)
        await flood(core)
        await together(trickles(), silent(), nonsense())
    finally:
        stop.set()
    slowest = await work
    assert slowest < 5, f"people waited {slowest:.1f} s"
    await core.ctl("account", "remove", "anna")


async def works(web, stop):
    """Somebody at work, on the node's own host; the slowest answer."""
    slowest = 0.0
    while not stop.is_set():
        began = time.monotonic()
        answer = await web.get("status")
        assert answer.status == 200, answer
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(0.2)
    return slowest


async def dial(tls=True):
    return await asyncio.open_connection(topology.address("core"), ADMIN_PORT,
                                         ssl=ANY if tls else None)


async def ended(reader, deadline):
    """Whether the other end closes, and after how many seconds."""
    began = time.monotonic()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while await asyncio.wait_for(reader.read(65536), deadline):
            pass
    return time.monotonic() - began


async def trickles():
    reader, writer = await dial()
    writer.write(b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nX: ")
    closed = asyncio.create_task(ended(reader, REQUEST_S * 2))
    with contextlib.suppress(ConnectionError):
        while not closed.done():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.5)
    took = await closed
    assert REQUEST_S * 0.9 < took < REQUEST_S * 1.3, f"{took:.1f} s"
    writer.close()


async def silent():
    (plain, one), (shaken, other) = await together(dial(tls=False), dial())
    for took in await together(ended(plain, REQUEST_S * 2), ended(shaken, REQUEST_S * 2)):
        assert REQUEST_S * 0.9 < took < REQUEST_S * 1.3, f"{took:.1f} s"
    one.close()
    other.close()


HEADS = (
    b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET " + b"/" * 20000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"ffffffffffffffff\r\n",
    b"GET http:// HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /%00%ff?%&= HTTP/1.1\r\nHost: x\r\nCookie: __Host-sallyport\r\n"
    b"Connection: close\r\n\r\n")


async def nonsense():
    """Each is refused or closed, and takes nothing down."""
    await together(*(refused(head) for head in HEADS))


async def refused(head):
    reader, writer = await dial()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        writer.write(head)
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(4096), REQUEST_S * 1.3)
        assert not answer or answer.split()[1][:1] == b"4", (head[:40], answer)
    writer.close()


async def crowd(core):
    """All connections that one address may have; others are served all the same."""
    connections = await together(*(dial(tls=False) for _ in range(PER_ADDRESS)))
    mark = core.mark()
    await asyncio.sleep(0.5)
    reader, writer = await dial(tls=False)
    assert await ended(reader, 5) < 5
    await core.event("admin.refused", "too many connections", since=mark)
    answer = await Web(core).get("session")
    assert answer.status == 401, answer
    for _, one in (*connections, (reader, writer)):
        one.close()
    await asyncio.sleep(0.5)
    reader, writer = await dial()
    writer.write(b"GET /api/v1/session HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 401 " in await asyncio.wait_for(reader.read(4096), 5)
    writer.close()


async def flood(core):
    """Long bodies that never end, on many connections: together they are bounded."""
    memory, mark = core.memory("manage"), core.mark()
    open_ones = await together(*(asyncio.to_thread(send_body) for _ in range(8)))
    await core.event("admin.refused", "too many long requests", since=mark)
    grown = core.memory("manage") - memory
    assert grown < 64 << 20, f"{grown >> 20} MiB"
    for one in open_ones:
        one.close()


def send_body():
    """As much of it as is taken; the connection stays open."""
    plain = socket.create_connection((topology.address("core"), ADMIN_PORT), timeout=5)
    stream = ANY.wrap_socket(plain)
    with contextlib.suppress(OSError):
        stream.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\n"
                       b"Content-Length: 16000000\r\n\r\n")
        for _ in range(15):
            stream.sendall(b"x" * (1 << 20))
    return stream
