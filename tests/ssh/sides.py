"""Whom the tests of our SSH let speak to each other: our program ssh_live and OpenSSH's, with keys
and configurations in one temporary folder."""
import base64
import hashlib
import os
import pathlib
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import time

SSHD_CONF = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/{host}
PidFile none
AuthorizedKeysFile {keys}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
Subsystem provisioning /bin/cat
{more}
"""


def make_key(folder, name, kind="ed25519"):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", folder / name],
                   check=True)


def strings(data):
    while data:
        size, = struct.unpack(">I", data[:4])
        yield data[4:4 + size]
        data = data[4 + size:]


def public_blob(folder, name):
    return base64.b64decode((folder / (name + ".pub")).read_text().split()[1])


def make_pem(folder, name):
    """The key again in PKCS #8, which is what our nodes keep and OpenSSH 9.2 cannot read."""
    text = (folder / name).read_text().splitlines()
    data = base64.b64decode("".join(text[1:-1]))
    public = list(strings(public_blob(folder, name)))[1]
    seed = data[data.rindex(public) - 32:data.rindex(public)]
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    path = folder / (name + ".pem")
    path.write_text("-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
                    % base64.b64encode(der).decode())
    return path


def pin(folder, name):
    return hashlib.sha256(public_blob(folder, name)).hexdigest()


def done(what):
    print("ok  %s" % what, flush=True)


def make_keys(folder):
    for name in ("host", "user", "other", "sshd_host"):
        make_key(folder, name)
        make_pem(folder, name)
    make_key(folder, "rsa_host", "rsa")
    shutil.copy(folder / "user.pub", folder / "authorized")


def until(holds, what, seconds=5):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "not in time: " + what
        time.sleep(0.02)


def is_listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", int(port))) == 0


class Lines:
    """What a program prints, a line at a time."""

    def __init__(self, pipe):
        self.pipe, self.data = pipe, b""

    def until(self, start, seconds=10):
        deadline, seen = time.monotonic() + seconds, []
        while True:
            while b"\n" in self.data:
                line, self.data = self.data.split(b"\n", 1)
                seen.append(line.decode())
                if seen[-1].startswith(start):
                    return seen[-1]
            ready = select.select([self.pipe], [], [], max(0, deadline - time.monotonic()))[0]
            more = os.read(self.pipe.fileno(), 4096) if ready else b""
            if not more:
                raise AssertionError("no line %r, but %r" % (start, seen))
            self.data += more


class Host:
    """Our server, with a client's view of it."""

    def __init__(self, program, folder, code="-", per_address=20):
        self.folder, self.log = folder, folder / "host.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", folder / "host.pem", pin(folder, "user"), code,
                 str(per_address)], stdout=subprocess.PIPE, stderr=log,
                env=dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1"))
        self.lines = Lines(self.process.stdout)
        self.port = self.lines.until("port ").split()[1]
        key = " ".join((folder / "host.pub").read_text().split()[:2])
        (folder / "known_hosts").write_text("[127.0.0.1]:%s %s\n" % (self.port, key))
        self.mark = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            print(self.log.read_text(), file=sys.stderr)
        assert self.process.poll() is None, "our server ended: %s" % self.process.returncode
        self.process.kill()
        self.process.wait()

    def ssh(self, *args, key="user", user="core-a"):
        """The command line of a client that takes nothing from the machine's own settings."""
        return ["ssh", "-F", "none", *args, "-v", "-p", self.port, "-i", str(self.folder / key),
                "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
                "-o", "StrictHostKeyChecking=yes",
                "-o", "UserKnownHostsFile=%s" % (self.folder / "known_hosts"),
                "-o", "GlobalKnownHostsFile=/dev/null", user + "@127.0.0.1"]

    def refused(self, what, seconds=5):
        """Waits for the line that says so, among those since the last that was waited for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            text = self.log.read_text()
            for line in re.finditer(r'.*\n', text[self.mark:]):
                if 'CodeLocation="ssh.refused"' in line[0] and what in line[0]:
                    self.mark += line.end()
                    return
            time.sleep(0.02)
        raise AssertionError("no line says %r, but: %s" % (what, text[self.mark:]))

    def fails(self, what, command, log=None, says=None, **more):
        got = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20,
                             **more)
        assert got.returncode, "%s: it went well" % what
        if says:
            assert says in got.stderr.decode(), "%s: %s" % (what, got.stderr.decode())
        if log:
            try:
                self.refused(log)
            except AssertionError:
                print(got.stderr.decode(), file=sys.stderr)
                raise
        done(what)
        return got.stderr.decode()


def echo(command, size, seconds=30):
    """Whether so many bytes come back as they went."""
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    os.set_blocking(client.stdin.fileno(), False)
    data, sent, got, left, errors = os.urandom(size), 0, [], size, b""
    deadline = time.monotonic() + seconds
    while left:
        assert time.monotonic() < deadline, "only %d of %d came" % (size - left, size)
        out, into, _ = select.select([client.stdout, client.stderr],
                                     [client.stdin] if sent < size else [], [], 1)
        if into:
            sent += os.write(client.stdin.fileno(), data[sent:sent + 65536])
        if client.stderr in out:
            errors += os.read(client.stderr.fileno(), 65536)
        if client.stdout in out:
            came = os.read(client.stdout.fileno(), 65536)
            assert came, "it ended: %s" % errors.decode()
            got.append(came)
            left -= len(came)
    assert b"".join(got) == data
    client.stdin.close()
    errors += client.stderr.read()
    client.wait(10)
    return errors.decode()


class Sshd:
    def __init__(self, folder, host="sshd_host", more="", keys="{folder}/authorized"):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = str(s.getsockname()[1])
        conf, self.log = folder / "sshd.conf", folder / "sshd.log"
        conf.write_text(SSHD_CONF.format(
            port=self.port, folder=folder, host=host, more=more, keys=keys.format(folder=folder)))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", conf],
                                            stderr=log, start_new_session=True)
        until(lambda: is_listening(self.port), "sshd listens: " + self.log.read_text())

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            print(self.log.read_text(), file=sys.stderr)
        self.process.terminate()
        self.process.wait()


class Caller:
    """Our client."""

    def __init__(self, program, folder, port, key="user.pem", host="sshd_host",
                 subsystem="provisioning", size=1000, silence_ms=20000):
        self.process = subprocess.Popen(
            [program, "dial", folder / key, pin(folder, host), port, "root", subsystem, str(size),
             str(silence_ms)], stdout=subprocess.PIPE)
        self.lines = Lines(self.process.stdout)

    def says(self, what, start, seconds=20):
        try:
            line = self.lines.until(start, seconds)
        finally:
            self.stop()
        done("%s (%s)" % (what, line))

    def stop(self):
        self.process.kill()
        self.process.wait()

    def ended(self, what, *hows):
        self.says(what, tuple("ended " + how for how in hows))


def sessions_of(pid):
    """The processes below it, by what /proc says."""
    below = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            below += [int(folder.name)] + sessions_of(int(folder.name))
    return below
