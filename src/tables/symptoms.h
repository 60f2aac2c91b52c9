/*
 * The symptoms table: what can go wrong between an inner server and the world, by number. Doctor,
 * docs/symptoms.md and docs/troubleshooting.md read it. A row is
 *
 *	X(IDENTIFIER, number, "name", APPLIES, SEVERITY, "title", "cause", "fix", "command")
 *
 * Numbers below 100 are those of the list that docs/symptoms.md began with; ours begin at 101.
 * APPLIES: DOCTOR (it can happen, and doctor names it), LATER (with a feature that is not there
 * yet), NO (it cannot happen here); of the last two `cause` is the reason, and the rest is empty.
 * The command is what a person types, {} in it the subject; "" if no single command mends it. What
 * was seen is added by whoever finds it.
 */
#ifndef TABLES_SYMPTOMS_H
#define TABLES_SYMPTOMS_H

#define SYMPTOMS(X)                                                                                \
	/* the way out, prepared by AXL */                                                         \
	X(AXL_LOGIN, 1, "axl-login", DOCTOR, ERROR,                                                \
	  "the core's password at a home server is wrong",                                         \
	  "messages to the world bounce and those from it arrive: the home server does not let "   \
	  "the core log in to write its table xmpps2snodes (401)",                                 \
	  "on the core: give it the right password, then refresh",                                 \
	  "sallyport home-server password {} PASSWORD")                                            \
	X(AXL_ROLE, 2, "axl-role", DOCTOR, ERROR,                                                  \
	  "the core's account at a home server lacks a role",                                      \
	  "the account may log in and may not use AXL (403), so nobody writes the table "          \
	  "xmpps2snodes",                                                                          \
	  "on the home server: give the account Standard AXL API Access (of a home node: "         \
	  "axl.users); then refresh on the core",                                                  \
	  "sallyport home-server refresh {}")                                                      \
	X(AXL_VERSION, 3, "axl-version", DOCTOR, ERROR,                                            \
	  "a home server takes no AXL schema version of ours",                                     \
	  "none of the versions 14.0, 12.5, 11.5 and 9.1 is allowed there (599)",                  \
	  "on the home server: allow one of them (of a home node: axl.versions); then refresh on " \
	  "the core",                                                                              \
	  "sallyport home-server refresh {}")                                                      \
	X(AXL_SERVICE, 4, "axl-service", DOCTOR, ERROR,                                            \
	  "a home server's AXL service cannot be used",                                            \
	  "it is off, blocked, has another certificate, or answers with faults: what was seen "    \
	  "says which",                                                                            \
	  "start it, let 8443/tcp through from the core, or correct its address and certificate "  \
	  "in home_servers (of a home node: pair again); then refresh on the core",                \
	  "sallyport home-server refresh {}")                                                      \
	X(NO_EDGE, 5, "table-without-edge", DOCTOR, ERROR,                                         \
	  "the home server's table names no edge that can be used",                                \
	  "its router sends nothing to the world: xmpps2snodes is empty, or names an edge that "   \
	  "is not linked",                                                                         \
	  "on the core: refresh the table; look at sallyport routes on the home node",             \
	  "sallyport home-server refresh")                                                         \
	X(STALE_ROW, 6, "table-stale-row", DOCTOR, WARNING,                                        \
	  "the home server's table still names an edge that is no more",                           \
	  "the edge was removed while the home server could not be reached, or somebody else "     \
	  "wrote the row; a part of what goes out may take the dead way",                          \
	  "on the core: refresh the table; a row that this core did not write is deleted on the "  \
	  "home server: run sql \"delete from xmpps2snodes where ...\"",                           \
	  "sallyport home-server refresh")                                                         \
	X(RESTART_DUE, 7, "router-restart", DOCTOR, ERROR, "the router was not restarted",         \
	  "the table is right, and the router works by the one from before; a notification says "  \
	  "so",                                                                                    \
	  "on the home node: restart the router service, which closes no stream",                  \
	  "sallyport restart router")                                                              \
	X(RESTART_UNTOLD, 8, "router-restart-untold", DOCTOR, ERROR,                               \
	  "the router was not restarted, and no notification says so",                             \
	  "the table is right, and the router works by the one from before; somebody deleted the " \
	  "notification by hand",                                                                  \
	  "on the home node: restart the router service, which closes no stream",                  \
	  "sallyport restart router")                                                              \
	X(BOTH_FEDERATE, 9, "two-federations", DOCTOR, ERROR,                                      \
	  "the home server federates by itself beside the edge",                                   \
	  "its XMPP Federation Node Status is On, so two servers speak for one domain",            \
	  "switch it off on the home server; then refresh the home servers on the core, and "      \
	  "restart the router",                                                                    \
	  "")                                                                                      \
	/* between the nodes */                                                                    \
	X(INACTIVE, 10, "edge-inactive", DOCTOR, ERROR,                                            \
	  "federation is on at the edge and cannot take part",                                     \
	  "its link to the core is down: it has no way to the users",                              \
	  "run doctor on the core, which dials the link and knows why it is down",                 \
	  "sallyport doctor")                                                                      \
	X(TUNNEL_DOWN, 11, "tunnel-down", DOCTOR, ERROR,                                           \
	  "the SSH tunnel between two nodes is down",                                              \
	  "settings, status and diagnosis do not pass: the port is blocked, or the other node "    \
	  "has another key than at pairing",                                                       \
	  "let the core reach 2222/tcp of the other node; if its key is another because it was "   \
	  "set up anew, pair again",                                                               \
	  "")                                                                                      \
	X(CLIENT_PURPOSE, 12, "link-client-purpose", NO, NONE,                                     \
	  "tunnel down: the core's certificate is not for clients",                                \
	  "keys are pinned at pairing, and no certificate is asked what it is for", "", "")        \
	X(LINK_DOWN, 13, "link-down", DOCTOR, ERROR, "the link between two nodes is down",         \
	  "no stanza passes between them: 7400/tcp is blocked, nothing listens there, or the "     \
	  "other node shows another key than at pairing",                                          \
	  "let the core reach 7400/tcp of the other node, and see that it runs", "")               \
	X(LINK_ADDRESS, 14, "link-address", DOCTOR, ERROR,                                         \
	  "the link is dialled at an address where the other node does not listen",                \
	  "it was paired with the address of another of its interfaces",                           \
	  "on that node: sallyport pair link=INNER-ADDRESS:7400; then join again on the core",     \
	  "sallyport pair link=INNER-ADDRESS:7400")                                                \
	X(LINK_NAME, 15, "link-name", NO, NONE, "the link's TLS is refused for a name",            \
	  "nothing is looked up backwards, and a pinned key has no name to compare", "", "")       \
	X(LINK_LIST, 36, "link-list", LATER, NONE, "the list of links looks wrong in a cluster",   \
	  "comes with the map over all nodes; each node names its own links", "", "")              \
	X(CLOCK, 38, "clocks", DOCTOR, WARNING, "the clocks of two nodes differ",                  \
	  "times in their logs do not fit, and certificates may seem to have ended or not begun",  \
	  "synchronise both by NTP", "")                                                           \
	X(NOT_IN_FORCE, 39, "not-in-force", DOCTOR, ERROR,                                         \
	  "settings are stored and cannot be in force",                                            \
	  "something in them keeps the node from working by them: what was seen says what",        \
	  "set it right, or restore the revision before", "sallyport config history")              \
	X(SWITCHED_OFF, 40, "switched-off", DOCTOR, ERROR,                                         \
	  "domains are federated, and federation is off on every edge",                            \
	  "somebody switched federation.enabled off, which cuts everybody off from the world, or " \
	  "nobody has switched it on yet",                                                         \
	  "on the edge: switch it on; sallyport config history says who changed it, and config "   \
	  "set --dry-run whom a change would cut off",                                             \
	  "sallyport config set federation.enabled on")                                            \
	X(PING, 43, "ping", NO, NONE, "a test of the connection fails and the service works",      \
	  "nothing here is tested by ping: what is looked at is the connection itself", "", "")    \
	/* domains and partners */                                                                 \
	X(NO_DOMAIN, 16, "no-domain", DOCTOR, ERROR,                                               \
	  "federation is on and no domain is federated",                                           \
	  "no domain of the core has the switch on, so nothing may pass",                          \
	  "on the core: set `on` behind each domain that is to federate",                          \
	  "sallyport config set domains \"DOMAIN on NODE\"")                                       \
	X(NOT_ALLOWED, 17, "not-allowed", DOCTOR, WARNING,                                         \
	  "a partner is refused by our own lists",                                                 \
	  "federation.privacy_mode is allow-list, and the partner's domain is not in "             \
	  "federation.allow_list",                                                                 \
	  "on the edge: add the domain, if it is wanted, and its chat domains",                    \
	  "sallyport config set federation.allow_list DOMAIN... {}")                               \
	X(CHAT_DOMAIN, 18, "chat-domain", DOCTOR, WARNING,                                         \
	  "users can be reached, rooms cannot: a chat domain was forgotten",                       \
	  "a chat domain needs its own entry in the lists, its own SRV record, and a place in "    \
	  "the certificate, beside those of its users' domain",                                    \
	  "add what is missing for the chat domain", "")                                           \
	X(LIST_ENTRY, 19, "list-entry", NO, NONE, "an entry of the list never matches",            \
	  "what is no name is refused when it is set; case, IDN and a dot at the end are made "    \
	  "equal",                                                                                 \
	  "", "")                                                                                  \
	X(NO_RECORD, 20, "partner-record", DOCTOR, WARNING,                                        \
	  "a partner's domain has no XMPP server",                                                 \
	  "it has neither an SRV record _xmpp-server._tcp nor an address, or its record says "     \
	  "that there is no service",                                                              \
	  "check the name's spelling, ask its operator to publish the record, or add a static "    \
	  "route",                                                                                 \
	  "sallyport why {}")                                                                      \
	X(OWN_RECORD, 21, "own-record", DOCTOR, ERROR,                                             \
	  "a domain of ours cannot be found or reached from the world",                            \
	  "its record _xmpp-server._tcp is missing, names a host without an address, or leads to " \
	  "a server that is not ours: what comes in, and dialback, fail",                          \
	  "publish the SRV record _xmpp-server._tcp of the domain, with a host whose address and " \
	  "port lead to the edge",                                                                 \
	  "")                                                                                      \
	X(ROUTE_DEAD, 33, "static-route-dead", DOCTOR, WARNING, "a static route leads nowhere",    \
	  "none of the domain's static addresses takes connections, and DNS is not asked "         \
	  "instead, on purpose",                                                                   \
	  "on the edge: repair or remove the domain's rows in federation.static_routes",           \
	  "sallyport config set federation.static_routes ...")                                     \
	X(ROUTES_EMPTY, 34, "static-routes-empty", DOCTOR, WARNING,                                \
	  "static routes are on and there is none",                                                \
	  "federation.use_static_routes is on and the list is empty: all domains go by DNS",       \
	  "on the edge: add routes, or switch them off",                                           \
	  "sallyport config set federation.use_static_routes off")                                 \
	X(DEAD_PEER, 35, "dead-partner", LATER, NONE, "a partner that died is noticed late",       \
	  "what it leaves unanswered ends the connection within 45 s; a finding of its own comes " \
	  "with liveness checks of both directions",                                               \
	  "", "")                                                                                  \
	X(ADDRESS_BOOK, 37, "address-book", NO, NONE, "a user outside cannot find one inside",     \
	  "an XMPP address is not an e-mail address, and nothing here translates one", "", "")     \
	X(SIP, 44, "sip", NO, NONE, "messages arrive twice, by SIP and by XMPP",                   \
	  "there is no SIP here", "", "")                                                          \
	/* proofs of identity and TLS */                                                           \
	X(KEY_INVALID, 22, "dialback-invalid", DOCTOR, ERROR,                                      \
	  "a partner's verification of our key hears `invalid`",                                   \
	  "two edges have different dialback secrets, or our SRV record leads to another server",  \
	  "set federation.dialback_secret to the same value on all edges",                         \
	  "sallyport config set federation.dialback_secret VALUE")                                 \
	X(DIALBACK_SILENT, 23, "dialback-silent", DOCTOR, WARNING,                                 \
	  "dialback with a partner never ends",                                                    \
	  "the partner does not answer our key: it cannot reach us to verify it, because 5269 is " \
	  "closed in one direction, or it is slow itself",                                         \
	  "open 5269/tcp both ways, and see that our own SRV record leads to the edge",            \
	  "sallyport probe {}")                                                                    \
	X(NOT_FOUND_THERE, 24, "not-found-there", DOCTOR, WARNING,                                 \
	  "a partner cannot find our domain",                                                      \
	  "it answers remote-server-not-found: its DNS does not know our record, as when inside "  \
	  "and outside see different zones",                                                       \
	  "publish _xmpp-server._tcp of our domain in the DNS that the partner sees", "")          \
	X(NO_MECHANISM, 25, "no-mechanism", LATER, NONE,                                           \
	  "the partner's log: no SASL mechanism offered",                                          \
	  "comes with SASL EXTERNAL; dialback is offered always", "", "")                          \
	X(EXTERNAL_FAILS, 26, "external-fails", LATER, NONE, "the partner's log: EXTERNAL fails",  \
	  "comes with SASL EXTERNAL, which is not offered yet", "", "")                            \
	X(PURPOSE, 27, "certificate-purpose", LATER, NONE, "unsupported certificate purpose",      \
	  "comes with client certificates, which are not asked for yet", "", "")                   \
	X(NO_TLS, 28, "partner-tls", DOCTOR, WARNING, "a partner and we do not agree on TLS",      \
	  "TLS is required on one side and not to be had on the other",                            \
	  "ask the partner's operator to switch TLS on; federation.security_mode is for all "      \
	  "partners",                                                                              \
	  "sallyport why {}")                                                                      \
	X(IN_CLEAR, 29, "in-clear", LATER, NONE, "a stream in clear though TLS is possible",       \
	  "an alarm on a change from TLS to none comes with the full security modes; "             \
	  "sallyport streams shows each stream's TLS now",                                         \
	  "", "")                                                                                  \
	X(WRONG_NAME, 30, "certificate-name", DOCTOR, WARNING,                                     \
	  "a certificate does not hold for the domain",                                            \
	  "the name is not in it, or it has ended: whoever checks it closes after TLS",            \
	  "have it issued anew with the domain in it: a partner's by its operator, ours by "       \
	  "sallyport cert csr and cert install",                                                   \
	  "")                                                                                      \
	X(UNKNOWN_ISSUER, 31, "certificate-issuer", DOCTOR, WARNING,                               \
	  "a partner's certificate is of an unknown issuer",                                       \
	  "its chain is incomplete, it is self-signed, or its authority is not trusted here",      \
	  "ask its operator to send the whole chain, or set tls.trust to all authorities that "    \
	  "you trust, with this one: it replaces those of this machine",                           \
	  "sallyport why {}")                                                                      \
	X(REVOKED, 32, "revoked", LATER, NONE, "revoked, or the revocation list cannot be had",    \
	  "comes with revocation lists, which are not asked yet", "", "")                          \
	X(EXPIRES, 41, "certificate-expires", DOCTOR, CRITICAL,                                    \
	  "a certificate of ours has ended or ends soon",                                          \
	  "partners that check it refuse us once it has ended",                                    \
	  "install a new one: of tls.certificate by sallyport cert csr and cert install, of "      \
	  "another by config set",                                                                 \
	  "sallyport cert csr")                                                                    \
	X(SAME_NAME, 42, "certificates-of-one-name", NO, NONE, "TLS to the inner server fails",    \
	  "a home server's certificate is pinned, or held against axl.trust as a whole, so two "   \
	  "of one name are not mixed up",                                                          \
	  "", "")                                                                                  \
	/* of this system alone */                                                                 \
	X(ATTACHMENT, 101, "attachment-down", DOCTOR, ERROR, "the home server is not attached",    \
	  "the XMPP server with the users is down, blocked, or refuses the component's secret",    \
	  "see what was seen, and the home server's own log", "sallyport config show attachments") \
	X(PROCESS, 102, "process-down", DOCTOR, ERROR, "a process of a node does not run",         \
	  "it has ended or does not answer; what it does, and would tell, is missing",             \
	  "it is started again by itself: the log says of what it died", "sallyport log last=200") \
	X(NODE_GONE, 103, "node-gone", DOCTOR, ERROR, "a node cannot be reached at all",           \
	  "neither its tunnel nor its link comes about: it is down, or a firewall is in between",  \
	  "see that sallyportd runs there, and that 2222/tcp and 7400/tcp are open to it from "    \
	  "the core",                                                                              \
	  "")                                                                                      \
	X(RESOLVER, 104, "resolver", DOCTOR, ERROR, "no name can be looked up",                    \
	  "the DNS servers of this node do not answer, or answer with errors",                     \
	  "see that dns.servers are right and can be reached at 53/udp and 53/tcp",                \
	  "sallyport config show dns.")                                                            \
	X(PARTNER_DNS, 105, "partner-dns", DOCTOR, WARNING, "a partner's DNS cannot be used",      \
	  "its name servers fail, its signatures are broken, or its record leads to an address "   \
	  "that no public record may name",                                                        \
	  "ask its operator to mend it, or add a static route (or dial.allowed_networks, if the "  \
	  "address is meant)",                                                                     \
	  "sallyport why {}")                                                                      \
	X(PARTNER_DOWN, 106, "partner-down", DOCTOR, WARNING,                                      \
	  "a partner's server cannot be reached",                                                  \
	  "nothing answers where its record or our static route leads: it is down, or a firewall " \
	  "drops 5269",                                                                            \
	  "see that 5269/tcp outwards is open here; otherwise it is the partner's",                \
	  "sallyport probe {}")                                                                    \
	X(PARTNER_BROKEN, 107, "partner-broken", DOCTOR, WARNING,                                  \
	  "a partner's server ends what we begin with it",                                         \
	  "it answers with an error or with what is not XMPP, or TLS with it fails",               \
	  "see why, step by step; what it says is quoted word for word", "sallyport why {}")       \
	X(REPLICA, 108, "settings-not-taken", DOCTOR, WARNING,                                     \
	  "a node does not take what another tells it of its settings",                            \
	  "it refused them, or did not store them yet", "see what was seen", "")                   \
	X(VERBOSE, 109, "verbose", DOCTOR, WARNING, "modules log at level debug for good",         \
	  "log.levels was set for a search and not set back: it costs time and disk",              \
	  "set it back when you have seen what you need", "sallyport config set log.levels")       \
	X(LOOPBACK, 110, "loopback", DOCTOR, ERROR,                                                \
	  "the edge listens for the world on a loopback address only",                             \
	  "`listen s2s` in sallyport.conf has an address that nobody else reaches",                \
	  "give it an address that the world reaches, and restart the node", "")                   \
	X(RELEASES, 111, "releases-differ", DOCTOR, WARNING, "nodes run different releases",       \
	  "one of them was upgraded and the other was not", "upgrade the older one", "")           \
	X(CANNOT_LOOK, 112, "cannot-look", DOCTOR, WARNING, "a node could not be asked",           \
	  "its tunnel is up, and its doctor did not answer in time or refused to look",            \
	  "run sallyport doctor there", "sallyport doctor")

enum symptom {
#define X(id, number, name, applies, severity, title, cause, fix, command) SYMPTOM_##id,
	SYMPTOMS(X)
#undef X
		SYMPTOM_COUNT
};

enum symptom_applies { SYMPTOM_DOCTOR, SYMPTOM_LATER, SYMPTOM_NO };

struct symptom_row {
	unsigned number;
	const char *name;
	enum symptom_applies applies;
	const char *severity; /* "critical", "error", "warning"; "" if doctor does not name it */
	const char *title, *cause, *fix, *command;
};
extern const struct symptom_row symptom_rows[SYMPTOM_COUNT];

/* SYMPTOM_COUNT: no such number. */
enum symptom symptom_of(unsigned number);

#endif
