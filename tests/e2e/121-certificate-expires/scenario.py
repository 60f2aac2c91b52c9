"""Symptom 41: the edge's certificate ends in a week, then one that has ended is installed; alarms
40069 and 40068 say so in time and too late, and a good one ends them."""
from lib import pki
from lib.process import together
from lib.site import DOMAINS
from lib.talk import both_ways

EXPIRES, EXPIRED = 40069, 40068


async def run(stage):
    await stage.nodes()
    alice, bob = await together(stage.client("alice@home.example"),
                                stage.client("bob@prosody.example"))
    edge = stage.edge
    await together(edge.no_alarm(EXPIRES), edge.no_alarm(EXPIRED))
    good = edge.settings["tls.certificate"]

    await edge.configure("tls.certificate", f"@{pki.with_key(*DOMAINS, days=7)}")
    alarm = await edge.alarm(EXPIRES)
    assert "tls.certificate" in alarm["subject"] + alarm["seen"], alarm
    await both_ways(alice, bob)

    await edge.configure("tls.certificate", f"@{pki.with_key(*DOMAINS, days=-1)}")
    await edge.alarm(EXPIRED)
    await edge.no_alarm(EXPIRES)

    await edge.configure("tls.certificate", *good)
    await together(edge.no_alarm(EXPIRES), edge.no_alarm(EXPIRED))
    await both_ways(alice, bob)
