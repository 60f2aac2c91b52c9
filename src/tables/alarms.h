/*
 * The alarms table: what an operator has to do something about, for as long as it is so. A row is
 *
 *	X(IDENTIFIER, number, SEVERITY, "title", "cause", "fix")
 *
 * Numbers and titles are Expressway's where it has the alarm; ours begin at 90001. Cause and fix
 *are for people; what was seen is added by whoever raises it. An alarm may be raised several times
 *with different subjects (a node, a home server, a domain). Raised and lowered by conditions alone,
 *see admin/alarms.c. log, command line and later the web page read this.
 */
#ifndef TABLES_ALARMS_H
#define TABLES_ALARMS_H

#define ALARMS(X)                                                                                  \
	X(AXL, 25023, WARNING, "XMPP Federation configuration warning",                            \
	  "the address of an edge could not be written into a home server by AXL",                 \
	  "see what was seen: it says whether user, role, version, TLS or network; then "          \
	  "sallyport home-server refresh")                                                         \
	X(XMPP_ADDRESS, 25024, ERROR, "XMPP configuration error",                                  \
	  "the edge listens for the world on a loopback address only",                             \
	  "give `listen s2s` in sallyport.conf an address that the world reaches, and restart")    \
	X(RESTART, 15021, WARNING, "Delayed Cisco XCP Router restart",                             \
	  "the router works by an older xmpps2snodes than the one that is stored",                 \
	  "sallyport restart router, or router.apply live")                                        \
	X(TUNNEL, 35013, WARNING, "Unified Communications SSH tunnel failure",                     \
	  "the SSH tunnel to another node is down, so settings and status don't pass",             \
	  "see what was seen; a wrong key means that the node was set up anew: pair again")        \
	X(TUNNEL_PORT, 35014, WARNING, "Unified Communications SSH tunnel notification failure",   \
	  "no TCP connection to the other node's SSH port comes about",                            \
	  "open the core's ephemeral ports to 2222/tcp of the other node, and see that it runs")   \
	X(CLOCK, 25022, WARNING, "Clocks of two nodes differ",                                     \
	  "the clock of another node is not ours", "synchronise both by NTP")                      \
	X(VERBOSE, 25019, WARNING, "Verbose log levels configured",                                \
	  "a module logs at level debug, which costs time and disk",                               \
	  "set log.levels back when you have seen what you need")                                  \
	X(CERTIFICATE_EXPIRED, 40068, CRITICAL, "Server certificate expired",                      \
	  "a certificate of ours is past its time",                                                \
	  "sallyport cert csr, then cert install; of the other services: config set")              \
	X(CERTIFICATE_EXPIRES, 40069, ALERT, "Server certificate expires soon",                    \
	  "a certificate of ours ends within 14 days",                                             \
	  "sallyport cert csr, then cert install; of the other services: config set")              \
	X(LINK, 90001, ERROR, "Router link down", "stanzas cannot pass to or from another node",   \
	  "open the core's ephemeral ports to 7400/tcp of the other node; see what was seen")      \
	X(ATTACHMENT, 90002, ERROR, "Home server not attached",                                    \
	  "the XMPP server with the users is not connected to this node",                          \
	  "see what was seen, and the home server's own log")                                      \
	X(NO_DOMAIN, 90003, WARNING, "No domain is federated",                                     \
	  "federation is on, and no domain of the core has it on",                                 \
	  "config set domains on the core, with `on` behind each domain that is to federate")      \
	X(BOTH_FEDERATE, 90004, ERROR, "Two federations at once",                                  \
	  "the home server federates by itself (XMPP Federation Node Status On) beside the edge",  \
	  "switch its own federation off, refresh the home servers on the core, then restart the " \
	  "router")                                                                                \
	X(SECRETS_DIFFER, 90005, ERROR, "Dialback secrets differ",                                 \
	  "two edges of one deployment have different dialback secrets",                           \
	  "set federation.dialback_secret to the same value on all edges")                         \
	X(NO_EDGE, 90006, ERROR, "No edge in use",                                                 \
	  "the router's xmpps2snodes names no edge that is linked: everything foreign bounces",    \
	  "see sallyport routes; then the AXL state and the links on the core")                    \
	X(FOREIGN_ROW, 90007, WARNING, "Unknown row in xmpps2snodes",                              \
	  "a home server's table names an edge that this core has nothing to do with",             \
	  "if nobody else wrote it: run sql \"delete from xmpps2snodes where ...\" there")         \
	X(ROUTES_EMPTY, 90008, WARNING, "Static routes are on and there is none",                  \
	  "federation.use_static_routes is on, the list is empty: all domains go by DNS",          \
	  "add routes, or switch it off")                                                          \
	X(ROUTE_DEAD, 90009, WARNING, "Static route without a living server",                      \
	  "none of a domain's static addresses takes connections; DNS is not asked instead",       \
	  "repair or remove the domain's static routes")                                           \
	X(FAULT, 90010, ERROR, "Settings that cannot work",                                        \
	  "the settings were stored, and something in them keeps the node from working",           \
	  "see what was seen, and set it right")                                                   \
	X(REPLICA, 90011, WARNING, "Another node refuses our settings",                            \
	  "what was sent through the tunnel was not stored over there", "see what was seen")       \
	X(PROCESS, 90012, ERROR, "A process does not run",                                         \
	  "one of this node's processes is down or does not answer",                               \
	  "the log says of what it died; it is started again by itself")                           \
	X(ELSEWHERE, 90013, WARNING, "Federation is on, and this node cannot take part",           \
	  "the edge's link to the core is down: it has no way to the users",                       \
	  "on the core: sallyport alarms")

enum alarm {
#define X(id, number, severity, title, cause, fix) ALARM_##id,
	ALARMS(X)
#undef X
		ALARM_COUNT
};

struct alarm_row {
	unsigned number;
	const char *severity; /* "warning", "alert", "error", "critical" */
	const char *title, *cause, *fix;
};
extern const struct alarm_row alarm_rows[ALARM_COUNT];

#endif
