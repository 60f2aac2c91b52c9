"""The JSON API is what its description says: every path of openapi.json is asked, at every node,
and every answer validated against it. Live events show a change within 3 seconds."""
import functools
import json
import time

import jsonschema

from lib.process import together
from lib.talk import both_ways
from lib.web import API, Web, account, patiently

DEADLINE = 150.0
PASSWORD = "a-good-password"
CHANGE_SHOWS = 3.0
# What is asked where the description leaves something open.
ARGUMENTS = {"domain": "prosody.example", "name": "nothing.pcapng"}
BODIES = {
    API + "login": ({"name": "anna", "password": PASSWORD}, 200),
    API + "welcome": ({"token": "A" * 22, "password": PASSWORD}, 403),
    API + "command": ({"command": ["status"]}, 200),
    API + "password": ({"old": "wrong", "new": PASSWORD + "2"}, 403),
    API + "logout": ({}, 204),
}
# What another part of the node may not have; then it says so.
PERHAPS = {API + "diag/bundle": 503, API + "captures/{name}": 503}
EVENTS = {"status": "Status", "log": "Event"}


async def run(stage):
    alice, bob, _ = await stage.alice_and_the_world()
    await both_ways(alice, bob)
    people = await together(*(account(node, "anna", "admin", PASSWORD)
                              for node in stage.site.nodes))
    for web in people:
        description = (await web.get("openapi.json")).json
        check = Check(description)
        await live(web, check)
        await every_path(web, check)
        await mistakes(web, check)
    for node in stage.site.nodes:
        await node.ctl("account", "remove", "anna")


class Check:
    """Answers against the description."""

    def __init__(self, description):
        schemas = description["components"]["schemas"]
        jsonschema.Draft202012Validator.check_schema({"$defs": schemas})
        self.description = description
        self.asked = set()

    def schema(self, name_or_schema, value):
        schema = {"$ref": f"#/components/schemas/{name_or_schema}"} \
            if isinstance(name_or_schema, str) else name_or_schema
        resolver = jsonschema.RefResolver.from_schema(self.description)
        jsonschema.Draft202012Validator(schema, resolver=resolver).validate(value)

    def operation(self, path, method):
        return self.description["paths"][path][method]

    def answer(self, path, method, answer):
        """It is one of those that the description knows, and of its form."""
        self.asked.add((path, method))
        known = self.operation(path, method)["responses"]
        assert str(answer.status) in known, f"{method} {path}: {answer}"
        told = known[str(answer.status)]
        if "$ref" in told:
            told = self.description["components"]["responses"][told["$ref"].split("/")[-1]]
        kind = answer.headers.get("content-type")
        assert (kind is None) == ("content" not in told), f"{method} {path}: {answer.headers}"
        if kind is None:
            return
        assert kind in told["content"], f"{method} {path}: {kind}"
        if "schema" in told["content"][kind]:
            try:
                self.schema(told["content"][kind]["schema"], answer.json)
            except jsonschema.ValidationError as wrong:
                raise AssertionError(f"{method} {path}: {wrong.message} at "
                                     f"{list(wrong.absolute_path)}") from None


async def every_path(web, check):
    """What ends the session is the last."""
    paths = sorted(check.description["paths"].items(), key=lambda item: "logout" in item[0])
    for path, methods in paths:
        for method in methods:
            if path == API + "live":
                continue  # see live()
            if method == "get":
                answer = await web.ask(path.format(**ARGUMENTS), "--compressed")
                assert answer.status in (200, PERHAPS.get(path)), f"{path}: {answer}"
            else:
                body, status = BODIES[path]
                # a scenario before this one may have guessed
                answer = await patiently(functools.partial(web.post, path.removeprefix(API), body))
                assert answer.status == status, f"{path}: {answer}"
                if path == API + "login":
                    web.csrf = answer.json["csrf"]
            check.answer(path, method, answer)
    everything = {(path, method) for path, methods in check.description["paths"].items()
                  for method in methods} - {(API + "live", "get")}
    assert check.asked == everything, everything - check.asked
    for path, method in sorted(everything):  # nobody is logged in any more
        if check.operation(path, method).get("security") == []:
            continue
        answer = await (web.ask(path.format(**ARGUMENTS)) if method == "get" else
                        web.post(path.removeprefix(API), BODIES[path][0]))
        assert answer.status == 401, f"{path}: {answer}"
        check.answer(path, method, answer)


async def mistakes(web, check):
    answer = await patiently(lambda: web.log_in("anna", PASSWORD))
    assert answer.status == 200, answer
    for path, query in (("log", "last=0"), ("log", "last=10001"), ("log", "level=loud"),
                        ("log", "before=x"), ("series", "minutes=361"), ("series", "minutes=-1")):
        answer = await web.get(f"{path}?{query}")
        assert answer.status == 400, (query, answer)
        check.answer(API + path, "get", answer)
    for path in ("nothing", "why/", "why/a/b", "statusx", "../status"):
        answer = await web.get(path, "--path-as-is")
        assert answer.status == 404, (path, answer)
    assert (await web.get("why/%zz")).status == 400
    assert (await web.get("captures/..%2Fetc")).status == 400
    for body in ("", "{", "[]", "{}", '{"command":[]}', '{"command":"status"}', '{"command":[1]}',
                 '{"command":["status"],"more":1}', "[" * 100, '{"command":["\\u0000"]}'):
        answer = await web.post("command", body)
        assert answer.status == 400, (body, answer)
        check.answer(API + "command", "post", answer)
    for words, status in ((["nothing"], 2), (["config", "get", "nothing"], 1), (["config"], 2)):
        answer = await web.command(*words)
        assert answer.status == 200 and answer.json["status"] == status, (words, answer)
        check.answer(API + "command", "post", answer)
    events = (await web.get("log?last=5&module=network.admin")).json
    assert len(events["events"]) == 5, events
    assert all(event["module"] == "network.admin" for event in events["events"]), events
    older = (await web.get(f"log?last=2&before={events['events'][0]['seq']}")).json
    assert older["events"][-1]["seq"] < events["events"][0]["seq"], older
    await long_bodies(web)


async def long_bodies(web):
    """A file of settings may be 16 MiB long, and nothing else."""
    file = web.jar.with_suffix(".json")
    for words, status in ((["config", "apply", "--dry-run", "# " + "x" * (2 << 20) + "\n"], 200),
                          (["config", "set", "limits.sessions", "9" * (2 << 20)], 413)):
        file.write_text(json.dumps({"command": words}))
        answer = await web.post("command", f"@{file}")
        assert answer.status == status, (words[:2], answer)
    file.write_text(json.dumps({"command": ["config", "apply", "x" * (17 << 20)]}))
    answer = await web.post("command", f"@{file}", asks_first=True)
    assert answer.status == 413, answer


async def live(web, check):
    """Status and alarms at first and when they change, the log by its filter."""
    view = await web.live("?log=1&module=developer.clusterdb.restapi")
    await view.log.wait_for("^event: status$")
    await view.log.wait_for("^event: alarms$")
    mark, began = view.log.mark(), time.monotonic()
    await web.command("config", "set", "limits.sessions", "99")
    await view.log.wait_for("^data: .*limits.sessions - changed from", mark)
    assert time.monotonic() - began < CHANGE_SHOWS, "the log comes late"

    async def revision():
        line = await view.log.wait_for(r'^data: \{"node".*"revision": ?(\d+)', mark)
        return int(line[1])
    newest = (await web.get("status")).json["revision"]
    while await revision() != newest:
        mark = view.log.lines.index((await view.log.wait_for(r'^data: \{"node"', mark)).string,
                                    mark) + 1
    assert time.monotonic() - began < CHANGE_SHOWS, "the status comes late"
    name = None
    for line in view.log.lines:
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: ") and name in EVENTS:
            check.schema(EVENTS[name], json.loads(line[6:]))
        elif line.startswith("data: "):
            for alarm in json.loads(line[6:]):
                check.schema("Alarm", alarm)
    status = [json.loads(line[6:]) for line in view.log.lines if line.startswith('data: {"node"')]
    assert status and not any("streams" in one or "peers" in one for one in status), status
    await view.stop()
    await web.command("config", "set", "limits.sessions")
    assert (await web.get("live?log=1&level=loud")).status == 400
    assert (await Web(web.node).get("live")).status == 401
