"""The AXL service of a home node as a client that is not ours finds it: Debian's curl on the core's
host, with envelopes written by hand after the published schema. What it writes is what home's
router works by."""
import base64
import dataclasses
import re
import xml.etree.ElementTree as Xml

from lib import topology
from lib.node import AXL_PORT, UUID, row
from lib.process import command
from lib.talk import NOT_SET_UP, both_ways, bounces, passes

DEADLINE = 120.0
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
AXL = "http://www.cisco.com/AXL/API/"
QUERY, UPDATE = "executeSQLQuery", "executeSQLUpdate"
ENVELOPE = f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:ns="{AXL}%(version)s">
 <soapenv:Header/>
 <soapenv:Body>
  <ns:%(operation)s%(attributes)s><sql>%(sql)s</sql></ns:%(operation)s>
 </soapenv:Body>
</soapenv:Envelope>"""
# Another toolkit's way to write the same.
DEFAULT_NAMESPACE = f"""<e:Envelope xmlns:e='{SOAP}'><e:Body><executeSQLQuery
 xmlns='{AXL}12.5'><sql xmlns=''>%s</sql></executeSQLQuery></e:Body></e:Envelope>"""
TABLE = "xmpps2snodes"
ALL = f"select pkid, cp_id from {TABLE}"
INTEGRATOR, CLERK = ("integrator", "integrators-password"), ("clerk", "clerks-password")
CORE_PASSWORD = "cores-own-password"


@dataclasses.dataclass
class Answer:
    protocol: str
    status: int
    headers: str
    body: str

    def response(self, operation, version="14.0"):
        """Of an operation that went well: its `return`, and the attributes of the response."""
        assert self.status == 200 and "\nContent-Type: text/xml" in self.headers, self
        body = Xml.fromstring(self.body).find(f"{{{SOAP}}}Body")
        answer = body.find(f"{{{AXL}{version}}}{operation}Response")
        assert answer is not None and answer.find("return") is not None, self.body
        return answer.find("return"), answer.attrib

    def rows(self, version="14.0"):
        found, _ = self.response(QUERY, version)
        return [{cell.tag: cell.text for cell in line} for line in found.findall("row")]

    def updated(self):
        found, _ = self.response(UPDATE)
        return int(found.findtext("rowsUpdated"))

    def fault(self):
        """(axlcode, operation) of a fault that says all that it should."""
        assert self.status == 500 and "\nContent-Type: text/xml" in self.headers, self
        fault = Xml.fromstring(self.body).find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
        assert fault.findtext("faultcode") in ("soapenv:Client", "soapenv:Server"), self.body
        error = fault.find("detail/axlError")
        assert error.findtext("axlmessage") and fault.findtext("faultstring"), self.body
        return int(error.findtext("axlcode")), error.findtext("request")


class Curl:
    """On the core's host; it takes home's certificate, and no other."""

    def __init__(self, site, pin):
        self.site = site
        self.pin = "sha256//" + base64.b64encode(bytes.fromhex(pin)).decode()

    async def ask(self, *options, login=INTEGRATOR, path="/axl/"):
        address = topology.address(self.site.home.host)
        status, out = await command(
            self.site.core.host, "curl", "--silent", "--show-error", "--include",
            "--max-time", "15", "--insecure", "--pinnedpubkey", self.pin,
            *(["--user", ":".join(login)] if login else []), *options,
            f"https://{address}:{AXL_PORT}{path}")
        assert status == 0, out
        head, body = re.fullmatch(r"(?s)(?:HTTP/\S+ 100.*?\n\n)?(.*?)\n\n(.*)",
                                  out.replace("\r\n", "\n")).groups()
        protocol, code = head.split(" ")[:2]
        return Answer(protocol, int(code), head, body)

    async def post(self, body, *options, action=f"CUCM:DB ver=14.0 {QUERY}", login=INTEGRATOR):
        return await self.ask("--header", "Content-Type: text/xml; charset=utf-8",
                              "--header", f'SOAPAction: "{action}"', *options,
                              "--data-binary", body, login=login)

    async def do(self, operation, sql, *options, version="14.0", attributes="", login=INTEGRATOR):
        return await self.post(ENVELOPE % {"operation": operation, "sql": sql, "version": version,
                                           "attributes": attributes}, *options,
                               action=f"CUCM:DB ver={version} {operation}", login=login)

    async def query(self, sql, *options, **others):
        return await self.do(QUERY, sql, *options, **others)

    async def update(self, sql, *options, **others):
        return await self.do(UPDATE, sql, *options, **others)


async def run(stage):
    site = await stage.own_nodes("t")
    alice, bob = await stage.client("alice@home.example"), await stage.client("bob@prosody.example")
    await accounts(site)
    curl = Curl(site, await pin_of_axl(site))
    await who_may(site, curl)
    await versions(site, curl)
    await ways_to_write_it(site, curl)
    await mistakes(site, curl)
    await changes(site, curl)
    await router_follows(site, curl, alice, bob)
    for _, password in (INTEGRATOR, CLERK):
        assert not site.home.log.find(password), "a password is in the log"


async def accounts(site):
    await site.home.configure("axl.users", f"{site.core.name} {CORE_PASSWORD} axl",
                              " ".join((*INTEGRATOR, "axl")), " ".join((*CLERK, "admin")))
    await site.core.ctl("home-server", "password", site.home.name, CORE_PASSWORD)
    well, out = await site.core.refresh()
    assert well, out


async def pin_of_axl(site):
    """As the core has it from the pairing."""
    told = await site.core.ctl("config", "get", "home_servers")
    return re.search(rf"{site.home.name} .* pin ([0-9a-f]{{64}})", told)[1]


async def who_may(site, curl):
    for path in ("/axl", "/axl/"):
        answer = await curl.ask(path=path)
        assert answer.status == 200 and "working" in answer.body, answer
        answer = await curl.ask(path=path, login=None)
        assert answer.status == 401 and "\nWWW-Authenticate: Basic realm=" in answer.headers, answer
    for login in (None, ("integrator", "wrong"), ("nobody", INTEGRATOR[1]), ("integrator", "")):
        answer = await curl.query(ALL, login=login)
        assert answer.status == 401 and "WWW-Authenticate" in answer.headers, (login, answer)
        assert TABLE not in answer.body and "Envelope" not in answer.body, answer
    await site.home.event("axl.served", "from=" + topology.address(site.core.host),
                          "user=nobody", "status=401")
    for answer in (await curl.query(ALL, login=CLERK), await curl.ask(login=CLERK)):
        assert answer.status == 403 and "Standard AXL API Access" in answer.body, answer
    await site.home.event("axl.served", "user=clerk", "status=403", "Standard AXL API Access")
    assert (await curl.ask(path="/")).status == 404
    assert (await curl.ask("--request", "PUT")).status == 405


async def versions(site, curl):
    table = await site.home.table()
    for version in ("14.0", "12.5", "11.5", "9.1"):
        answer = await curl.query(ALL, version=version)
        assert {line["cp_id"]: line["pkid"] for line in answer.rows(version)} == table, answer
    for version in ("10.0", "14.1", "14"):
        answer = await curl.query(ALL, version=version)
        assert answer.status == 599 and "version" in answer.body, answer
        assert (await curl.update(f"delete from {TABLE}", version=version)).status == 599
    assert await site.home.table() == table
    await site.home.event("axl.served", "user=integrator", "status=599")


async def ways_to_write_it(site, curl):
    """Of one and the same query."""
    cp_id = row(site.edge.name)
    one = [{"cp_id": cp_id}]
    plain = f"select cp_id from {TABLE}"
    assert (await curl.query(f"<![CDATA[{plain} where pkid <> '0' and cp_id > '']]>")).rows() == one
    assert (await curl.query(f"{plain} where pkid &lt;&gt; '0' and cp_id &#62; ''")).rows() == one
    assert (await curl.query(f"{plain.upper()};")).rows()[0].popitem()[1] == cp_id
    assert (await curl.post(DEFAULT_NAMESPACE % plain, action="")).rows("12.5") == one
    none = await curl.query(f"{plain} where cp_id = 'nobody'")
    assert none.rows() == [], none
    assert (await curl.query(f"select count(*) as rows from {TABLE}")).rows() == [{"rows": "1"}]

    for number in ("1", "18446744073709551615"):
        answer = await curl.query(plain, attributes=f' sequence="{number}"')
        assert answer.response(QUERY)[1] == {"sequence": number}, answer
    assert not (await curl.query(plain)).response(QUERY)[1], "a sequence nobody asked for"

    answer = await curl.query(plain, "--http1.0")
    assert answer.protocol == "HTTP/1.0" and answer.rows() == one, answer
    assert (await curl.query(plain, "--header", "Expect: 100-continue")).rows() == one
    assert (await curl.query(plain, "--header", "Transfer-Encoding: chunked")).rows() == one
    assert (await curl.query(plain, "--header", "Connection: close")).rows() == one


async def mistakes(site, curl):
    table = await site.home.table()
    for sql, code in (("select * from nowhere", -206), ("select * from sqlite_master", -206),
                      ("selct pkid from xmpps2snodes", -201), (f"select from {TABLE}", -201),
                      (f"select name from {TABLE}", -217), ("", -201),
                      (f"{ALL}; {ALL}", -201)):
        assert (await curl.query(sql)).fault() == (code, QUERY), sql
    for sql, code in ((f"insert into {TABLE}(pkid, name) values(newid(), 'x')", -217),
                      ("delete from nowhere", -206), (f"delete {TABLE}", -201), (ALL, -201),
                      (f"insert into {TABLE}(pkid, cp_id) values(newid(), null)", -391),
                      (f"drop table {TABLE}", -272)):
        assert (await curl.update(sql)).fault() == (code, UPDATE), sql
    assert (await curl.query(f"delete from {TABLE}")).fault() == (-272, QUERY)
    right = ENVELOPE % {"operation": QUERY, "sql": ALL, "version": "14.0", "attributes": ""}
    for body in ("", "nonsense", right[:-5], right.replace(SOAP, SOAP[:-1]),
                 right.replace("?>", "?><!DOCTYPE a [<!ENTITY b 'c'>]>"),
                 right.replace(QUERY, "getPhone"), right.replace("sql>", "statement>")):
        code, _ = (await curl.post(body)).fault()
        assert code == 0, body
    assert await site.home.table() == table, "a mistake changed something"


async def changes(site, curl):
    """The row of an edge that nobody else knows."""
    home, cp_id = site.home, row("of-curl")
    mine = f"where cp_id = '{cp_id}'"
    insert = f"insert into {TABLE}(pkid, cp_id) values(newid(), '{cp_id}')"
    mark = home.mark()
    assert (await curl.update(insert)).updated() == 1
    found = (await curl.query(f"select pkid from {TABLE} {mine}")).rows()
    assert len(found) == 1 and re.fullmatch(UUID, found[0]["pkid"]), found
    pkid = found[0]["pkid"]
    assert (await home.table())[cp_id] == pkid, "run sql tells another"
    await written(home, cp_id, mark)
    await home.event("router.loaded", cp_id, since=mark)
    told = await home.routes()
    assert cp_id in str(told["stored"]) and cp_id in str(told["loaded"]), told

    again = f"insert into {TABLE}(pkid, cp_id) values('{pkid}', 'cm-2_s2scp-1.other')"
    assert (await curl.update(again)).fault() == (-239, UPDATE)
    assert (await curl.query(f"select cp_id from {TABLE} where pkid = '{pkid}'")).rows() == [
        {"cp_id": cp_id}]

    assert (await curl.update(f"delete from {TABLE} {mine}")).updated() == 1
    assert (await curl.update(f"delete from {TABLE} {mine}")).updated() == 0
    assert set(await home.table()) == {row(site.edge.name)}


async def written(home, cp_id, since):
    """History and log know who it was."""
    history = (await home.ctl("config", "history")).splitlines()
    last = [line for line in history if f" {TABLE} " in line]
    assert any(re.search(rf" axl integrator: {TABLE} .* to .*{re.escape(cp_id)}", line)
               for line in last), history
    await home.event("axl.served", "user=integrator", f"function={UPDATE}", cp_id, since=since)
    await home.event("config.changed", cp_id, since=since)


async def router_follows(site, curl, alice, bob):
    """Home's row for its own edge, deleted and written anew by curl alone."""
    cp_id, since = row(site.edge.name), site.core.mark()
    await both_ways(alice, bob)
    assert (await curl.update(f"delete from {TABLE} where cp_id = '{cp_id}'")).updated() == 1
    await site.loaded(site.edge.name, False)
    await bounces(alice, bob.boundjid.full, NOT_SET_UP)
    await passes(bob, alice)

    mark = site.home.mark()
    insert = f"insert into {TABLE}(pkid, cp_id) values(newid(), '{cp_id}')"
    assert (await curl.update(insert, "--http1.0")).updated() == 1
    await written(site.home, cp_id, mark)
    await site.loaded(site.edge.name)
    await both_ways(alice, bob)
    wrote = [event.detail for event in site.core.events("axl.synced", since=since)
             if event.fields["changed"] != "0"]
    assert not wrote, f"the core wrote it, not curl: {wrote}"
