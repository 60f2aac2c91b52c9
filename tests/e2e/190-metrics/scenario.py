"""`sallyport metrics` on all three nodes, after messages both ways and one that bounces: the
reference parser takes it as OpenMetrics, promtool finds nothing to say, and every name that
packaging/ and docs/metrics.md use is in it."""
import json
import pathlib
import re
import subprocess
import tempfile

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lib.process import together
from lib.talk import both_ways

ROOT = pathlib.Path(__file__).resolve().parents[3]
SUFFIXES = {"counter": ["_total"], "info": ["_info"], "histogram": ["_bucket", "_count", "_sum"],
            "gauge": [""]}


async def run(stage):
    alice, bob, _ = await stage.alice_and_the_world()
    await both_ways(alice, bob)
    alice.say("nobody@no-such.example", "back to me")
    await alice.error()
    for node, text in zip(stage.site.nodes,
                          await together(*(node.ctl("metrics") for node in stage.site.nodes))):
        families = {f.name: f for f in text_string_to_metric_families(text)}
        build = families["sallyport_build"].samples[0].labels
        assert (build["node"], build["role"]) == (node.name, node.role), build
        assert value(families, "sallyport_well") == 1, text
        assert value(families, "sallyport_stanzas_taken_total") >= 2, text
        promtool(classic(text), "check", "metrics")
        names = {f.name + suffix for f in families.values() for suffix in SUFFIXES[f.type]}
        names |= {f.name for f in families.values() if f.type == "histogram"}
        names_are_there(names)
        if node is stage.home:  # where it entered
            assert value(families, "sallyport_bounces_total", cause="no-such-domain") >= 1, text
        if node is stage.edge:
            edge_counts(families)
            queries_can_be_read()
    promtool(None, "check", "rules", ROOT / "packaging/prometheus/sallyport.rules.yml")
    promtool(None, "test", "rules", ROOT / "packaging/prometheus/sallyport.rules.test.yml")


def value(families, name, **labels):
    """The sum of the samples with these labels."""
    return sum(s.value for f in families.values() for s in f.samples
               if s.name == name and labels.items() <= s.labels.items())


def edge_counts(families):
    for direction in ("in", "out"):
        assert value(families, "sallyport_streams", direction=direction, state="ready") >= 1
        assert value(families, "sallyport_stream_setups_total", direction=direction,
                     result="ready") >= 1
        assert value(families, "sallyport_stream_setup_seconds_count", direction=direction) >= 1
        assert value(families, "sallyport_world_stanzas_total", direction=direction) >= 1
    assert value(families, "sallyport_stanza_latency_seconds_count") >= 1
    assert value(families, "sallyport_other_total") == 0, families["sallyport_other"].samples
    assert value(families, "sallyport_certificate_end_timestamp_seconds", setting="tls.certificate") > 0


def promtool(text, *words):
    done = subprocess.run(["promtool", *map(str, words)], input=text, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 and not (text and done.stderr), (
        f"promtool {words}: {done.stdout}{done.stderr}")


def classic(text):
    """As Prometheus' older text format, which is all that promtool reads."""
    lines = []
    for line in text.splitlines():
        words = line.split(" ", 3)
        if words[0] == "#" and words[1] in ("EOF", "UNIT"):
            continue
        if words[0] == "#":
            kind = re.search(rf"# TYPE {words[2]} (\w+)", text).group(1)
            name = words[2] + {"counter": "_total", "info": "_info"}.get(kind, "")
            words[2:] = [name, "gauge" if words[3] == "info" else words[3]]
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def dashboard_queries():
    board = json.loads((ROOT / "packaging/grafana/sallyport.json").read_text(encoding="utf-8"))
    queries = [t["expr"] for panel in board["panels"] for t in panel["targets"]]
    assert len(queries) > 15
    return queries


def names_are_there(names):
    used = {"rules": (ROOT / "packaging/prometheus/sallyport.rules.yml").read_text("utf-8"),
            "dashboard": "\n".join(dashboard_queries()),
            "docs/metrics.md": (ROOT / "docs/metrics.md").read_text("utf-8")}
    for where, text in used.items():
        for name in re.findall(r"\bsallyport_[a-z0-9_]+", text):
            assert name in names, f"{where}: {name} is no metric"
    for name in names:
        base = re.sub("_(bucket|count|sum)$", "", name)
        assert base in used["docs/metrics.md"] or name in used["docs/metrics.md"], (
            f"docs/metrics.md does not have {name}")


def queries_can_be_read():
    """Prometheus parses every query of the dashboard."""
    rules = [{"record": f"x:{i}", "expr": query.replace("$__rate_interval", "5m")
              .replace("$instance", ".*")} for i, query in enumerate(dashboard_queries())]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # JSON is YAML
        file.flush()
        promtool(None, "check", "rules", file.name)
