"""A bad value is refused whole, with a sentence that names setting, value and reason; nothing
changes, and the node goes on. Secrets are never in the answer."""
from lib.process import together


BAD = [  # name, values, what the answer must name
    ("federation.security_mode", ["sometimes"], "sometimes"),
    ("federation.enabled", ["maybe"], "maybe"),
    ("federation.privacy_mode", ["off", "deny-list"], ""),
    ("federation.allow_list", ["good.example", "bad..example"], "bad..example"),
    ("federation.allow_list", ["twice.example", "twice.example"], "twice.example"),
    ("federation.static_routes", ["a.example 198.51.100.1 5269 1", "b.example 198.51.100.1 70000 1"],
     "70000"),
    ("federation.static_routes", ["a.example 198.51.100.1"], ""),
    ("domains", ["home.example on", "other.example perhaps"], "perhaps"),
    ("dns.servers", ["ns.example"], "ns.example"),
    ("dial.allowed_networks", ["198.51.100.0/33"], "198.51.100.0/33"),
    ("limits.queue_seconds", ["0"], "0"),
    ("limits.queue_seconds", ["-1"], "-1"),
    ("limits.queue_seconds", ["1e3"], "1e3"),
    ("limits.queue_stanzas", ["99999999999999999999"], "99999999999999999999"),
    ("tls.certificate", ["not a certificate"], ""),
    ("tls.private_key", ["not a key"], ""),
    ("log.levels", ["no.such.module debug"], "no.such.module"),
    ("federation.nonsense", ["on"], "federation.nonsense"),
]
SECRET = "too-short-key"


async def run(stage):
    await stage.nodes()
    edge = stage.edge
    before = await edge.ctl("config", "show")
    marks = stage.site.marks()
    for name, values, value in BAD:
        status, out = await edge.try_ctl("config", "set", name, *values)
        assert status != 0, f"{name} {values} was taken"
        assert name in out and value in out, f"{name} {values}: {out!r}"
        reason = out.replace(name, "").replace(value, "")
        assert len(reason.split()) >= 3, f"no reason: {out!r}"
    status, out = await edge.try_ctl("config", "set", "federation.dialback_secret", SECRET)
    assert status != 0 and "federation.dialback_secret" in out, out
    assert SECRET not in out, out
    assert await edge.ctl("config", "show") == before, "something was changed"

    seen = edge.events("config.refused", since=marks[edge.name])
    assert len(seen) >= len(BAD) - 1, f"{len(seen)} refusals are in the log"
    assert not any(SECRET in event.detail for event in seen), "the secret is in the log"
    assert not edge.events("snapshot.taken", since=marks[edge.name])
    await together(only_there(stage.core), only_there(stage.home))


async def only_there(node):
    """Settings that another role has."""
    for name, value in (("federation.security_mode", "no-tls"),
                        ("federation.privacy_mode", "deny-list"),
                        ("federation.deny_list", "denied.example")):
        status, out = await node.try_ctl("config", "set", name, value)
        assert status != 0 and name in out, out
