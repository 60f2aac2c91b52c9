"""Doctor names what became of attempts to reach partners: symptoms 17 and 18 (lists), 20 (record),
22, 23 and 24 (dialback), 28, 30 and 31 (TLS), and partners whose DNS or server does not work."""
import contextlib
import ssl

from lib import doctor, pki, topology
from lib.doctor import Fault
from lib.peer import STANZAS
from lib.process import Missing, until
from lib.talk import AGAINST_RULES, both_ways, bounces

DEADLINE = 600.0


async def run(stage):
    await doctor.site(stage, "dp")
    for name in ("tcp", "step", "dialback"):
        await stage.edge.configure(f"timeouts.{name}", 2)
    await doctor.all_named(stage, [
        Fault(17, not_on_the_list, quick=True),
        Fault(18, chat_domain_not_on_the_list),
        Fault(20, no_record, quick=True),
        Fault(22, key_called_invalid),
        Fault(23, never_an_answer),
        Fault(24, we_are_not_found_there),
        Fault(28, without_tls),
        Fault(30, another_name),
        Fault(31, another_authority),
        Fault(105, record_to_a_private_address),
        Fault(106, nothing_listens),
        Fault(107, does_not_serve_the_domain),
    ])


async def says(stage, domain):
    """alice writes there, and what is tried fails."""
    alice = await stage.client("alice@home.example")
    mark = stage.edge.mark()
    alice.say(f"x@{domain}", "hello")
    await stage.edge.event("s2s.out.failed", domain, since=mark, deadline=15)
    return alice


async def forgiven(stage, domain, peer=None):
    """What is held against that domain is over: a message passes, or the edge forgot it."""
    alice = stage.clients[-1]
    async def arrives():
        alice.say(f"x@{domain}", "after all")  # refused for 2 s after some failures
        await stage.edge.try_ctl("retry", domain)
        with contextlib.suppress(Missing):
            return await peer.message("after all", deadline=1.0) is not None

    if peer:
        await until(arrives, f"a message to {domain}")
    else:
        mark = stage.edge.mark()
        stage.edge.kill("traffic")
        await stage.edge.ready("traffic", mark)
        await stage.core.event("link.up", stage.edge.name, deadline=60)


async def on_list(stage, *domains):
    await stage.edge.configure("federation.allow_list", *domains)
    await stage.edge.configure("federation.privacy_mode", "allow-list")


async def off_list(stage):
    await stage.edge.configure("federation.privacy_mode", "off")
    await stage.edge.configure("federation.allow_list")


async def not_on_the_list(stage):
    alice, carol = (await stage.client("alice@home.example"),
                    await stage.client("carol@ejabberd.example"))
    await on_list(stage, "prosody.example")
    await bounces(alice, carol.boundjid.bare, AGAINST_RULES)
    yield
    await off_list(stage)
    await both_ways(alice, carol)


async def chat_domain_not_on_the_list(stage):
    alice, bob = (await stage.client("alice@home.example"),
                  await stage.client("bob@prosody.example"))
    await on_list(stage, "prosody.example", "ejabberd.example")
    await both_ways(alice, bob)
    await bounces(alice, "room@conference.prosody.example", AGAINST_RULES)
    yield
    await off_list(stage)
    await forgiven(stage, "conference.prosody.example")


async def no_record(stage):
    await says(stage, "nowhere.example")
    yield
    await forgiven(stage, "nowhere.example")


async def key_called_invalid(stage):
    peer = await stage.peer("invalid.example")
    peer.believe = lambda result: "invalid"
    await says(stage, "invalid.example")
    yield
    peer.believe = lambda result: "valid"
    await forgiven(stage, "invalid.example", peer)


async def never_an_answer(stage):
    peer = await stage.peer("mute.example")
    peer.believe = lambda result: None
    await says(stage, "mute.example")
    yield
    peer.believe = lambda result: "valid"
    await forgiven(stage, "mute.example", peer)


async def we_are_not_found_there(stage):
    peer = await stage.peer("blind.example")

    def cannot_find(result):
        peer.served[-1].send(
            f"<db:result from='{result.get('to')}' to='{result.get('from')}' type='error'>"
            f"<error type='cancel'><remote-server-not-found xmlns='{STANZAS}'/></error>"
            "</db:result>")
    peer.believe = cannot_find
    await says(stage, "blind.example")
    yield
    peer.believe = lambda result: "valid"
    await forgiven(stage, "blind.example", peer)


async def without_tls(stage):
    peer = await stage.peer("plain.example", tls="none")
    await says(stage, "plain.example")
    yield
    peer.tls = "offered"
    await forgiven(stage, "plain.example", peer)


def with_files(certificate, key):
    def context(server_side):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side
                              else ssl.PROTOCOL_TLS_CLIENT)
        made.load_cert_chain(certificate, key)
        if not server_side:
            made.load_verify_locations(pki.authority_file())
        return made
    return context


async def another_name(stage):
    peer = await stage.peer("wrong-name.example")
    good, peer.context = peer.context, with_files(*pki.certificate("another-name.example"))
    await says(stage, "wrong-name.example")
    yield
    peer.context = good
    await forgiven(stage, "wrong-name.example", peer)


async def another_authority(stage):
    peer = await stage.peer("unknown-issuer.example")
    good, peer.context = peer.context, with_files(*pki.self_signed("unknown-issuer.example"))
    await says(stage, "unknown-issuer.example")
    yield
    peer.context = good
    await forgiven(stage, "unknown-issuer.example", peer)


async def record_to_a_private_address(stage):
    await stage.domain("private.example", "10.77.0.1")
    await says(stage, "private.example")
    yield
    await forgiven(stage, "private.example")


async def nothing_listens(stage):
    await stage.peer("closed.example", listen=False)
    await says(stage, "closed.example")
    yield
    await forgiven(stage, "closed.example")


async def does_not_serve_the_domain(stage):
    await stage.prosody()
    await stage.domain("elsewhere.example", topology.address("prosody"))
    await says(stage, "elsewhere.example")
    yield
    await forgiven(stage, "elsewhere.example")
