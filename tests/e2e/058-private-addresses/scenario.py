"""A public record that names a loopback, private or otherwise special address, or our own
listener, is not dialled, neither to deliver nor to verify, unless dial.allowed_networks says so."""

from lib import topology
from lib.peer import db_error
from lib.process import together

ADDRESSES = ["127.0.0.1", "127.9.9.9", "10.9.3.4", "192.168.1.1", "172.16.0.1", "169.254.169.254",
             "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", topology.address("edge"),
             "::1", "::", "::ffff:127.0.0.1", "fe80::1", "fd00::1", "ff02::1", "64:ff9b::a09:304",
             "2002:a09:304::1", topology.address6("home"), topology.address6("edge")]
TEXT = "the domain's server has no public address"


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    domains = [f"private{number}.example" for number in range(len(ADDRESSES))]
    for domain, address in zip(domains, ADDRESSES):
        await stage.domain(domain, address)
    claimant = await stage.peer("claimant.example")
    mark = stage.edge.mark()
    await together(*(refused(alice, domain) for domain in domains),
                   *(not_verified(claimant, domain) for domain in domains[::4]))
    for address in ADDRESSES:
        tried = stage.edge.events("s2s.out.attempt", address, since=mark)
        assert not any(event.fields["address"].startswith((f"{address}:", f"[{address}]:"))
                       for event in tried), f"{address} was dialled"

    await stage.edge.set("dial.allowed_networks")
    meant = await stage.peer("meant.example", "meant-too.example")
    await refused(alice, "meant.example")
    assert not meant.served, "it was dialled"
    await stage.edge.set("dial.allowed_networks", f"{meant.address}/32")
    alice.say("x@meant-too.example", "now it is meant")
    await meant.message("now it is meant")


async def refused(alice, domain):
    alice.say(f"x@{domain}", "hello")
    error = await alice.wait_for(
        lambda s: s.name == "message" and s["type"] == "error" and s["from"].domain == domain,
        what=f"error from {domain}")
    assert error["error"]["condition"] == "remote-server-not-found", error
    assert error["error"]["text"] == TEXT, f"{domain}: {error['error']['text']}"


async def not_verified(claimant, domain):
    stream = await claimant.connect("home.example")
    verdict = await stream.prove(domain, "home.example", "0" * 64)
    assert verdict == "error", f"{domain}: {verdict}"
    error = db_error(stream.elements[stream.place - 1])
    assert error == "remote-server-not-found", f"{domain}: {error}"
