"""Symptoms 16 and 17: nothing passes because no domain of the core is federated, or one partner is
refused because the allow list has no entry for it; the cause is named, switch or entry helps."""
import contextlib

from lib.process import Missing, together, until
from lib.talk import AGAINST_RULES, NO_PART, both_ways, bounces


async def run(stage):
    await stage.nodes()
    alice, bob, carol = await stage.alice_and_the_world()
    await both_ways(alice, bob)
    await no_domain(stage, alice, bob)
    await not_on_the_list(stage, alice, bob, carol)


async def no_domain(stage, alice, bob):
    """Row 16."""
    site = stage.site
    await stage.core.configure("domains", *site.domains("off"))
    await bounces(alice, bob.boundjid.full, NO_PART)
    await told(bob, alice.boundjid.full)
    await stage.core.alarm(90003)
    await stage.core.configure("domains", *site.domains())
    await stage.core.no_alarm(90003)
    await until(site.edge_knows, "the domains on the edge")
    await stage.edge.applied("xconfiguration domains")
    await both_ways(alice, bob)


async def told(sender, to):
    """What Prosody has written to the stream that is just being closed is lost without a word."""
    since = sender.mark()

    async def error():
        sender.say(to, "in")
        with contextlib.suppress(Missing):
            return await sender.error("message", since, 2.0)
    await until(error, f"{sender.boundjid}: an error from {to}")


async def not_on_the_list(stage, alice, bob, carol):
    """Row 17."""
    edge = stage.edge
    await edge.set("federation.allow_list", "prosody.example")
    await edge.set("federation.privacy_mode", "allow-list")
    mark = edge.mark()
    await together(both_ways(alice, bob), bounces(alice, carol.boundjid.bare, AGAINST_RULES))
    await edge.event("policy.decided", "ejabberd.example", since=mark)
    assert edge.log.find("not-on-allow-list", mark), "the cause is not in the log"
    await edge.set("federation.allow_list", "prosody.example", "ejabberd.example")
    await both_ways(alice, carol)
