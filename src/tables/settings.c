#include "tables/settings.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Most settings have one field without a name. */
#define FIELD(...) .fields = { { __VA_ARGS__ } }, .fields_count = 1
#define RECORD(count, ...) .fields = { __VA_ARGS__ }, .fields_count = (count)
#define FLAG FIELD(.kind = FIELD_FLAG)

#define LIMIT(id, value, least, most, of, what, why)                                               \
	{                                                                                          \
		.name = "limits." id, .otherwise = #value, .unit = of, .roles = ROLE_ALL,          \
		.seen_by = SEEN_BY_TRAFFIC, .effect = EFFECT_NEW_STREAMS,                          \
		FIELD(.kind = FIELD_INTEGER, .min = (least), .max = (most)), .help = what,         \
		.reason = why,                                                                     \
	}
#define TIMEOUT(id, value, least, most, what, why)                                                 \
	{                                                                                          \
		.name = "timeouts." id, .otherwise = #value, .unit = "seconds", .roles = ROLE_ALL, \
		.seen_by = SEEN_BY_TRAFFIC, .effect = EFFECT_NEW_STREAMS,                          \
		FIELD(.kind = FIELD_INTEGER, .min = (least), .max = (most)), .help = what,         \
		.reason = why,                                                                     \
	}

/* Of what people and our other nodes use. */
#define MANAGED(id, value, least, most, of, what, why)                                             \
	{                                                                                          \
		.name = "limits." id, .otherwise = #value, .unit = of, .roles = ROLE_ALL,          \
		.seen_by = SEEN_BY_MANAGE,                                                         \
		FIELD(.kind = FIELD_INTEGER, .min = (least), .max = (most)), .help = what,         \
		.reason = why,                                                                     \
	}
#define MANAGED_TIMEOUT(id, value, least, most, what, why)                                         \
	{                                                                                          \
		.name = "timeouts." id, .otherwise = #value, .unit = "seconds", .roles = ROLE_ALL, \
		.seen_by = SEEN_BY_MANAGE,                                                         \
		FIELD(.kind = FIELD_INTEGER, .min = (least), .max = (most)), .help = what,         \
		.reason = why,                                                                     \
	}

#define BEFORE_AUTH "a stranger gets what the handshake needs and no more"
#define RELAYED "of a stanza; RFC 6120 names no number, real traffic stays far below"
#define WAITING "what waits is memory, and its senders would rather have an error"
#define PATIENCE "shorter fails on slow networks, longer keeps what is dead"

const struct setting settings[] = {
	{ .name = "federation.enabled",
	  .otherwise = "off",
	  .roles = ROLE_EDGE | ROLE_CORE,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  FLAG,
	  .help = "XMPP federation as a whole: off, nothing foreign is accepted or dialed. Set on "
		  "the edge; a core follows its edges" },
	{ .name = "federation.security_mode",
	  .otherwise = "tls-required",
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_CHOICE, .choices = { "tls-required", "tls-optional", "no-tls" }),
	  .help = "TLS on streams to and from the world" },
	{ .name = "federation.privacy_mode",
	  .otherwise = "allow-list",
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_CHOICE, .choices = { "off", "allow-list", "deny-list" }),
	  .help = "which foreign domains may talk to us: all, those allowed, all but those "
		  "denied" },
	{ .name = "federation.allow_list",
	  .shape = SETTING_LIST,
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  FIELD(.kind = FIELD_DOMAIN),
	  .help = "domains that may talk to us in privacy mode allow-list; exact names. "
		  "Those with a static route in use may as well" },
	{ .name = "federation.deny_list",
	  .shape = SETTING_LIST,
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  FIELD(.kind = FIELD_DOMAIN),
	  .help = "domains that may not in privacy mode deny-list; exact names" },
	{ .name = "federation.use_static_routes",
	  .otherwise = "off",
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  .effect = EFFECT_NEW_STREAMS,
	  FLAG,
	  .help = "whether federation.static_routes beat DNS" },
	{ .name = "federation.static_routes",
	  .shape = SETTING_RECORDS,
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  .effect = EFFECT_NEW_STREAMS,
	  RECORD(4, { "domain", FIELD_DOMAIN }, { "host", FIELD_HOST },
		 { "port", FIELD_INTEGER, 1, 65535 }, { "priority", FIELD_INTEGER, 0, 65535 }),
	  .help = "where a domain's server is; the lowest priority is tried first" },
	{ .name = "federation.dialback_secret",
	  .random = true,
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  FIELD(.kind = FIELD_SECRET, .min = 16),
	  .help = "dialback keys are made from it; the same on all edges of a domain" },
	{ .name = "federation.dialback_secret_previous",
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  FIELD(.kind = FIELD_SECRET, .min = 16),
	  .help = "the secret before it was changed: keys made from it still verify for "
		  "federation.dialback_secret_overlap" },
	{ .name = "federation.dialback_secret_overlap",
	  .otherwise = "86400",
	  .unit = "seconds",
	  .roles = ROLE_EDGE,
	  FIELD(.kind = FIELD_INTEGER, .min = 0, .max = 2592000),
	  .help = "how long the previous dialback secret is valid beside the new one",
	  .reason = "long enough to change it on all edges; a secret that leaked should not be "
		    "good for longer than a month" },
	{ .name = "federation.verify_server_certificates",
	  .otherwise = "on",
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  .effect = EFFECT_NEW_STREAMS,
	  FLAG,
	  .help = "whether a foreign server's certificate must be valid for its domain" },
	{ .name = "domains",
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  RECORD(3, { "domain", FIELD_DOMAIN }, { "federated", FIELD_FLAG },
		 { "node", FIELD_NAME, .optional = true }),
	  .help = "domains of the inside, whether they are federated, and the node that leads "
		  "there" },
	{ .name = "nodes",
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  RECORD(6, { "name", FIELD_NAME },
		 { "role", FIELD_CHOICE, .choices = { "edge", "core", "home" } },
		 { "address", FIELD_ENDPOINT }, { "pin", FIELD_PIN },
		 { "provision-address", FIELD_ENDPOINT, .optional = true },
		 { "ssh-pin", FIELD_PIN, .optional = true }),
	  .help = "the nodes we link with, made by pair and join; the addresses are where we dial "
		  "their links and their SSH, - if they dial us" },
	{ .name = "edges",
	  .internal = true,
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_CORE,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  RECORD(4, { "node", FIELD_NAME }, { "revision", FIELD_INTEGER, 0, INT64_MAX },
		 { "enabled", FIELD_FLAG }, { "secret", FIELD_WORD }),
	  .help = "what each edge told last: its revision, whether its federation is on, and the "
		  "fingerprint of its dialback secret" },
	{ .name = "home_servers",
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_CORE,
	  .seen_by = SEEN_BY_MANAGE,
	  RECORD(7, { "name", FIELD_NAME }, { "host", FIELD_HOST },
		 { "port", FIELD_INTEGER, 1, 65535 }, { "user", FIELD_WORD },
		 { "password", FIELD_SECRET, .min = 1 },
		 { "verify", FIELD_CHOICE, .choices = { "ca", "pin", "off" } },
		 { "pin", FIELD_PIN, .optional = true }),
	  .help = "home nodes, and Cisco IM and Presence servers, whose table xmpps2snodes we keep "
		  "by AXL; verify says what their TLS certificate is held against" },
	{ .name = "axl.realms",
	  .internal = true,
	  .shape = SETTING_LIST,
	  .roles = ROLE_CORE,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_NAME),
	  .help = "realms that we wrote into a home server's table, until they are gone from all" },
	{ .name = "axl.trust",
	  .roles = ROLE_CORE,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_PEM),
	  .help = "authorities for home servers with verify ca; empty: those of this machine" },
	{ .name = "axl.refresh",
	  .otherwise = "300",
	  .unit = "seconds",
	  .roles = ROLE_CORE,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_INTEGER, .min = 5, .max = 86400),
	  .help = "how often a home server's table is looked at again",
	  .reason = "somebody may have changed it; each look is one small request" },
	{ .name = "axl.users",
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_HOME,
	  .seen_by = SEEN_BY_MANAGE,
	  RECORD(3, { "name", FIELD_WORD }, { "password", FIELD_SECRET, .min = 8 },
		 { "roles", FIELD_CHOICE, .choices = { "axl", "admin", "none" } }),
	  .help = "who may use the AXL service: axl has the roles Standard CCM Admin Users and "
		  "Standard AXL API Access, admin only the first" },
	{ .name = "axl.versions",
	  .shape = SETTING_LIST,
	  .roles = ROLE_HOME,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_CHOICE, .choices = { "9.1", "11.5", "12.5", "14.0" }),
	  .help = "schema versions that the AXL service takes; none here: all four" },
	{ .name = "axl.certificate",
	  .roles = ROLE_HOME,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_PEM),
	  .help = "the certificate of the AXL service, then the chain; made by the node itself "
		  "until another is set. A private key in it is taken as axl.private_key" },
	{ .name = "axl.private_key",
	  .roles = ROLE_HOME,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_PRIVATE_KEY),
	  .help = "the key of axl.certificate" },
	{ .name = "router.apply",
	  .otherwise = "live",
	  .roles = ROLE_HOME,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_CHOICE, .choices = { "live", "restart" }),
	  .help = "when the router takes a change of xmpps2snodes into use: at once, or when it is "
		  "restarted" },
	{ .name = "xmpps2snodes",
	  .internal = true,
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_HOME,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE,
	  RECORD(2, { "pkid", FIELD_UUID }, { "cp_id", FIELD_WORD }),
	  .help = "the table of edges, as AXL shows it: a component, a dot, and the edge's realm" },
	{ .name = "attachments",
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_CORE | ROLE_HOME,
	  .seen_by = SEEN_BY_TRAFFIC,
	  RECORD(7, { "name", FIELD_NAME },
		 { "kind", FIELD_CHOICE, .choices = { "prosody", "component" } },
		 { "address", FIELD_ADDRESS }, { "port", FIELD_INTEGER, 1, 65535 },
		 { "component", FIELD_DOMAIN }, { "secret", FIELD_SECRET, .min = 1 },
		 { "home-domain", FIELD_DOMAIN }),
	  .help = "the XMPP servers with the users, attached as components" },
	{ .name = "dns.servers",
	  .shape = SETTING_LIST,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_RESOLVER,
	  FIELD(.kind = FIELD_ADDRESS),
	  .help = "resolvers to ask; none: those of /etc/resolv.conf" },
	{ .name = "dns.dnssec",
	  .otherwise = "off",
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_RESOLVER,
	  FLAG,
	  .help = "whether answers are validated with DNSSEC, from the system's trust anchors" },
	{ .name = "dial.allowed_networks",
	  .shape = SETTING_LIST,
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  .effect = EFFECT_NEW_STREAMS,
	  FIELD(.kind = FIELD_NETWORK),
	  .help = "private networks that foreign domains' servers may be in" },

	LIMIT("stanza_bytes", 524288, 10000, 4194304, "bytes", "longest stanza",
	      "RFC 6120 13.12 wants 10,000 at least; links carry 4 MiB"),
	LIMIT("stanza_bytes_before_auth", 8192, 1024, 65536, "bytes",
	      "all that a peer may send before it is authenticated", BEFORE_AUTH),
	LIMIT("depth", 64, 4, 256, "elements", "deepest nesting", RELAYED),
	LIMIT("depth_before_auth", 8, 4, 64, "elements", "the same before authentication",
	      BEFORE_AUTH),
	LIMIT("elements", 20000, 100, 1000000, "elements", "elements in one stanza", RELAYED),
	LIMIT("elements_before_auth", 32, 16, 1000, "elements", "the same before authentication",
	      BEFORE_AUTH),
	LIMIT("attributes", 64, 8, 1000, "attributes", "attributes of one element", RELAYED),
	LIMIT("attributes_before_auth", 16, 8, 64, "attributes", "the same before authentication",
	      BEFORE_AUTH),
	LIMIT("name_bytes", 1024, 64, 65536, "bytes", "longest name of an element or attribute",
	      RELAYED),
	LIMIT("name_bytes_before_auth", 256, 64, 4096, "bytes", "the same before authentication",
	      BEFORE_AUTH),
	LIMIT("queue_stanzas", 1000, 1, 1000000, "stanzas",
	      "stanzas of a domain pair that wait for its stream", WAITING),
	LIMIT("queue_bytes", 4194304, 65536, 1073741824, "bytes", "the same in bytes", WAITING),
	LIMIT("queue_seconds", 60, 1, 3600, "seconds", "how long they may wait", WAITING),
	LIMIT("link_queue_stanzas", 20000, 1, 10000000, "stanzas",
	      "stanzas that a link to another node has not settled", WAITING),
	LIMIT("link_queue_bytes", 67108864, 65536, 8589934592, "bytes", "the same in bytes",
	      WAITING),
	LIMIT("link_queue_seconds", 60, 1, 3600, "seconds",
	      "how long they may wait for a link that is down", WAITING),
	LIMIT("verify_pending", 20, 1, 1000, "verifications",
	      "dialback verifications of one stream under way", "each may cost us a connection"),
	MANAGED("ssh_connections", 64, 1, 4096, "connections", "SSH connections in all",
		"each may be an attempt to break in; a core needs one for each edge"),
	MANAGED("ssh_connections_per_address", 8, 1, 4096, "connections", "from one address",
		"one stranger must not take them all"),
	LIMIT("connections", 8000, 1, 100000, "connections", "connections in all",
	      "each takes a descriptor and memory"),
	LIMIT("connections_per_address", 100, 1, 100000, "connections", "from one address",
	      "one peer must not take them all"),

	TIMEOUT("tcp", 10, 1, 120, "for a TCP connection to be made", PATIENCE),
	TIMEOUT("tls", 15, 1, 120, "for a TLS handshake", PATIENCE),
	TIMEOUT("step", 15, 1, 300, "for each answer of a stream's set-up", PATIENCE),
	TIMEOUT("dialback", 30, 1, 300, "for a dialback result: they dial back meanwhile",
		"must be longer than the peer's own verification"),
	TIMEOUT("verify", 25, 1, 300, "for a key to be verified by its authoritative server",
		"must be shorter than the peer waits for its result"),
	TIMEOUT("authentication", 60, 1, 600, "for a peer that dialed us to be authenticated",
		PATIENCE),
	TIMEOUT("idle", 600, 1, 86400, "without a stanza, then the stream is closed", PATIENCE),
	MANAGED_TIMEOUT("ssh_login", 20, 1, 120, "for a node that dials our SSH to be logged in",
			PATIENCE),
	MANAGED_TIMEOUT("ssh_silence", 15, 2, 300,
			"without a word from the other node, then the tunnel is dead",
			"a ping goes out after a third of it"),
	MANAGED_TIMEOUT("pairing", 900, 10, 86400, "that a pairing code is good for",
			"time to carry it to the other node, and no more"),
	MANAGED_TIMEOUT("axl", 10, 1, 120, "for each request to a home server", PATIENCE),
	TIMEOUT("shutdown", 5, 1, 60, "for open streams to close when the node stops", PATIENCE),

	{ .name = "tls.certificate",
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  .effect = EFFECT_NEW_STREAMS,
	  FIELD(.kind = FIELD_PEM),
	  .help = "our certificate towards the world, then the chain; a private key in it is taken "
		  "as tls.private_key" },
	{ .name = "tls.private_key",
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  .effect = EFFECT_NEW_STREAMS,
	  FIELD(.kind = FIELD_PRIVATE_KEY),
	  .help = "the key of tls.certificate" },
	{ .name = "tls.pending_key",
	  .internal = true,
	  .roles = ROLE_EDGE,
	  FIELD(.kind = FIELD_PRIVATE_KEY),
	  .help = "the key of `cert csr`, until its certificate is installed; control alone sees "
		  "it" },
	{ .name = "tls.trust",
	  .roles = ROLE_EDGE,
	  .seen_by = SEEN_BY_TRAFFIC,
	  .effect = EFFECT_NEW_STREAMS,
	  FIELD(.kind = FIELD_PEM),
	  .help = "certificates of the authorities that we trust, and of no others; empty: those "
		  "of this machine" },
	{ .name = "log.levels",
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_TRAFFIC | SEEN_BY_MANAGE | SEEN_BY_RESOLVER,
	  RECORD(4, { "module", FIELD_MODULE },
		 { "level", FIELD_CHOICE, .choices = { "error", "warn", "info", "debug" } },
		 { "until", FIELD_INTEGER, 0, INT64_MAX, .optional = true },
		 { "then", FIELD_CHOICE, .choices = { "error", "warn", "info", "debug" },
		   .optional = true }),
	  .help = "what each module logs; info where nothing is said. `until` (seconds since 1970) "
		  "ends the row by itself: it is `then` again, or goes; `sallyport log level` "
		  "writes it" },
	{ .name = "log.format",
	  .otherwise = "text",
	  .roles = ROLE_ALL,
	  FIELD(.kind = FIELD_CHOICE, .choices = { "text", "json" }),
	  .help = "lines on standard error: in the one grammar, or the same as JSON. Where that is "
		  "journald, its fields are filled in either way" },
	{ .name = "log.stanzas",
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_TRAFFIC,
	  RECORD(2, { "domain", FIELD_DOMAIN }, { "until", FIELD_INTEGER, 0, INT64_MAX }),
	  .help = "foreign domains whose whole stanzas are logged, and until when (seconds since "
		  "1970); `sallyport log stanzas` writes it" },
	{ .name = "events.keep",
	  .otherwise = "20000",
	  .unit = "lines",
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_INTEGER, .min = 1000, .max = 100000),
	  .help = "lines of the log that the event log page and `sallyport log` can look back",
	  .reason = "they lie in memory, twice: 20,000 are some 6 MiB" },
	{ .name = "admin.accounts",
	  .shape = SETTING_RECORDS,
	  .keyed = true,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_MANAGE,
	  RECORD(3, { "name", FIELD_NAME },
		 { "role", FIELD_CHOICE, .choices = { "viewer", "operator", "admin" } },
		 { "password", FIELD_SECRET, .min = 1 }),
	  .help = "who may use the web page; the password as argon2id hash, or a word that no hash "
		  "is until it is set by the link of `sallyport admin link`" },
	{ .name = "admin.certificate",
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_PEM),
	  .help = "the certificate of the web page, then the chain; made by the node itself until "
		  "another is set. A private key in it is taken as admin.private_key" },
	{ .name = "admin.private_key",
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_PRIVATE_KEY),
	  .help = "the key of admin.certificate" },
	{ .name = "admin.metrics_token",
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_SECRET, .min = 16),
	  .help = "what Prometheus says as Bearer token to read /metrics; not set: only who is "
		  "logged in may" },
	MANAGED_TIMEOUT("session", 3600, 10, 86400,
			"of silence, after which somebody has to log in to the web page again",
			"a page left open in an office; its live view alone does not count"),
	MANAGED("sessions", 100, 1, 10000, "sessions", "of the web page, all people together",
		"each is a few hundred bytes and may hold a live view open"),
	MANAGED("diagnostic_seconds", 3600, 10, 86400, "seconds",
		"the longest diagnostic log or capture",
		"debug lines and packets cost time and memory, and somebody forgets to end it"),
	MANAGED("capture_bytes", 67108864, 1048576, 1073741824, "bytes",
		"of packets in one capture; it ends there",
		"they lie in memory until they are fetched"),
	{ .name = "ssh.private_key",
	  .internal = true,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_MANAGE,
	  FIELD(.kind = FIELD_PRIVATE_KEY),
	  .help = "our Ed25519 key in SSH, as host and as user; other nodes pin it at pairing" },
	{ .name = "link.certificate",
	  .internal = true,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_TRAFFIC,
	  FIELD(.kind = FIELD_PEM),
	  .help = "our certificate on links; its key's pin is what other nodes know us by" },
	{ .name = "link.private_key",
	  .internal = true,
	  .roles = ROLE_ALL,
	  .seen_by = SEEN_BY_TRAFFIC,
	  FIELD(.kind = FIELD_PRIVATE_KEY),
	  .help = "the key of link.certificate" },
};
const size_t settings_count = nitems(settings);

const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < nitems(settings); i++) {
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	}
	return NULL;
}

bool setting_is_secret(const struct setting *setting)
{
	for (size_t i = 0; i < setting->fields_count; i++) {
		if (field_is_secret(&setting->fields[i]))
			return true;
	}
	return false;
}
