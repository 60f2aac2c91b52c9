/*
 * The failures table: what can keep a stanza from its recipient, and what follows from it. Log,
 * retry, bounce and diagnosis all read a row, so they cannot disagree. A row is
 *
 *	X(IDENTIFIER, "name-in-the-log", TYPE, "stanza-error-condition", RETRY,
 *	  "what the sender's client is told",
 *	  "what an operator should know and do")
 *
 * The text for the client names no inner host or address and no other domain. TYPE and condition:
 * RFC 6120 8.3.2, 8.3.3, 10.4; XEP-0220 2.4. RETRY: another attempt, later or at another address,
 * may help, so what waits goes on waiting for its time.
 */
#ifndef TABLES_FAILURES_H
#define TABLES_FAILURES_H

#include <stdbool.h>

#define FAILURES(X)                                                                                \
	/* finding the domain */                                                                   \
	X(NO_SUCH_DOMAIN, "no-such-domain", CANCEL, "remote-server-not-found", false,              \
	  "the domain does not exist or has no XMPP server",                                       \
	  "neither an SRV record _xmpp-server._tcp nor an address: check the name's spelling, or " \
	  "ask its operator to publish the record, or add a static route")                         \
	X(NO_SERVICE, "no-service", CANCEL, "remote-server-not-found", false,                      \
	  "the domain says that it has no XMPP server",                                            \
	  "its SRV record has the target '.': the domain does not federate")                       \
	X(DNS_FAILED, "dns-failed", WAIT, "remote-server-timeout", true,                           \
	  "the domain could not be looked up now",                                                 \
	  "the resolver answered with an error or not at all: look at network.dns in the log and " \
	  "at dns.servers")                                                                        \
	X(DNS_BOGUS, "dns-bogus", CANCEL, "remote-server-not-found", false,                        \
	  "the domain's DNS records are forged or broken",                                         \
	  "DNSSEC validation failed: the domain's operator must repair its signatures, or "        \
	  "somebody tampers with DNS")                                                             \
	X(ADDRESS_REFUSED, "address-refused", CANCEL, "remote-server-not-found", false,            \
	  "the domain's server has no public address",                                             \
	  "its SRV record names an address that a public record must not name: add a static "      \
	  "route or an entry in dial.allowed_networks if this is meant")                           \
	/* reaching it */                                                                          \
	X(TCP_REFUSED, "tcp-refused", WAIT, "remote-server-timeout", true,                         \
	  "the domain's server refuses connections",                                               \
	  "nothing listens there, or a firewall rejects: port 5269 outbound and theirs inbound")   \
	X(TCP_UNREACHABLE, "tcp-unreachable", WAIT, "remote-server-timeout", true,                 \
	  "the domain's server cannot be reached",                                                 \
	  "no route to it: check routing and address family")                                      \
	X(TCP_TIMEOUT, "tcp-timeout", WAIT, "remote-server-timeout", true,                         \
	  "the domain's server does not answer",                                                   \
	  "no answer to TCP: a firewall drops port 5269, here or there, or the host is down")      \
	X(TLS_FAILED, "tls-failed", WAIT, "remote-server-timeout", true,                           \
	  "no secure connection to the domain's server came about",                                \
	  "the TLS handshake failed; the log line s2s.tls.failed has OpenSSL's words")             \
	X(NO_TLS, "no-tls", CANCEL, "remote-server-not-found", false,                              \
	  "the domain's server has no encryption, which is required here",                         \
	  "it offers no STARTTLS and federation.security_mode is tls-required: ask its operator "  \
	  "to switch TLS on, or choose tls-optional")                                              \
	X(TLS_NOT_WANTED, "tls-not-wanted", CANCEL, "remote-server-not-found", false,              \
	  "the domain's server requires encryption, which is switched off here",                   \
	  "federation.security_mode is no-tls and the peer requires TLS")                          \
	X(CERTIFICATE_REFUSED, "certificate-refused", CANCEL, "remote-server-not-found", false,    \
	  "the domain's server has no valid certificate",                                          \
	  "its chain or name is not valid; s2s.tls says what is wrong. Trust the missing "         \
	  "authority (tls.trust), ask its operator, or see "                                       \
	  "federation.verify_server_certificates")                                                 \
	X(PROTOCOL, "protocol", CANCEL, "remote-server-not-found", false,                          \
	  "the domain's server does not speak the protocol",                                       \
	  "what it sent is not XMPP server-to-server; the log has its first words")                \
	X(STREAM_ERROR, "stream-error", WAIT, "remote-server-timeout", true,                       \
	  "the domain's server closed the connection with an error",                               \
	  "the log has the peer's stream error word for word")                                     \
	X(HOST_UNKNOWN, "host-unknown", CANCEL, "remote-server-not-found", false,                  \
	  "the server found does not serve this domain",                                           \
	  "the peer answers host-unknown: its SRV record or our static route points to a wrong "   \
	  "host")                                                                                  \
	X(DIALBACK_REFUSED, "dialback-refused", CANCEL, "internal-server-error", false,            \
	  "the domain's server does not believe that we speak for our domain",                     \
	  "the peer asked the authoritative server of our domain and heard 'invalid': the "        \
	  "secrets of our edges differ, or our SRV record points to another server")               \
	X(DIALBACK_ERROR, "dialback-error", WAIT, "remote-server-timeout", true,                   \
	  "the domain's server could not check who we are",                                        \
	  "the peer could not reach the authoritative server of our domain: our SRV record or "    \
	  "our "                                                                                   \
	  "inbound port 5269")                                                                     \
	X(TIMEOUT, "timeout", WAIT, "remote-server-timeout", true,                                 \
	  "the domain's server took too long",                                                     \
	  "a step of the stream's set-up passed its time; the log names the step. If it is the "   \
	  "dialback result, our inbound port 5269 may be closed to the peer")                      \
	X(LOST, "connection-lost", WAIT, "remote-server-timeout", true,                            \
	  "the connection to the domain's server broke",                                           \
	  "reset, closed or silent; it is tried again")                                            \
	/* rules */                                                                                \
	X(FEDERATION_OFF, "federation-off", CANCEL, "not-allowed", false,                          \
	  "federation is switched off here", "federation.enabled is off")                          \
	X(NOT_ON_ALLOW_LIST, "not-on-allow-list", CANCEL, "not-allowed", false,                    \
	  "the rules here do not allow contact with this domain",                                  \
	  "federation.privacy_mode is allow-list and the domain is not in federation.allow_list; " \
	  "chat domains need entries of their own")                                                \
	X(ON_DENY_LIST, "on-deny-list", CANCEL, "not-allowed", false,                              \
	  "the rules here do not allow contact with this domain",                                  \
	  "the domain is in federation.deny_list")                                                 \
	X(NOT_FEDERATED, "not-federated", CANCEL, "not-allowed", false,                            \
	  "this domain does not take part in federation",                                          \
	  "the local domain is not in domains, or not marked federated")                           \
	X(OWN_DOMAIN, "own-domain", CANCEL, "not-allowed", false,                                  \
	  "this domain is served here and not reached by federation",                              \
	  "a peer claims to speak for a domain of ours, or a stanza between two domains of ours "  \
	  "came to the gateway: compare domains with what the home server serves")                 \
	X(RULE_BROKEN, "rule-broken", CANCEL, "not-allowed", false,                                \
	  "this stanza breaks a rule of the gateway",                                              \
	  "another node sent what it may not: the log line link.refused names the rule")           \
	X(NOT_FORWARDABLE, "not-forwardable", MODIFY, "not-acceptable", false,                     \
	  "the stanza contains what must not leave this stream",                                   \
	  "an element inside claims a stream's own namespace: stanza smuggling, or a broken "      \
	  "client")                                                                                \
	/* our own parts */                                                                        \
	X(NO_ROUTE, "no-route", CANCEL, "item-not-found", false, "nobody here serves this domain", \
	  "no link or attachment for it: see sallyport status")                                    \
	X(NOT_PROVISIONED, "not-provisioned", WAIT, "remote-server-timeout", false,                \
	  "the gateway to other domains is not set up yet",                                        \
	  "xmpps2snodes names no edge that is linked: see sallyport routes here, and the AXL "     \
	  "state on the core")                                                                     \
	X(RESTART_PENDING, "restart-pending", WAIT, "remote-server-timeout", false,                \
	  "the gateway to other domains is being set up",                                          \
	  "xmpps2snodes was changed after the router had read it: sallyport restart router")       \
	X(LINK_DOWN, "link-down", WAIT, "remote-server-timeout", true,                             \
	  "the gateway is interrupted", "the link to the next node is down: see network.link")     \
	X(ATTACHMENT_DOWN, "attachment-down", WAIT, "remote-server-timeout", true,                 \
	  "the server with the users cannot be reached",                                           \
	  "the home server is down or refuses the component: see network.attachment")              \
	X(QUEUE_FULL, "queue-full", WAIT, "resource-constraint", false,                            \
	  "too much is waiting for this domain", "a queue reached limits.queue_stanzas or _bytes") \
	X(EXPIRED, "expired", WAIT, "remote-server-timeout", false,                                \
	  "the stanza waited too long for its connection",                                         \
	  "it passed limits.queue_seconds; the domain's last failure says why")                    \
	X(UNCERTAIN, "uncertain", WAIT, "remote-server-timeout", false,                            \
	  "the connection broke; the stanza may have been delivered",                              \
	  "a node or peer went away between taking the stanza and acknowledging it")               \
	X(SHUTDOWN, "shutdown", WAIT, "remote-server-timeout", false,                              \
	  "the gateway is being stopped", "the node was told to stop")

enum failure {
	FAILURE_NONE,
#define X(id, name, type, condition, retry, text, advice) FAILURE_##id,
	FAILURES(X)
#undef X
		FAILURE_COUNT
};

struct failure_row {
	const char *name;
	const char *type; /* of the stanza error: "cancel", "wait", "modify" */
	const char *condition;
	bool retry;
	const char *text;   /* for the sender's client */
	const char *advice; /* for the operator */
};

extern const struct failure_row failure_rows[FAILURE_COUNT]; /* FAILURE_NONE: name "none" */

static inline const char *failure_name(enum failure failure)
{
	return failure_rows[failure].name;
}
/* FAILURE_NONE: no such name. */
enum failure failure_read(const char *name, unsigned long len);

#endif
