"""Doctor names what is wrong with our own domains and switches: symptoms 16, 18, 21, 30, 33, 34, 40
and 41, a resolver that does not answer, modules left at debug, an edge on loopback."""
from lib import doctor, pki, topology
from lib.doctor import Fault
from lib.process import until
from lib.site import DOMAIN, DOMAINS, certificate

DEADLINE = 500.0
CHAT = f"conference.{DOMAIN}"


async def run(stage):
    await doctor.site(stage, "dd")
    await stage.edge.configure("timeouts.tcp", 2)
    await doctor.all_named(stage, [
        Fault(16, no_domain_on, quick=True),
        Fault(18, chat_record_missing),
        Fault(21, own_record_missing, quick=True),
        Fault(21, own_record_to_nowhere),
        Fault(21, own_record_to_another_server),
        Fault(33, route_to_nowhere),
        Fault(34, routes_empty),
        Fault(40, switched_off),
        Fault(41, certificate_ends_soon),
        Fault(41, certificate_has_ended),
        Fault(18, chat_domain_not_in_certificate),
        Fault(30, certificate_of_another_name),
        Fault(104, resolver_is_silent),
        Fault(109, left_at_debug),
    ])


async def no_domain_on(stage):
    site = stage.site
    await site.core.configure("domains", *site.domains("off"))
    yield
    await site.core.configure("domains", *site.domains())
    await until(site.edge_knows, "the domains on the edge")


async def record(stage, domain, address, port=5269):
    """The domain's record leads there instead; None: nowhere."""
    dns = await stage.dns()
    await dns.remove(f"_xmpp-server._tcp.{domain}.")
    if address:
        await dns.add_domain(domain, address, port=port, host=f"other.{domain}")
    await forget(stage)


async def right(stage, domain):
    dns = await stage.dns()
    await dns.remove(f"_xmpp-server._tcp.{domain}.")
    await dns.remove(f"other.{domain}.")
    await dns.add_domain(domain, topology.address("edge"), topology.address6("edge"))
    await forget(stage)


async def forget(stage):
    """What the edge's resolver has learnt."""
    mark = stage.edge.mark()
    stage.edge.kill("resolver")
    await stage.edge.ready("resolver", mark)


async def chat_record_missing(stage):
    await record(stage, CHAT, None)
    yield
    await right(stage, CHAT)


async def own_record_missing(stage):
    await record(stage, DOMAIN, None)
    yield
    await right(stage, DOMAIN)


async def own_record_to_nowhere(stage):
    await record(stage, DOMAIN, topology.PEERS[-1])
    yield
    await right(stage, DOMAIN)


async def own_record_to_another_server(stage):
    await stage.prosody()
    await record(stage, DOMAIN, topology.address("prosody"))
    yield
    await right(stage, DOMAIN)


async def route_to_nowhere(stage):
    alice = await stage.client("alice@home.example")
    await stage.peer("routed.example")
    edge = stage.edge
    await edge.configure("federation.static_routes", f"routed.example {topology.PEERS[-1]} 5269 1")
    await edge.configure("federation.use_static_routes", "on")
    mark = edge.mark()
    alice.say("x@routed.example", "by the dead route")
    await edge.event("s2s.out.failed", "routed.example", since=mark)
    yield
    await edge.configure("federation.use_static_routes", "off")
    await edge.configure("federation.static_routes")
    alice.say("x@routed.example", "by DNS")
    await edge.ctl("retry", "routed.example")
    await edge.event("s2s.out.ready", "routed.example", since=mark)


async def routes_empty(stage):
    await stage.edge.configure("federation.use_static_routes", "on")
    yield
    await stage.edge.configure("federation.use_static_routes", "off")


async def switched_off(stage):
    marks = stage.site.marks()
    await stage.edge.configure("federation.enabled", "off")
    await stage.site.followed("off", marks)
    yield
    marks = stage.site.marks()
    await stage.edge.configure("federation.enabled", "on")
    await stage.site.followed("on", marks)


async def certificate_ends_soon(stage):
    await with_certificate(stage, *DOMAINS, days=7)
    yield
    await stage.edge.configure("tls.certificate", certificate())


async def certificate_has_ended(stage):
    await with_certificate(stage, *DOMAINS, days=-1)
    yield
    await stage.edge.configure("tls.certificate", certificate())


async def chat_domain_not_in_certificate(stage):
    await with_certificate(stage, DOMAIN, days=29)  # which gives it a file of its own
    yield
    await stage.edge.configure("tls.certificate", certificate())


async def certificate_of_another_name(stage):
    await with_certificate(stage, "another-name.example")
    yield
    await stage.edge.configure("tls.certificate", certificate())


async def with_certificate(stage, *names, **options):
    await stage.edge.configure("tls.certificate", f"@{pki.with_key(*names, **options)}")


async def resolver_is_silent(stage):
    relay = (await stage.dns()).relay
    relay.lose = True
    await forget(stage)
    yield
    relay.lose = False
    await forget(stage)


async def left_at_debug(stage):
    await stage.home.configure("log.levels", "network.link debug")
    yield
    await stage.home.configure("log.levels")
