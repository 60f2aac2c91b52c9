"""ejabberd without epmd and distribution, with its own configuration and data folder."""
import glob
import os

from . import pki, topology
from .process import Process
from .prosody import PASSWORD

CONFIG = """
hosts:
  - {domain}
loglevel: info
certfiles:
  - {chain}
ca_file: {authority}
s2s_use_starttls: {starttls}
listen:
  -
    port: 5222
    ip: "{address}"
    module: ejabberd_c2s
    access: all
    shaper: none
    max_stanza_size: 1048576
  -
    port: 5269
    ip: "{address}"
    module: ejabberd_s2s_in
    shaper: none
    max_stanza_size: 1048576
auth_method: internal
registration_timeout: infinity
s2s_max_retry_delay: 1
acl: {{}}
modules:
  mod_disco: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  mod_s2s_dialback: {{}}
  mod_time: {{}}
  mod_version: {{}}
  mod_muc:
    host: conference.{domain}
    access: all
    access_create: all
    default_room_options:
      public: true
"""

START = """
{{ok, _}} = application:ensure_all_started(ejabberd),
lists:foreach(fun(User) -> ok = ejabberd_auth:try_register(User, <<"{domain}">>, <<"{password}">>)
              end, [{users}]),
io:format("ready~n").
"""


class Ejabberd:
    """`domain` with users and conference.`domain` with rooms, on that host."""

    def __init__(self, host, domain, users, starttls="optional"):
        self.host, self.domain, self.users, self.starttls = host, domain, users, starttls
        self.folder = topology.RUN / f"ejabberd-{host}"
        self.process = None

    async def start(self):
        self.folder.mkdir(exist_ok=True)
        certificate, key = pki.certificate(self.domain, f"conference.{self.domain}")
        chain = self.folder / "domain.pem"
        chain.write_bytes(certificate.read_bytes() + key.read_bytes())
        config = self.folder / "ejabberd.yml"
        config.write_text(CONFIG.format(domain=self.domain, chain=chain,
                                        authority=pki.authority_file(), starttls=self.starttls,
                                        address=topology.address(self.host)))
        inetrc = self.folder / "inetrc"
        inetrc.write_text('{lookup, ["file", "native"]}.\n')
        users = ", ".join(f'<<"{user}">>' for user in self.users)
        start = START.format(domain=self.domain, password=PASSWORD, users=users)
        library = os.path.dirname(sorted(glob.glob("/usr/lib/*/ejabberd-*/ebin"))[-1])
        env = dict(os.environ, HOME=str(self.folder), EJABBERD_CONFIG_PATH=str(config),
                   EJABBERD_LOG_PATH=str(self.folder / "ejabberd.log"), ERL_CRASH_DUMP="/dev/null",
                   CONTRIB_MODULES_PATH=str(self.folder))
        self.process = await Process(f"ejabberd-{self.host}", self.host, [
            "erl", "-noinput", "-pa", f"{library}/ebin", "-start_epmd", "false", "+S", "2:2",
            "-mnesia", "dir", f'"{self.folder}/mnesia"', "-eval", start],
            env=env, cwd=self.folder).start()
        await self.process.log.wait_for("^ready$", deadline=60)
        return self

    async def stop(self):
        await self.process.stop()
