"""`sallyport why` for a domain that works both ways shows the whole ladder, on the edge and on the
core that asks it; a home node says whom to ask, and a domain never talked to what would be done."""
import json

from lib.process import until


async def run(stage):
    alice, bob, _ = await stage.alice_and_the_world()
    alice.say(bob.boundjid.full, "there")
    await bob.message("there")
    bob.say(alice.boundjid.full, "and back")
    await alice.message("and back")

    ladder(await data(stage.edge, "why", "prosody.example"), stage.edge)
    core = await data(stage.core, "why", "prosody.example")
    ladder(core, stage.core)
    assert [node["node"] for node in core["nodes"]] == [stage.edge.name], core["nodes"]
    home = await data(stage.home, "why", "prosody.example")
    assert home["verdict"] == "never" and stage.core.name in home["headline"], home

    never = await data(stage.edge, "why", "never.example")
    assert (never["verdict"], never["attempts"]) == ("never", []), never
    assert "by the DNS" in never["headline"], never
    assert all(row["verdict"] == "allowed" for row in never["policy"]), never
    status, out = await stage.edge.try_ctl("why", "not a domain")
    assert status == 1 and "not a domain" in out, out

    text = await stage.edge.ctl("why", "prosody.example")
    assert text.startswith("prosody.example is reached, and reaches us\n"), text
    assert max(map(len, text.splitlines())) <= 80, text
    await known_to_the_status(stage)


def ladder(why, node):
    assert why["node"] == node.name, why
    assert (why["verdict"], why["failure"]) == ("up", None), why
    out = newest(why, "out")
    names = [step["name"] for step in out["steps"]]
    wanted = ["policy", "dns", "tcp", "stream", "features", "starttls", "tls", "certificate",
              "stream", "features", "dialback", "verify", "dialback", "ready"]
    assert subsequence(wanted, names), names
    assert not [step for step in out["steps"] if step["verdict"] == "bad"], out
    text = " | ".join(step["text"] for step in out["steps"])
    for part in ("SRV _xmpp-server._tcp.prosody.example: 0 5 5269 xmpp.prosody.example",
                 "A xmpp.prosody.example: 198.51.100.10", "connected to 198.51.100.10:5269",
                 "TLSv1.3", "they ask us about the key: it is ours", "type='valid'"):
        assert part in text, (part, text)
    times = [step["at_ms"] for step in out["steps"]]
    assert times == sorted(times), times
    assert times[names.index("ready")] == out["took_ms"], (times, out["took_ms"])
    into = newest(why, "in")
    names = [step["name"] for step in into["steps"]]
    assert subsequence(["tcp", "stream", "features", "starttls", "tls", "certificate", "stream",
                        "features", "dialback", "verify", "verify", "ready", "dialback"],
                       names), names


def newest(why, direction):
    return next(a for a in why["attempts"] if a["direction"] == direction
                and any(step["name"] == "ready" for step in a["steps"]))


def subsequence(wanted, names):
    rest = iter(names)
    return all(name in rest for name in wanted)


async def known_to_the_status(stage):
    """The same domain in the records of the status."""
    async def there():
        status = await stage.edge.told("status")
        peer = next((p for p in status["peers"] if p["domain"] == "prosody.example"), None)
        return status if peer and (peer["out"], peer["in"]) == ("ready", "ready") else None
    status = await until(there, "peer prosody.example ready both ways")
    stream = next(s for s in status["streams"] if s["remote"] == "prosody.example"
                  and s["direction"] == "out" and s["state"] == "ready")
    assert stream["address"] == "198.51.100.10:5269" and stream["bytes"] > 0, stream
    assert stream["certificate"] == "valid" and stream["cipher"].startswith("TLS_"), stream
    counters = status["counters"]
    assert int(counters["stanzas.in"]) > 0 and int(counters["stanzas.out"]) > 0, counters
    assert int(counters["setups.out.ready"]) > 0 and int(counters["tls.1.3"]) > 0, counters
    ends = {h["name"]: h["count"] for h in status["histograms"] if h["le"] == "+Inf"}
    assert set(ends) == {"setup_in", "setup_out", "latency"} and all(ends.values()), ends


async def data(node, verb, *words):
    """The answer as data."""
    return json.loads(await node.ctl(verb, "--json", *words))
