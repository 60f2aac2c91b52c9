"""The public DNS: one unbound with all zones, and a relay in front of it that can be slow.

The nodes ask through the relay, so that a scenario can delay or lose their questions; everybody
else asks unbound itself.
"""
import asyncio
import shutil

from . import topology
from .process import Process, command

CONFIG = """
server:
	directory: "{folder}"
	chroot: ""
	username: ""
	pidfile: ""
	use-syslog: no
	logfile: ""
	interface: {address}
	access-control: 0.0.0.0/0 allow
	do-ip6: no
	module-config: "iterator"
	local-zone: "." static
	local-data: ". 60 IN SOA ns.example. root.example. 1 60 60 60 60"
remote-control:
	control-enable: yes
	control-interface: {folder}/control
	control-use-cert: no
"""


class Dns:
    def __init__(self):
        self.folder = topology.RUN / "dns"
        self.config = self.folder / "unbound.conf"
        self.relay = Relay()

    async def start(self):
        self.folder.mkdir()
        self.config.write_text(CONFIG.format(folder=self.folder, address=topology.address("dns")))
        # A copy: Debian's AppArmor profile lets the installed one read /etc/unbound only.
        program = shutil.copy("/usr/sbin/unbound", self.folder)
        self.process = await Process("dns", "dns", [program, "-d", "-c", self.config]).start()
        await self.process.log.wait_for("start of service")
        await self.relay.start()
        return self

    async def control(self, *words):
        status, out = await command("dns", "unbound-control", "-c", self.config, *words)
        if status != 0:
            raise RuntimeError(f"unbound-control {words}: {out}")

    async def add(self, *records):
        for record in records:
            await self.control("local_data", *record.split())

    async def remove(self, name):
        await self.control("local_data_remove", name)

    async def add_domain(self, domain, *addresses, port=5269, host=None):
        """A domain with its SRV record, and the addresses (of either family) of the host that the
        record names."""
        host = host or f"xmpp.{domain}"
        await self.add(f"_xmpp-server._tcp.{domain}. 60 IN SRV 0 5 {port} {host}.",
                       *(f"{host}. 60 IN {'AAAA' if ':' in address else 'A'} {address}"
                         for address in addresses))


class Relay(asyncio.DatagramProtocol):
    """Passes UDP questions on, after `delay_s` seconds, or not at all while `lose` is set."""

    def __init__(self):
        self.delay_s = 0.0
        self.lose = False
        self.transport = None

    async def start(self):
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(topology.SLOW_DNS, 53))

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if not self.lose:
            asyncio.create_task(self.ask(data, addr))

    async def ask(self, question, asker):
        loop = asyncio.get_running_loop()
        answered = loop.create_future()
        await asyncio.sleep(self.delay_s)
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Answer(answered), remote_addr=(topology.address("dns"), 53))
        transport.sendto(question)
        try:
            self.transport.sendto(await asyncio.wait_for(answered, 5), asker)
        except asyncio.TimeoutError:
            pass
        finally:
            transport.close()


class Answer(asyncio.DatagramProtocol):
    def __init__(self, answered):
        self.answered = answered

    def datagram_received(self, data, addr):
        if not self.answered.done():
            self.answered.set_result(data)

    def error_received(self, exc):
        pass
