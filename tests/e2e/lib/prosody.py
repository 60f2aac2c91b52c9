"""Prosody, one instance a domain, with its own configuration and data folder."""
from . import pki, topology
from .process import Process

PASSWORD = "secret"

CONFIG = """
run_as_root = true
daemonize = false
data_path = "{folder}/data"
plugin_paths = {{ {plugins} }}
log = {{ {level} = "*stdout" }}
admins = {{}}
use_libevent = false
network_backend = "epoll"
interfaces = {{ "{address}" }}
statistics = nil
modules_enabled = {{
	"roster"; "saslauth"; "tls"; "disco"; "ping"; "version"; "time"; "smacks"; {modules}
}}
modules_disabled = {{ {disabled} }}
authentication = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
c2s_direct_tls_ports = {{}}
s2s_require_encryption = {require_tls}
s2s_secure_auth = false
unbound = {{ resolvconf = "/etc/resolv.conf" }}
ssl = {{ certificate = "{certificate}"; key = "{key}"; cafile = "{authority}" }}
https_ports = {{}}
http_ports = {{}}
{more}
VirtualHost "{domain}"
Component "conference.{domain}" "muc"
	modules_enabled = {{ {muc_modules} }}
	muc_room_default_public = true
	muc_room_locking = false
{components}
"""


# Attached to a gateway: s2s is the gateway's, and what is for remote domains goes to its component.
GATEWAY_SECRET = "component-secret"
GATEWAY_PORT = 5347
ATTACHED = """
sallyport_component = "gateway.{domain}"
component_interfaces = {{ "{address}" }}
component_ports = {{ {port} }}
component_stanza_size_limit = 4 * 1024 * 1024
"""
COMPONENT = """
Component "gateway.{domain}"
	component_secret = "{secret}"
	validate_from_addresses = false
	modules_enabled = {{ "sallyport" }}
"""


def attached(host, domain, module_folder):
    """The options of a Prosody whose outside is a gateway."""
    names = {"domain": domain, "address": topology.address(host),
             "port": GATEWAY_PORT, "secret": GATEWAY_SECRET}
    return {"plugins": f'"{module_folder}"', "modules": '"sallyport"',
            "muc_modules": '"sallyport"', "disabled": '"s2s"; "s2s_auth_certs"; "dialback"',
            "more": ATTACHED.format(**names), "components": COMPONENT.format(**names)}


class Prosody:
    """`domain` with users and conference.`domain` with rooms, on that host."""

    def __init__(self, host, domain, users, **options):
        self.host, self.domain, self.users = host, domain, users
        self.options = {"plugins": "", "modules": '"dialback"', "muc_modules": "",
                        "disabled": "", "require_tls": "false", "more": "", "components": "",
                        "level": "info", **options}
        self.folder = topology.RUN / f"prosody-{host}"
        self.process = None

    @property
    def log(self):
        return self.process.log

    async def start(self):
        self.folder.mkdir(exist_ok=True)
        certificate, key = pki.certificate(self.domain, f"conference.{self.domain}")
        config = self.folder / "prosody.cfg.lua"
        config.write_text(CONFIG.format(
            folder=self.folder, address=topology.address(self.host), domain=self.domain,
            certificate=certificate, key=key, authority=pki.authority_file(), **self.options))
        for user in self.users:
            self.add_user(user)
        self.process = await Process(f"prosody-{self.host}", self.host,
                                     ["prosody", "--config", config]).start()
        await self.process.log.wait_for(r"Activated service 'c2s'")
        return self

    def add_user(self, user):
        accounts = self.folder / "data" / escape(self.domain) / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        (accounts / f"{escape(user)}.dat").write_text(
            f'return {{ ["password"] = "{PASSWORD}" }};\n')

    async def stop(self):
        await self.process.stop()


def escape(name):
    """As Prosody's store names its files."""
    return "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in name)
