"""For a domain that fails by DNS, TCP, TLS, certificate, stream, dialback or a rule, `why` names
that cause in one sentence, with the fix and what was seen; on the core as on the edge."""
import json
import ssl

from lib import pki, topology
from lib.process import together, until

DEADLINE = 120


async def run(stage):
    await stage.nodes()
    alice = await stage.client("alice@home.example")
    await stage.edge.set("timeouts.tcp", 2)
    await together(
        no_such_domain(stage, alice), no_service(stage, alice), nobody_listens(stage, alice),
        a_wall(stage, alice), broken_tls(stage, alice), wrong_name(stage, alice),
        no_tls(stage, alice), another_host(stage, alice), key_refused(stage, alice),
        next_address(stage, alice))
    await refused_by_rule(stage, alice)


async def named(stage, alice, domain, failure, headline, *seen):
    """A message to it, and then why; what `seen` has is in the ladder, and in what was seen."""
    alice.say(f"x@{domain}", f"to {domain}")

    async def there():
        why = await data(stage.edge, "why", domain)
        return why if why["failure"] else None
    why = await until(there, f"failure of {domain}", 25)
    assert (why["verdict"], why["failure"]) == ("failed", failure), why
    assert headline in why["headline"] and why["headline"].startswith(domain), why["headline"]
    assert len(why["cause"]) > 10 and len(why["fix"]) > 10, why
    bad = [step["text"] for step in why["attempts"][0]["steps"] if step["verdict"] == "bad"]
    assert bad, why["attempts"][0]
    for part in seen:
        assert any(part in text for text in [why["seen"], *bad]), (part, why["seen"], bad)
    core = await data(stage.core, "why", domain)
    assert core["failure"] == failure and headline in core["headline"], core
    return why


async def no_such_domain(stage, alice):
    why = await named(stage, alice, "nowhere.example", "no-such-domain",
                      "does not exist or has no XMPP server")
    assert why["attempts"][0]["steps"][1]["text"].startswith(
        "SRV _xmpp-server._tcp.nowhere.example: no such name"), why


async def no_service(stage, alice):
    dns = await stage.dns()
    await dns.add("_xmpp-server._tcp.without.example. 60 IN SRV 0 0 0 .")
    await named(stage, alice, "without.example", "no-service", "says that it has no XMPP server")


async def nobody_listens(stage, alice):
    peer = await stage.peer("deaf.example", listen=False)
    await named(stage, alice, "deaf.example", "tcp-refused", "refuses connections",
                f"{peer.address}:5269", "refused")


async def a_wall(stage, alice):
    peer = await stage.peer("walled.example")
    topology.block_address(peer.address)
    await named(stage, alice, "walled.example", "tcp-timeout", "does not answer",
                f"{peer.address}:5269")


async def broken_tls(stage, alice):
    peer = await stage.peer("broken-tls.example", listen=False)
    accept = peer.accept

    def no_tls_record():
        stream = accept()

        def begin_tls(*_args, **_options):
            stream.take = lambda _: stream.transport.write(b"this is no TLS record\r\n")
        stream.begin_tls = begin_tls
        return stream
    peer.accept = no_tls_record
    await peer.listen()
    await named(stage, alice, "broken-tls.example", "tls-failed", "no secure connection")


async def wrong_name(stage, alice):
    peer = await stage.peer("other-name.example")

    def context(server_side):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side
                                 else ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(*pki.certificate("another.example"))
        return context
    peer.context = context
    why = await named(stage, alice, "other-name.example", "certificate-refused",
                      "no valid certificate")
    steps = {step["name"]: step for step in why["attempts"][0]["steps"]}
    assert steps["tls"]["verdict"] == "ok" and steps["certificate"]["verdict"] == "bad", steps


async def no_tls(stage, alice):
    await stage.peer("clear.example", tls="none")
    await named(stage, alice, "clear.example", "no-tls", "has no encryption")


async def another_host(stage, alice):
    """A server that says that it does not serve the domain, in its own words."""
    peer = await stage.peer("not-mine.example")

    async def serve(stream):
        await stream.got_header()
        stream.send("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream="
                    "'http://etherx.jabber.org/streams' id='1' version='1.0'><stream:error>"
                    "<host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns="
                    "'urn:ietf:params:xml:ns:xmpp-streams'>we do not serve that</text>"
                    "</stream:error></stream:stream>")
    peer.serve = serve
    await named(stage, alice, "not-mine.example", "host-unknown", "does not serve this domain",
                "we do not serve that")


async def key_refused(stage, alice):
    peer = await stage.peer("unbelieving.example")
    peer.believe = lambda result: "invalid"
    why = await named(stage, alice, "unbelieving.example", "dialback-refused",
                      "does not believe that we speak", "invalid")
    assert why["command"] == "sallyport doctor", why


async def next_address(stage, alice):
    """The ladder shows the address that failed before the one that worked."""
    deaf = await stage.peer("second.example", listen=False, dns=False)
    peer = await stage.peer("second.example", dns=False)
    dns = await stage.dns()
    for priority, host in enumerate((deaf, peer), 1):
        await dns.add(f"_xmpp-server._tcp.second.example. 60 IN SRV {priority} 1 5269 "
                      f"host{priority}.second.example.",
                      f"host{priority}.second.example. 60 IN A {host.address}")
    alice.say("x@second.example", "to the second")
    await peer.message("to the second")
    why = await data(stage.edge, "why", "second.example")
    tcp = [(step["verdict"], step["text"]) for step in why["attempts"][0]["steps"]
           if step["name"] == "tcp"]
    assert why["verdict"] == "up", why
    assert [verdict for verdict, _ in tcp] == ["bad", "ok"], tcp
    assert deaf.address in tcp[0][1] and peer.address in tcp[1][1], tcp


async def refused_by_rule(stage, alice):
    await stage.edge.set("federation.deny_list", "denied.example")
    await stage.edge.set("federation.privacy_mode", "deny-list")
    for node in (stage.edge, stage.core):
        why = await data(node, "why", "denied.example")
        assert (why["verdict"], why["failure"]) == ("refused", "on-deny-list"), why
        assert why["headline"].startswith("denied.example is refused here"), why
        assert "federation.deny_list" in why["cause"] + why["fix"], why
    await stage.edge.set("federation.privacy_mode", "off")
    await stage.edge.set("federation.enabled", "off")
    why = await data(stage.edge, "why", "denied.example")
    assert (why["verdict"], why["failure"]) == ("refused", "federation-off"), why
    assert why["command"] == "sallyport config set federation.enabled on", why


async def data(node, verb, *words):
    """The answer as data."""
    return json.loads(await node.ctl(verb, "--json", *words))
