"""Hosts in three networks with a firewall between them, in network namespaces.

The run lives in namespaces of its own (mounts, processes, network; see `enter`): the kernel takes
everything away with the runner's last breath, however it dies, and two runs never meet. The
runner's own network is the router's, so it reaches every host and sees what passes.

    world   198.51.100.0/24   2001:db8:1::/64   DNS, the foreign servers, the tests' own peers
    dmz     203.0.113.0/24    2001:db8:2::/64   the edges
    inside  10.9.3.0/24       2001:db8:3::/64   core, home nodes, home server

A host's last number is the same in both families. The firewall lets world and dmz talk, inside
dial dmz, and nobody dial inside, whatever the family.
"""
import os
import pathlib
import subprocess
import sys

RUN = pathlib.Path("/run/sallyport")  # in the run's own /run, which is memory
INTERRUPTED = 3.0  # seconds that a runner has to end by itself

NETWORKS = {"world": "198.51.100", "dmz": "203.0.113", "inside": "10.9.3"}
NETWORKS6 = {"world": "2001:db8:1:", "dmz": "2001:db8:2:", "inside": "2001:db8:3:"}
HOSTS = {  # name: (network, last number)
    "dns": ("world", 53),
    "prosody": ("world", 10),
    "ejabberd": ("world", 20),
    "edge": ("dmz", 2),
    "edge2": ("dmz", 6),
    "core": ("inside", 3),
    "home": ("inside", 4),
    "home2": ("inside", 7),
    "users": ("inside", 5),  # the home server
}
# Addresses of the runner itself, beside .1 of each network.
SLOW_DNS = NETWORKS["world"] + ".54"
PEERS = [f"{NETWORKS['world']}.{n}" for n in range(100, 120)]
# Of an edge, for its web page: never where the world comes.
MANAGEMENT = {"edge": NETWORKS["dmz"] + ".12", "edge2": NETWORKS["dmz"] + ".16"}
OUTER = NETWORKS["dmz"] + ".66"  # edge2's second address, on which it listens for nothing
PEERS6 = [f"{NETWORKS6['world']}:{n}" for n in range(100, 120)]

FIREWALL = """
table inet firewall {
	chain blocked {
	}
	chain input {
		type filter hook input priority 0; policy accept;
		jump blocked
	}
	chain output {
		type filter hook output priority 0; policy accept;
		jump blocked
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		jump blocked
		ct state established,related accept
		iifname { "world", "dmz" } oifname { "world", "dmz" } accept
		iifname "inside" oifname { "inside", "dmz" } accept
	}
}
"""


walled = set()  # hosts with a wall of their own


def address(host):
    network, last = HOSTS[host]
    return f"{NETWORKS[network]}.{last}"


def address6(host):
    network, last = HOSTS[host]
    return f"{NETWORKS6[network]}:{last}"


def enter(argv, keep_fds=()):
    """Runs this program again inside namespaces of its own; returns its exit status."""
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--pid", "--kill-child",
               "--mount", "--net", "--mount-proc", sys.executable, *argv, "--inside"]
    process = subprocess.Popen(command, pass_fds=keep_fds)
    try:
        return process.wait()
    except KeyboardInterrupt:
        pass
    try:
        return process.wait(INTERRUPTED)  # from a terminal, the runner inside got it too
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        process.kill()  # and with it all that is inside
        return 130


def run(*command, stdin=None):
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def inside(host, *command):
    """The command line that runs `command` on that host."""
    return ["ip", "netns", "exec", host, *command]


def build():
    """The three networks, their hosts and the firewall."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    RUN.mkdir()
    (RUN / "resolv.conf").write_text(f"nameserver {address('dns')}\n")
    (RUN / "hosts").write_text("127.0.0.1 localhost\n")
    for name in ("resolv.conf", "hosts"):
        if os.path.exists(f"/etc/{name}"):
            run("mount", "--bind", str(RUN / name), f"/etc/{name}")

    run("ip", "link", "set", "lo", "up")
    for network, prefix in NETWORKS.items():
        run("ip", "link", "add", network, "type", "bridge")
        run("ip", "link", "set", network, "up")
        add_address(f"{prefix}.1/24", network)
        add_address(f"{NETWORKS6[network]}:1/64", network)
    for extra in [SLOW_DNS, *PEERS]:
        add_address(f"{extra}/24", "world")
    for extra in PEERS6:
        add_address(f"{extra}/64", "world")
    for name in HOSTS:
        add_host(name)
    add_address(f"{OUTER}/24", "eth0", "edge2")
    for host, own in MANAGEMENT.items():
        add_address(f"{own}/24", "eth0", host)
    setting("net/ipv4/ip_forward", 1)
    setting("net/ipv6/conf/all/forwarding", 1)
    for table in ("iptables", "ip6tables", "arptables"):
        setting(f"net/bridge/bridge-nf-call-{table}", 0)
    run("nft", "-f", "-", stdin=FIREWALL)


def add_address(with_bits, device, host=None):
    """At once usable: IPv6 would otherwise look for a second owner first."""
    command = ("ip", "addr", "add", with_bits, "dev", device,
               *(["nodad"] if ":" in with_bits else []))
    run(*(inside(host, *command) if host else command))


def add_host(name):
    network, _ = HOSTS[name]
    run("ip", "netns", "add", name)
    run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
    run("ip", "link", "set", name, "master", network, "up")
    for device in ("lo", "eth0"):
        run(*inside(name, "ip", "link", "set", device, "up"))
    add_address(f"{address(name)}/24", "eth0", name)
    add_address(f"{address6(name)}/64", "eth0", name)
    for gateway in (f"{NETWORKS[network]}.1", f"{NETWORKS6[network]}:1"):
        run(*inside(name, "ip", "route", "add", "default", "via", gateway))


def setting(path, value):
    file = pathlib.Path("/proc/sys") / path
    if file.exists():
        file.write_text(f"{value}\n")


def block_port(port, host="edge"):
    """Drops everything towards that TCP port of a host, also on established connections."""
    for own in (address(host), address6(host)):
        drop(f"{family(own)} daddr {own} tcp dport {port}",
             f"{family(own)} saddr {own} tcp dport {port}")


def block_address(own):
    """Drops everything from and to that address, also on established connections."""
    drop(f"{family(own)} saddr {own}", f"{family(own)} daddr {own}")


def family(own):
    return "ip6" if ":" in own else "ip"


def drop(*matches):
    run("nft", "-f", "-", stdin="".join(
        f"add rule inet firewall blocked {match} drop\n" for match in matches))


def wall(host, port, verdict="drop"):
    """On the host itself, for who is in the same network: what comes for that TCP port is dropped,
    or with verdict `reject with tcp reset` refused, and what leaves from it as well."""
    run(*inside(host, "nft", "-f", "-"), stdin=f"""
table inet wall {{
	chain input {{
		type filter hook input priority 0; policy accept;
		tcp dport {port} {verdict}
	}}
	chain output {{
		type filter hook output priority 0; policy accept;
		tcp sport {port} {"tcp flags & rst == 0" if verdict != "drop" else ""} drop
	}}
}}
""")
    walled.add(host)


def let_ask(network):
    """Lets that network ask the name servers in the world, until `unblock`."""
    run("nft", "-f", "-", stdin=f'add rule inet firewall blocked iifname "{network}" '
        'oifname "world" udp dport 53 accept\n')


def unblock():
    run("nft", "flush", "chain", "inet", "firewall", "blocked")
    while walled:
        run(*inside(walled.pop(), "nft", "flush", "ruleset"))


def reset_connections(host, port, to=None):
    """Aborts that host's TCP connections to a port (of one other host, or of an IPv4 address):
    both ends see a reset. Returns how many."""
    if not to:
        return kill_sockets(host, "dport", "=", f":{port}")
    ends = [address(to), f"[{address6(to)}]"] if to in HOSTS else [to]
    return sum(kill_sockets(host, "dst", f"{end}:{port}") for end in ends)


def reset_accepted(host, port):
    """Aborts the connections that came in to that port of the host."""
    return kill_sockets(host, "sport", "=", f":{port}")


def kill_sockets(host, *which):
    out = run(*inside(host, "ss", "--no-header", "--tcp", "--kill", *which))
    return len(out.splitlines())
