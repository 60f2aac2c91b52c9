"""Who may use the web page: the first comes by a one-time link; passwords are guessed slowly;
viewers look, operators keep it running, administrators change it; a session ends with what it rests on.
The log and the history say who it was, and no password, token or cookie."""
import asyncio
import re
import ssl
import time

from lib import topology
from lib.node import ADMIN_PORT
from lib.process import command, together, until
from lib.web import Web, account, link, patiently

DEADLINE = 120.0
ADMIN, VIEWER, OPERATOR = "first-password", "viewers-password", "operators-password"
SLOW = 5  # failures in a minute, before it slows down


async def run(stage):
    await stage.nodes()
    core = stage.core
    admin, token = await first(core)
    viewer, operator = await together(account(core, "vera", "viewer", VIEWER),
                                      account(core, "otto", "operator", OPERATOR))
    await together(silence(core), others(core, viewer, operator, admin))
    jars = [line.split("\t")[-1] for web in (admin, viewer, operator)
            for line in web.jar.read_text().splitlines() if "__Host-" in line]
    assert jars, "no cookie was kept"
    for secret in (ADMIN, VIEWER, OPERATOR, token, admin.csrf, *jars, "$argon2id$"):
        assert not core.log.find(re.escape(secret)), f"{secret} is in the log"
    for name in ("admin", "vera", "otto"):
        await core.ctl("account", "remove", name)


async def others(core, viewer, operator, admin):
    """While somebody is silent."""
    await roles(core, viewer, operator, admin)
    await forgeries(admin)
    await endings(core, admin)
    await heads(core, admin)
    await tls(core)
    await guesses(core)


def said(name, value):
    """As it stands in the log, where quotes are escaped."""
    return f'{name}=\\"{value}\\"'


async def first(core):
    """Nobody has an account; root prints a link, which is good once."""
    assert (await Web(core).log_in("admin", "")).status == 401
    old, _ = await link(core)
    token, out = await link(core)
    assert await fingerprint(core) in out, out
    web, other = Web(core), Web(core)
    assert (await web.welcome(old, ADMIN)).status == 403, "the older link was good too"
    answer = await web.welcome(token, "short")
    assert answer.status == 400 and "10 characters" in answer.error, answer
    answer = await web.welcome(token, ADMIN)
    assert answer.status == 200 and answer.json["access"] == "admin", answer
    cookie = answer.headers["set-cookie"]
    for part in ("__Host-sallyport=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie, cookie
    session = (await web.get("session")).json
    assert session["node"] == {"name": core.name, "role": "core"}, session
    assert (await other.welcome(token, ADMIN)).status == 403, "a link was good twice"
    assert (await other.log_in("admin", ADMIN)).status == 200
    await core.event("admin.link", said("account", "admin"), "state=used")
    await core.event("admin.login", said("by", "admin"), said("from", topology.address('core')))
    return web, token


async def fingerprint(core):
    pem = ssl.get_server_certificate((topology.address("core"), ADMIN_PORT))
    file = topology.RUN / "admin.pem"
    file.write_text(pem)
    out = topology.run("openssl", "x509", "-in", str(file), "-noout", "-fingerprint", "-sha256")
    return out.strip().split("=")[1]


async def guesses(core):
    """The same words and no answer for long, whether or not the name is somebody's."""
    web = Web(core)

    async def again():
        return (await web.log_in("admin", ADMIN)).status == 200
    words = set()
    for name in ("admin", "nobody"):
        web = Web(core)
        answer = await patiently(lambda: web.log_in(name, "wrong"))
        words.add((answer.status, answer.error))
    assert words == {(401, "the name or the password is wrong")}, words
    await core.event("admin.login.failed", said("by", "nobody"))

    await until(again, "the right password")
    answers = [await web.log_in("admin", f"guess {n}") for n in range(SLOW + 2)]
    slow = [answer for answer in answers if answer.status == 429]
    assert slow, answers
    assert int(slow[-1].headers["retry-after"]) >= 1, slow[-1]
    assert (await web.log_in("admin", ADMIN)).status == 429, "guessing went on"
    assert "wrong passwords" in slow[-1].error

    await until(again, "the right password after the wait", deadline=70.0)


async def roles(core, viewer, operator, admin):
    """Each may what those before may."""
    looks, keeps = ["status"], ["config", "show"]
    changes = ["config", "set", "limits.sessions", "90"]
    for web, may in ((viewer, 1), (operator, 2), (admin, 3)):
        for n, words in enumerate((looks, keeps, changes), 1):
            answer = await web.command(*words)
            if n <= may:
                assert answer.status == 200 and answer.json["status"] == 0, (words, answer)
            else:
                assert answer.status == 403 and "may do that" in answer.error, (words, answer)
    assert (await viewer.get("settings")).status == 403
    assert (await operator.get("settings")).status == 200
    assert (await viewer.get("log")).status == 403 and (await operator.get("log")).status == 200
    assert (await operator.get("accounts")).status == 403
    retried = await operator.command("retry", "prosody.example")
    assert retried.status == 200, retried
    assert (await viewer.command("retry", "prosody.example")).status == 403

    history = await core.ctl("config", "history")
    assert re.search(r" admin: limits\.sessions .* to 90", history), history
    address = topology.address("core")
    await core.event("admin.request", said("by", "admin"), said("from", address), "config set")
    await core.event("admin.refused", said("by", "vera"), said("from", address), "config set")
    await core.ctl("config", "set", "limits.sessions", "100")


async def forgeries(admin):
    """What another site could make a browser send."""
    change = {"command": ["config", "set", "limits.sessions", "80"]}
    assert (await admin.post("command", change, csrf=False)).status == 403
    assert (await admin.post("command", change, "--header", "X-Sallyport-CSRF: " + "x" * 43,
                             csrf=False)).status == 403
    for header in ("Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site",
                   "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: none"):
        assert (await admin.post("command", change, "--header", header)).status == 403, header
    answer = await admin.post("command", change, "--header", f"Origin: {admin.url}", "--header",
                              "Sec-Fetch-Site: same-origin")
    assert answer.status == 200, answer
    for header in ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"):
        answer = await Web(admin.node).post("login", {"name": "admin", "password": ADMIN},
                                            "--header", header)
        assert answer.status == 403, answer


async def endings(core, admin):
    """Log-out, another role, another password, no account."""
    web = await account(core, "emma", "operator", "emmas-password")
    assert (await web.post("logout", {}, csrf=False)).status == 403
    assert (await web.post("logout", {})).status == 204 and not await web.is_in()

    async def out():
        return not await web.is_in()

    async def back(password="emmas-password"):
        assert (await patiently(lambda: web.log_in("emma", password))).status == 200
    await back()
    view = await web.live()
    await view.log.wait_for("event: status")
    assert (await admin.command("account", "add", "emma", "viewer")).json["status"] == 0
    await until(out, "the end of a session whose account has another role")
    await view.log.wait_for(r"ended with status 0")
    await core.event("admin.logout", said("by", "emma"), "another role")

    await back()
    other = Web(core)
    assert (await patiently(lambda: other.log_in("emma", "emmas-password"))).status == 200
    change = {"old": "no", "new": "emmas-new-password"}
    wrong = await patiently(lambda: other.post("password", change))
    assert wrong.status == 403, wrong
    change["old"] = "emmas-password"
    changed = await patiently(lambda: other.post("password", change))
    assert changed.status == 204, changed
    await until(out, "the end of the other session when the password changes")
    assert await other.is_in(), "who changed the password was logged out"
    old = await patiently(lambda: web.log_in("emma", "emmas-password"))
    assert old.status == 401, old
    await back("emmas-new-password")
    history = await core.ctl("config", "history")
    assert re.search(r" emma: admin\.accounts ", history), history

    await core.ctl("account", "remove", "emma")
    await until(out, "the end of the session of an account that was removed")
    assert not await other.is_in()


async def silence(core):
    """A live view does not keep a session, however often it is opened, nor does what a page asks
    by itself."""
    await core.set("timeouts.session", 30)
    web = await account(core, "silvia", "viewer", "silvias-password")
    view = await web.live()
    began = time.monotonic()
    for _ in range(3):
        await asyncio.sleep(5)
        await view.stop()
        view = await web.live()
        answer = await web.get("status", "--header", "X-Sallyport-Background: 1")
        assert answer.status == 200, answer
    await view.log.wait_for(r"ended with status 0", deadline=80.0)
    assert time.monotonic() - began > 25 and not await web.is_in()
    await core.event("admin.logout", said("by", "silvia"), "silence")
    await core.ctl("account", "remove", "silvia")


async def heads(core, admin):
    page = await admin.ask("/", "--compressed")
    assert page.status == 200 and "<html" in page.body, page
    assert page.headers["content-type"].startswith("text/html"), page.headers
    assert "script-src 'self'" in page.headers["content-security-policy"], page.headers
    again = await admin.ask("/", "--compressed", "--header",
                            f"If-None-Match: {page.headers['etag']}")
    assert again.status == 304 and not again.body, again
    for path in ("/", "/api/v1/session", "/nothing"):
        headers = (await admin.ask(path, "--compressed")).headers
        for name, value in (("content-security-policy", "frame-ancestors 'none'"),
                            ("strict-transport-security", "max-age="),
                            ("referrer-policy", "no-referrer"),
                            ("x-content-type-options", "nosniff"),
                            ("cross-origin-opener-policy", "same-origin"),
                            ("cross-origin-resource-policy", "same-origin")):
            assert value in headers.get(name, ""), (path, name, headers)
    assert (await admin.get("status")).headers["cache-control"] == "no-store"
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        assert (await admin.ask("/api/v1/status", "--request", method)).status == 405, method
    assert (await Web(core).get("status")).status == 401
    metrics = await Web(core).ask("/metrics")
    assert metrics.status == 401, metrics
    await core.set("admin.metrics_token", "the-token-of-prometheus")
    bearer = ("--header", "Authorization: Bearer the-token-of-prometheus")
    metrics = await Web(core).ask("/metrics", *bearer)
    assert metrics.status == 200 and metrics.body.endswith("# EOF\n"), metrics
    assert metrics.headers["content-type"].startswith("application/openmetrics-text"), metrics
    assert (await Web(core).get("status", *bearer)).status == 401, "the token opens more"


async def tls(core):
    """1.2 and 1.3, and nothing older, nothing weak."""
    where = f"{topology.address('core')}:{ADMIN_PORT}"
    for options, well in ((["-tls1_3"], True), (["-tls1_2"], True), (["-tls1_1"], False),
                          (["-tls1"], False),
                          (["-tls1_2", "-cipher", "NULL:EXPORT:RC4:3DES:aNULL"], False)):
        _, out = await command("core", "sh", "-c",
                               f"openssl s_client -connect {where} {' '.join(options)} </dev/null "
                               "2>&1 | cat")
        done = re.search(r"^\s*Cipher\s*:\s*(?!0000)\S{5,}|^New, TLSv1\.[23], Cipher is (?!\(NONE)",
                         out, re.MULTILINE)
        assert bool(done) == well, (options, out)
