"""An AXL service of the tests' own, beside the core, that answers every request with one status."""
import asyncio
import contextlib
import ssl

from . import pki, topology
from .node import AXL_PORT

ADDRESS = topology.NETWORKS["inside"] + ".1"  # the runner's


class Axl:
    def __init__(self, status, body=""):
        self.status, self.body = status, body
        self.asked = []  # the bodies that came
        self.server = None

    async def start(self):
        chain, key = pki.certificate("axl.example")
        self.pin = pki.pin(chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self.server = await asyncio.start_server(self.serve, ADDRESS, AXL_PORT, ssl=context)
        return self

    async def stop(self):
        self.server.close()

    async def serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next((int(line.split(b":")[1]) for line in head.lower().splitlines()
                               if line.startswith(b"content-length:")), 0)
                self.asked.append((await reader.readexactly(length)).decode())
                writer.write(f"HTTP/1.1 {self.status} Tests\r\nContent-Type: text/xml\r\n"
                             f"Content-Length: {len(self.body)}\r\n\r\n{self.body}".encode())
                await writer.drain()
        writer.close()
