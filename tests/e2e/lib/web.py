"""A node's admin port as people and programs meet it: Debian's curl on the node's host, with a jar
for its cookies."""
import asyncio
import dataclasses
import itertools
import json
import re

from . import topology
from .node import ADMIN_PORT
from .process import Process, command

API = "/api/v1/"
numbers = itertools.count(1)


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict  # by name in lower case
    body: str

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]


def read(text):
    """curl --include: heads, an empty line, the body."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    lines = head.split("\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Answer(int(lines[0].split()[1]), headers, body)


class Web:
    """One browser, so to speak."""

    def __init__(self, node):
        self.node = node
        self.url = f"https://{node.address('admin')}:{ADMIN_PORT}"
        self.jar = topology.RUN / f"{node.name}-{next(numbers)}.jar"
        self.csrf = None

    def curl(self, path, *options):
        return ["curl", "--silent", "--show-error", "--insecure", "--cookie", self.jar,
                "--cookie-jar", self.jar, *options, self.url + path]

    async def ask(self, path, *options, deadline=30.0):
        status, out = await command(self.node.host, *self.curl(
            path, "--include", "--max-time", "25", *options), deadline=deadline)
        assert status == 0, f"{path}: curl: {out}"
        return read(out)

    async def get(self, path, *options):
        return await self.ask(API + path, *options)

    async def post(self, path, body, *options, csrf=True, asks_first=False):
        """asks_first: whether the body is wanted, as curl does with long ones by itself."""
        expect = "Expect: 100-continue" if asks_first else "Expect:"
        token = ["--header", f"X-Sallyport-CSRF: {self.csrf}"] if csrf and self.csrf else []
        return await self.ask(API + path, "--header", "Content-Type: application/json",
                              "--header", expect, "--data-binary",
                              body if isinstance(body, str) else json.dumps(body),
                              *token, *options)

    async def enter(self, path, body):
        answer = await self.post(path, body)
        if answer.status == 200:
            self.csrf = answer.json["csrf"]
        return answer

    async def log_in(self, name, password):
        return await self.enter("login", {"name": name, "password": password})

    async def welcome(self, token, password):
        return await self.enter("welcome", {"token": token, "password": password})

    async def command(self, *words):
        return await self.post("command", {"command": words})

    async def is_in(self):
        answer = await self.get("session")
        assert answer.status in (200, 401), answer
        return answer.status == 200

    async def live(self, query=""):
        """Its lines come into `log`; ends with the scenario, or by stop()."""
        return await Process(f"live-{next(numbers)}", self.node.host, self.curl(
            API + "live" + query, "--no-buffer")).start()


async def patiently(ask):
    """Its answer, if need be after the wait that many wrong passwords bring."""
    while (answer := await ask()).status == 429:
        await asyncio.sleep(int(answer.headers["retry-after"]))
    return answer


async def link(node, *name):
    """(token, what was printed) of a one-time link."""
    out = await node.ctl("admin", "link", *name)
    token = re.search(rf"^https://\S+:{ADMIN_PORT}/#/welcome/([A-Za-z0-9_-]{{22}})$", out,
                      re.MULTILINE)
    assert token, out
    return token[1], out


async def patiently(ask):
    """Its answer, if need be after the wait that many wrong passwords bring."""
    while (answer := await ask()).status == 429:
        await asyncio.sleep(int(answer.headers["retry-after"]))
    return answer


async def account(node, name, role, password):
    """Somebody who is logged in, with an account of that role."""
    await node.ctl("account", "add", name, role)
    web = Web(node)
    token, _ = await link(node, name)
    answer = await patiently(lambda: web.welcome(token, password))
    assert answer.status == 200, answer
    return web
