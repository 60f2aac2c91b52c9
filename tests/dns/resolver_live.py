#!/usr/bin/python3
"""The real resolver process, in its sandbox, against real unbounds, in a network of its own.

    resolver_live.py [BUILD-FOLDER]      as root; under 15 seconds; 0 when all is right

Plays control: makes the channels, hands over the settings, asks as traffic and manage would.
"""
import array
import fcntl
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from signed_zone import SignedZone

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
SNAPSHOT, PEER, START, SHUTDOWN, READY, QUERY, ANSWER = 1, 3, 4, 5, 6, 7, 8
TRAFFIC, MANAGE = 1, 2
SRV, A, AAAA = range(3)
FOUND, ABSENT, EMPTY, SERVFAIL, TIMED_OUT, BOGUS, UNAVAILABLE = range(7)
RECORDS_MAX = 32
UNBOUND_CONF = """
server:
  interface: 127.0.0.1
  interface: ::1
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  access-control: ::1 allow
  local-zone: "test." transparent
  local-zone: "fed.example" static
  local-data: "fed.example 3600 SOA ns.fed.example. h.fed.example. 1 3600 600 86400 45"
  local-data: "_xmpp-server._tcp.fed.example 300 SRV 10 60 5269 X1.fed.example."
  local-data: "_xmpp-server._tcp.fed.example 300 SRV 20 0 5270 x2.fed.example."
  local-data: "_xmpp-server._tcp.none.fed.example 300 SRV 0 0 0 ."
  local-data: "x1.fed.example 120 A 192.0.2.1"
  local-data: "x1.fed.example 120 A 192.0.2.2"
  local-data: "x1.fed.example 120 AAAA 2001:db8::1"
  local-data: "alias.fed.example 60 CNAME x1.fed.example."
  local-data: "here.test 60 A 192.0.2.9"
  local-zone: "refused.example" refuse
{big}
forward-zone:
  name: "lame.example"
  forward-addr: 127.0.0.3
remote-control:
  control-enable: no
"""
SIGNED_CONF = """
server:
  interface: 127.0.0.3
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
  local-zone: "lame.example" refuse
auth-zone:
  name: "."
  zonefile: "{folder}/root.zone"
  for-downstream: yes
  for-upstream: no
remote-control:
  control-enable: no
"""
TRUST_ANCHORS = pathlib.Path("/usr/share/dns/root.key")


def put(data):
    return struct.pack(">I", len(data)) + data


def sealed_snapshot(generation, records):
    text = b"SALLYPT1" + struct.pack(">QQ", generation, 1)
    for record in records:
        text += bytes([len(record)]) + b"".join(put(field.encode()) for field in record)
    fd = os.memfd_create("snapshot", os.MFD_ALLOW_SEALING)
    os.write(fd, text)
    fcntl.fcntl(fd, 1033, 1 | 2 | 4 | 8)  # F_ADD_SEALS: seal, shrink, grow, write
    return fd


class Channel:
    def __init__(self):
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def send(self, kind, request=0, body=b"", fd=None):
        rights = [] if fd is None else [
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.ours.sendmsg([struct.pack(">HHI", kind, 0, request) + body], rights)

    def receive(self, seconds):
        if not select.select([self.ours], [], [], seconds)[0]:
            raise AssertionError("nothing came within %.1f s" % seconds)
        packet = self.ours.recv(65536)
        assert packet, "the resolver closed its channel"
        kind, flags, request = struct.unpack(">HHI", packet[:8])
        assert flags == 0
        return kind, request, packet[8:]


class Reader:
    def __init__(self, data):
        self.data = data

    def number(self, size):
        value, self.data = int.from_bytes(self.data[:size], "big"), self.data[size:]
        return value

    def bytes(self):
        size = self.number(4)
        value, self.data = self.data[:size], self.data[size:]
        return value


class Answer:
    def __init__(self, body):
        r = Reader(body)
        self.type, self.status, self.secure = r.number(1), r.number(1), r.number(1)
        self.ttl, self.why = r.number(4), r.bytes().decode()
        self.records = []
        for _ in range(r.number(2)):
            if self.type == SRV:
                self.records.append((r.number(2), r.number(2), r.number(2), r.bytes().decode()))
            else:
                family = socket.AF_INET if self.type == A else socket.AF_INET6
                self.records.append(socket.inet_ntop(family, r.bytes()))
        assert not r.data

    def __repr__(self):
        return "status=%d ttl=%d why=%r records=%r" % (self.status, self.ttl, self.why,
                                                      self.records)


class Resolver:
    """The process, with its channels to control, traffic and manage."""

    def __init__(self, program, log, servers):
        self.control, self.peers = Channel(), {}
        self.requests = self.generation = 0
        with open(log, "wb") as stderr:
            fd = self.control.theirs.fileno()
            self.pid = os.posix_spawn(program, [program], dict(os.environ), file_actions=[
                (os.POSIX_SPAWN_DUP2, fd, 3),
                (os.POSIX_SPAWN_DUP2, stderr.fileno(), 2),
            ])
        self.settings(servers)
        self.peer(TRAFFIC)
        self.peer(MANAGE)
        self.control.send(START)
        assert self.control.receive(5)[0] == READY

    def settings(self, servers, *more):
        self.generation += 1
        fd = sealed_snapshot(self.generation, [("node.name", "edge-a")] + list(more) +
                             [("dns.servers", server) for server in servers])
        self.control.send(SNAPSHOT, fd=fd)
        os.close(fd)

    def peer(self, who):
        if who in self.peers:
            self.peers[who].ours.close()
        self.peers[who] = Channel()
        self.control.send(PEER, body=bytes([who]), fd=self.peers[who].theirs.fileno())
        self.peers[who].theirs.close()

    def ask(self, kind, name, timeout_ms=5000, who=TRAFFIC):
        self.requests += 1
        self.peers[who].send(QUERY, self.requests,
                             bytes([kind]) + put(name.encode()) + struct.pack(">I", timeout_ms))
        return self.requests

    def answer(self, request, seconds=6, who=TRAFFIC):
        kind, number, body = self.peers[who].receive(seconds)
        assert (kind, number) == (ANSWER, request), (kind, number, request)
        return Answer(body)

    def lookup(self, kind, name, **more):
        return self.answer(self.ask(kind, name, **more), who=more.get("who", TRAFFIC))

    def wait(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        raise AssertionError("the resolver does not end")


def check(what, answer, status, records=None, ttl=None, why=None):
    assert answer.status == status, "%s: %r" % (what, answer)
    assert records is None or sorted(answer.records) == sorted(records), "%s: %r" % (what, answer)
    assert ttl is None or ttl - 5 <= answer.ttl <= ttl, "%s: %r" % (what, answer)
    assert why is None or answer.why == why, "%s: %r" % (what, answer)
    print("ok  %s" % what, flush=True)


def udp_is_truncated(name):
    """Whether a server answers this SRV question over UDP with the bit that says: ask over TCP."""
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        s.sendto(struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0\x21\0\1",
                 ("127.0.0.1", 53))
        return bool(s.recv(65535)[2] & 2)


def start_unbound(folder, name, address, text):
    conf = folder / (name + ".conf")
    conf.write_text(text)
    with open(folder / (name + ".log"), "wb") as log:
        # A copy: Debian's AppArmor profile lets the installed one read /etc/unbound only.
        program = shutil.copy("/usr/sbin/unbound", folder / ("unbound-" + name))
        unbound = subprocess.Popen([program, "-d", "-c", str(conf)], stdout=log, stderr=log)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and unbound.poll() is None:
        with socket.socket() as s:
            if s.connect_ex((address, 53)) == 0:
                return unbound
        time.sleep(0.02)
    unbound.kill()
    raise AssertionError("unbound does not start: " + (folder / (name + ".log")).read_text())


def start_servers(folder):
    big = "\n".join('  local-data: "big.fed.example 60 SRV %d 0 5269 a-host-with-a-long-name-%d'
                    '.fed.example."' % (i, i) for i in range(60))
    zone = SignedZone()
    zone.add("_xmpp-server._tcp.true.example.", "SRV", "1 2 5269 x.true.example.")
    zone.add("forged.example.", "A", "192.0.2.66", signed=["192.0.2.1"])
    (folder / "root.zone").write_text(zone.text())
    TRUST_ANCHORS.write_text("; a line for people\n\n" + zone.anchor())
    plain = start_unbound(folder, "plain", "127.0.0.1",
                          UNBOUND_CONF.format(folder=folder, big=big))
    return [plain, start_unbound(folder, "signed", "127.0.0.3", SIGNED_CONF.format(folder=folder))]


def answers(r):
    service = "_xmpp-server._tcp."
    check("SRV", r.lookup(SRV, service + "fed.example"), FOUND,
          [(10, 60, 5269, "x1.fed.example"), (20, 0, 5270, "x2.fed.example")], ttl=300)
    check("SRV from the cache", r.lookup(SRV, service + "fed.example", who=MANAGE), FOUND)
    check("SRV of no service", r.lookup(SRV, service + "none.fed.example"), FOUND,
          [(0, 0, 0, ".")])
    check("A", r.lookup(A, "x1.fed.example"), FOUND, ["192.0.2.1", "192.0.2.2"], ttl=120)
    check("AAAA", r.lookup(AAAA, "x1.fed.example"), FOUND, ["2001:db8::1"])
    check("an alias", r.lookup(A, "alias.fed.example"), FOUND, ["192.0.2.1", "192.0.2.2"], ttl=60)
    check("below .test", r.lookup(A, "here.test"), FOUND, ["192.0.2.9"])
    check("NXDOMAIN", r.lookup(SRV, service + "nobody.fed.example"), ABSENT, [], ttl=45)
    check("NODATA", r.lookup(SRV, "x1.fed.example"), EMPTY, [], ttl=45)
    check("SERVFAIL", r.lookup(SRV, service + "lame.example"), SERVFAIL, [], why="SERVFAIL")
    check("REFUSED", r.lookup(SRV, service + "refused.example"), SERVFAIL, [])
    assert udp_is_truncated("big.fed.example")
    big = r.lookup(SRV, "big.fed.example")
    check("a big answer, over TCP and cut", big, FOUND)
    assert len(big.records) == RECORDS_MAX, big


def many_at_once(r):
    requests = {r.ask(A, "n%d.fed.example" % i) for i in range(300)}
    while requests:
        kind, number, body = r.peers[TRAFFIC].receive(5)
        assert kind == ANSWER and Answer(body).status == ABSENT, Answer(body)
        requests.remove(number)
    print("ok  300 questions at once", flush=True)


def deadlines_and_changes(r):
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.2", 53))
    r.settings(["127.0.0.2"])
    began = time.monotonic()
    check("a dead server", r.lookup(A, "x1.fed.example", timeout_ms=1200), TIMED_OUT)
    assert 1.1 < time.monotonic() - began < 2.5

    request = r.ask(A, "x1.fed.example", timeout_ms=8000)
    time.sleep(0.2)
    r.settings(["127.0.0.1"])
    check("other servers, while a question is open", r.answer(request), FOUND)

    r.settings(["127.0.0.2", "127.0.0.1"])
    check("one of two servers is dead", r.lookup(A, "x1.fed.example"), FOUND)
    silent.close()

    r.settings(["::1"])
    check("a server with an IPv6 address", r.lookup(A, "here.test"), FOUND)
    r.settings(["not an address"])
    check("a server that is none: as it was", r.lookup(AAAA, "x1.fed.example"), FOUND)

    r.peers[TRAFFIC].send(QUERY, 1, b"\0nonsense")
    r.ask(A, "left-open.lame.example")
    r.peer(TRAFFIC)
    check("traffic was started again", r.lookup(A, "x1.fed.example"), FOUND)

    r.settings([])
    check("no server at all", r.lookup(A, "x1.fed.example"), UNAVAILABLE)
    r.settings(["127.0.0.1"])
    check("and one again", r.lookup(A, "x1.fed.example"), FOUND)


def dnssec(r):
    r.settings(["127.0.0.3"], ("dns.dnssec", "on"))
    answer = r.lookup(SRV, "_xmpp-server._tcp.true.example")
    check("DNSSEC: a signed answer", answer, FOUND, [(1, 2, 5269, "x.true.example")])
    assert answer.secure
    answer = r.lookup(A, "forged.example")
    check("DNSSEC: a forged one", answer, BOGUS, [])
    assert answer.why
    r.settings(["127.0.0.1"], ("dns.dnssec", "on"))
    check("DNSSEC: a server that passes no signatures", r.lookup(A, "x1.fed.example"), BOGUS, [])
    r.settings(["127.0.0.3"])
    answer = r.lookup(A, "forged.example")
    check("no DNSSEC: believed", answer, FOUND, ["192.0.2.66"])
    assert not answer.secure


def sandbox_is_on(pid):
    status = dict(line.split(":\t", 1) for line in
                  pathlib.Path("/proc/%d/status" % pid).read_text().splitlines() if ":\t" in line)
    assert status["Seccomp"].strip() == "2", status["Seccomp"]
    assert "0" not in status["Uid"].split(), status["Uid"]
    assert int(status["CapEff"], 16) == 0
    print("ok  in its sandbox", flush=True)


def run(program, folder):
    servers, r = start_servers(folder), None
    try:
        r = Resolver(program, folder / "resolver.log", ["127.0.0.1"])
        sandbox_is_on(r.pid)
        answers(r)
        many_at_once(r)
        deadlines_and_changes(r)
        dnssec(r)
        r.control.send(SHUTDOWN)
        assert r.wait(3) == 0
        log = (folder / "resolver.log").read_text()
        for event in ("resolver.ready", "resolver.rebuilt", "dns.cut", "ipc.refused",
                      "snapshot.refused", "process.stop"):
            assert 'CodeLocation="%s"' % event in log, event
        for line in log.splitlines():
            assert 'Module="' in line, "not a line of ours: " + line
        print("ok  it logs what it should, and ends when told")
    except BaseException:
        print((folder / "resolver.log").read_text() if r else "", file=sys.stderr)
        raise
    finally:
        if r and r.pid:
            os.kill(r.pid, signal.SIGKILL)
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(5)


def own_trust_anchors():
    """A place for them that only we see."""
    folder = TRUST_ANCHORS.parent
    subprocess.run(["mount", "-t", "tmpfs", "none",
                    str(folder if folder.exists() else folder.parent)], check=True)
    folder.mkdir(exist_ok=True)


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else TREE / "build").resolve()
    if "SALLYPORT_OWN_NETWORK" not in os.environ:
        os.environ["SALLYPORT_OWN_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, __file__, str(build)])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    own_trust_anchors()
    signal.alarm(15)
    with tempfile.TemporaryDirectory() as folder:
        run(str(build / "src/process/sallyport-resolver"), pathlib.Path(folder))


if __name__ == "__main__":
    main()
