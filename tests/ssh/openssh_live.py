#!/usr/bin/python3
"""Our SSH against OpenSSH's client and server, in a network of its own.

    openssh_live.py [BUILD-FOLDER]      as root; under 60 seconds; 0 when all is right

The stock client opens the one subsystem that it may, and is refused, with a line in the log,
whatever else it asks for. Our client tells a stock server's refusals apart.
"""
import base64
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from raw_client import (CHANNEL_DATA, CHANNEL_OPEN_SESSION, GSSAPI_TOKEN, KEEPALIVE,
                        USERAUTH_FAILURE, RawClient, string)
from sides import (Caller, Host, Sshd, done, echo, is_listening, make_keys, pin, sessions_of,
                   until)

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
CODE = "right-code"


def logs_in_by_key(program, folder):
    with Host(program, folder) as host:
        says = echo(host.ssh("-s", "-o", "Compression=yes") + ["provisioning"], 4 << 20)
        assert host.lines.until("accepted") == \
            "accepted provisioning core-a %s" % pin(folder, "user")
        assert "compression: none" in says, says
        done("the right key opens provisioning, and 4 MB come back")
        says = echo(host.ssh("-s", "-o", "RekeyLimit=1M") + ["provisioning"], 16 << 20)
        assert says.count("SSH2_MSG_NEWKEYS received") >= 8, says
        done("16 MB with new keys after each: %d exchanges"
             % says.count("SSH2_MSG_NEWKEYS received"))
        stays(host)


def stays(host):
    """Its keepalives are answered: three that are not end it."""
    client = subprocess.Popen(
        host.ssh("-s", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2") +
        ["provisioning"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    host.lines.until("accepted")
    try:
        client.wait(5)
        raise AssertionError("it ended")
    except subprocess.TimeoutExpired:
        client.stdin.write(b"still here")
        client.stdin.flush()
        assert client.stdout.read(10) == b"still here"
    client.stdin.close()
    client.wait(5)
    done("a client that sends keepalives stays")


def refuses_what_else_is_asked(program, folder):
    with Host(program, folder) as host:
        host.fails("a shell", host.ssh("-T"), "asks for: a shell")
        host.fails("a command", host.ssh() + ["id"], "asks for: a command")
        host.fails("a terminal", host.ssh("-tt"), "asks for: a terminal")
        host.fails("sftp", host.ssh("-s") + ["sftp"], "not its subsystem: sftp")
        host.fails("pairing by key", host.ssh("-s") + ["pairing"], "not its subsystem: pairing")
        host.fails("forwarding from there", host.ssh(
            "-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9"), "asks for: forwarding")
        host.fails("an environment variable", host.ssh("-s", "-o", "SendEnv=SECRET_OF_OURS") +
                   ["sftp"], "asks for: an environment variable",
                   env=dict(os.environ, SECRET_OF_OURS="1"))
        host.fails("its agent", with_agent(host), "asks for: its agent")
        host.fails("forwarding to there", host.ssh("-W", "127.0.0.1:9"), "asks for: forwarding")
        dynamic_forwarding(host)
        second_channel(host)
        host.fails("another key", host.ssh("-s", key="other") + ["provisioning"],
                   "no node of this name has this key", says="Permission denied")
        host.fails("another user", host.ssh("-s", user="core-b") + ["provisioning"],
                   "user=core-b why", says="Permission denied")


def with_agent(host):
    """An agent that runs as long as the client."""
    return ["ssh-agent"] + host.ssh("-s", "-A", "-o", "IdentityAgent=SSH_AUTH_SOCK") + ["sftp"]


def dynamic_forwarding(host):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    client = subprocess.Popen(host.ssh("-N", "-D", "127.0.0.1:%d" % port),
                              stderr=subprocess.DEVNULL)
    try:
        until(lambda: is_listening(port), "the client listens")
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"\5\1\0" + b"\5\1\0\1" + socket.inet_aton("127.0.0.1") + b"\0\x09")
            host.refused("asks for: forwarding")
            s.settimeout(5)
            while s.recv(100):  # it closes when it was refused
                pass
    finally:
        client.kill()
        client.wait()
    done("a SOCKS proxy")


def second_channel(host):
    control = str(host.folder / "control")
    master = subprocess.Popen(
        host.ssh("-s", "-M", "-S", control) + ["provisioning"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    host.lines.until("accepted")
    until(lambda: os.path.exists(control), "the master listens")
    host.fails("a second channel", ["ssh", "-F", "none", "-S", control, "-o", "BatchMode=yes",
                                    "-o", "ProxyCommand=false", "-s", "core-a@127.0.0.1",
                                    "provisioning"],
               "a second channel")
    master.stdin.write(b"unharmed")
    master.stdin.flush()
    assert master.stdout.read(8) == b"unharmed"
    master.stdin.close()
    master.wait(5)


def password_of(folder, password):
    """The environment of a client that answers each prompt with it, and counts them."""
    answer = folder / "answer"
    answer.write_text("#!/bin/sh\necho x >>%s/asked\necho '%s'\n" % (folder, password))
    answer.chmod(0o700)
    (folder / "asked").write_text("")
    return dict(os.environ, SSH_ASKPASS=str(answer), SSH_ASKPASS_REQUIRE="force")


def logs_in_by_code(program, folder):
    by_password = ["-s", "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=7"]
    with Host(program, folder) as host:
        says = host.fails("no code is out, so no password is taken",
                          host.ssh(*by_password) + ["pairing"],
                          says="Permission denied (publickey).",
                          env=password_of(folder, CODE))
        assert (folder / "asked").read_text() == "", says
    with Host(program, folder, CODE) as host:
        host.fails("three wrong codes close it", host.ssh(*by_password) + ["pairing"],
                   "too many tries", env=password_of(folder, "wrong-code"))
        assert len((folder / "asked").read_text()) <= 2 * 4  # it asks again before it is closed
        assert host.log.read_text().count("wrong pairing code") == 3
        assert "wrong-code" not in host.log.read_text()
        host.fails("the right code opens no other subsystem",
                   host.ssh(*by_password) + ["provisioning"], "not its subsystem: provisioning",
                   env=password_of(folder, CODE))
        os.environ.update(password_of(folder, CODE))
        echo(host.ssh(*by_password, user="anybody") + ["pairing"], 100000)
        assert host.lines.until("accepted") == "accepted pairing anybody -"
        assert CODE not in host.log.read_text()
        done("the right code opens pairing")


def shows_its_key(program, folder):
    with Host(program, folder) as host:
        scanned = subprocess.run(["ssh-keyscan", "-p", host.port, "127.0.0.1"], check=True,
                                 capture_output=True, timeout=20).stdout.decode()
        keys = [line.split()[1:] for line in scanned.splitlines() if line[0] != "#"]
        assert [kind for kind, _ in keys] == ["ssh-ed25519"], scanned
        listed = subprocess.run(["ssh-keygen", "-lf", "-"], input=scanned.encode(), check=True,
                                capture_output=True).stdout.decode().split()[1]
        ours = subprocess.run([program, "pin", folder / "host.pem"], check=True,
                              capture_output=True).stdout.decode().strip()
        assert base64.b64decode(listed.removeprefix("SHA256:") + "=").hex() == ours
        assert ours == pin(folder, "host")
        done("its pin is what ssh-keyscan and ssh-keygen show")


def limits_an_address(program, folder):
    with Host(program, folder, per_address=20) as host:
        assert served(host, 50) == 20
        text = host.log.read_text()
        assert text.count("limits.ssh_connections_per_address is reached") == 30
        until(lambda: host.log.read_text().count("ssh.refused") == 50, "they left")
        echo(host.ssh("-s") + ["provisioning"], 1000)
        done("50 at once from one address: 20 are served, and then the next")


def fills_no_log(program, folder):
    with Host(program, folder, per_address=20) as host:
        began = time.monotonic()
        served(host, 400)
        seconds = int(time.monotonic() - began)
        assert host.log.read_text().count("ssh.refused") <= 100 * (seconds + 2), "it fills the log"
        time.sleep(1.1)
        served(host, 21)
        lines = host.log.read_text().count("ssh.refused")
        untold = [int(n) for n in re.findall(r"untold=(\d+)", host.log.read_text())]
        assert lines + sum(untold) >= 380 + 20 + 1, (lines, untold)
        done("400 at once do not fill the log: %d lines for all" % lines)


def served(host, count):
    """How many of so many who connect at once are greeted; then all leave."""
    guests = [socket.create_connection(("127.0.0.1", int(host.port))) for _ in range(count)]
    greeted = 0
    for guest in guests:
        guest.settimeout(5)
        try:
            greeted += guest.recv(100).startswith(b"SSH-2.0-")
        except ConnectionResetError:
            pass
    for guest in guests:
        guest.close()
    return greeted


def strangers(program, folder):
    """What no decent client says before it is logged in."""
    with Host(program, folder, CODE) as host:
        guess = [RawClient.login("u", "password", b"\0" + string("guess %d" % i))
                 for i in range(20)]
        right = RawClient.login("u", "password", b"\0" + string(CODE))
        client = RawClient(host.port)
        client.ask_for_login()
        client.send(*guess, right)
        assert client.is_closed()
        assert host.log.read_text().count("wrong pairing code") == 3, "more than three tries"
        done("guesses in one piece are three tries, too")

        client = RawClient(host.port)
        client.ask_for_login()
        client.send(*[RawClient.login("u", "keyboard-interactive", string("") * 2)] * 20)
        assert client.is_closed()
        host.refused("a way to log in that is not offered")
        host.refused("too many tries")
        assert host.log.read_text().count("that is not offered") == 3, "it fills the log"
        done("other ways to log in are tries")

        client = RawClient(host.port)
        client.ask_for_login()
        kerberos = bytes.fromhex("06092a864886f712010202")
        client.send(RawClient.login("u", "gssapi-with-mic",
                                    struct.pack(">I", 1) + string(kerberos)))
        host.refused("a way to log in that is not offered")
        client.receive(USERAUTH_FAILURE)
        client.send(*[bytes([GSSAPI_TOKEN]) + string("token")] * 3)  # as if it had been taken
        assert client.is_closed()
        host.refused("it closed before it was logged in")
        done("GSSAPI is refused")

        client = RawClient(host.port)
        client.ask_for_login()
        client.send(*[RawClient.login("u", "none")] * 100)
        assert client.is_closed()
        host.refused("it asks for too much")
        done("no end of questions")

        client = RawClient(host.port)
        client.ask_for_login()
        client.send(CHANNEL_OPEN_SESSION)
        assert client.is_closed()
        done("a channel before login")


def peak_bytes(process):
    text = pathlib.Path("/proc/%d/status" % process.pid).read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024


def guests(program, folder):
    """What no decent client says after it is logged in."""
    with Host(program, folder) as host:
        client = RawClient(host.port)
        client.log_in("core-a", folder / "user.pem")
        client.open_channel()
        before = peak_bytes(host.process)
        client.pour(64 << 20)
        assert peak_bytes(host.process) < before + (8 << 20), "it keeps all"
        host.refused("it%20sends%20before%20its%20subsystem%20is%20open")
        done("bytes before the subsystem is open")

        client = RawClient(host.port)
        client.log_in("core-a", folder / "user.pem")
        client.open_channel()
        client.open_subsystem("provisioning")
        client.send(*[KEEPALIVE] * 100)
        client.say("hello")
        assert client.receive(CHANNEL_DATA).endswith(b"hello")
        done("keepalives are no requests, however many")

        client = RawClient(host.port)
        client.log_in("core-a", folder / "user.pem")
        client.open_channel()
        client.open_subsystem("provisioning")
        before = peak_bytes(host.process)
        client.pour(4 << 20)  # it has more for us than we take
        client.say("good bye")
        client.pour(64 << 20)
        assert peak_bytes(host.process) < before + (24 << 20), "it keeps all"
        done("bytes after a good-bye")


def dials(program, folder):
    with Sshd(folder) as sshd:
        Caller(program, folder, sshd.port, size=4 << 20).says(
            "a stock server echoes to us", "echoed 4194304 identical")
        Caller(program, folder, sshd.port, host="other").ended("another host key", "host-key ")
        Caller(program, folder, sshd.port, key="other.pem").ended("another key",
                                                                  "login-refused ")
        Caller(program, folder, sshd.port, subsystem="pairing").ended("no such subsystem",
                                                                      "subsystem-refused ")
    with Sshd(folder, more="RekeyLimit 1M\nLogLevel DEBUG") as sshd:
        Caller(program, folder, sshd.port, size=16 << 20).says(
            "a stock server that wants new keys after each MB", "echoed 16777216 identical", 40)
        assert sshd.log.read_text().count("SSH2_MSG_NEWKEYS received") >= 8, "it never wanted any"
    with Sshd(folder, host="rsa_host") as sshd:
        # It closes when it sees what we want, which may be before we have read what it wants.
        Caller(program, folder, sshd.port).ended(
            "a server with an RSA key only", "protocol kex error : no match for method server "
            "host key algo", "protocol the connection broke before keys were agreed on")
    dies(program, folder)
    falls_silent(program, folder)


def dies(program, folder):
    """That is no refusal: nobody has to pair again."""
    script = pathlib.Path("/run/dies")
    script.write_text("#!/bin/sh\nkill -9 $PPID\n")
    script.chmod(0o755)
    with Sshd(folder, more="AuthorizedKeysCommand %s\nAuthorizedKeysCommandUser root" % script,
              keys="none") as sshd:
        Caller(program, folder, sshd.port).ended("a stock server that dies during the login",
                                                 "connection-lost ")


def falls_silent(program, folder):
    with Sshd(folder) as sshd:
        callers = [Caller(program, folder, sshd.port, silence_ms=900) for _ in range(8)]
        for caller in callers:
            caller.lines.until("echoed")
        time.sleep(3)
        assert [caller.process.poll() for caller in callers] == [None] * 8
        done("a stock server that answers keepalives is not taken for dead")
        for caller in callers[1:]:
            caller.stop()
        until(lambda: len(sessions_of(sshd.process.pid)) <= 3, "the others left")
        children = sessions_of(sshd.process.pid)
        assert children
        for pid in children:
            os.kill(pid, signal.SIGSTOP)
        try:
            callers[0].ended("a stock server that is stopped",
                             "connection-lost the other side is silent")
        finally:
            for pid in children:
                os.kill(pid, signal.SIGKILL)


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else TREE / "build").resolve()
    if "SALLYPORT_OWN_NETWORK" not in os.environ:
        os.environ["SALLYPORT_OWN_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, __file__, str(build)])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run"], check=True)
    os.mkdir("/run/sshd", 0o755)  # sshd's own wish
    program = build / "src/net/ssh_live"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_keys(folder)
        for part in (shows_its_key, logs_in_by_key, refuses_what_else_is_asked, logs_in_by_code,
                     limits_an_address, fills_no_log, strangers, guests, dials):
            part(program, folder)


if __name__ == "__main__":
    main()
