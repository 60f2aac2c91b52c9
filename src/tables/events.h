/*
 * The events table: everything that can be logged, one row an event. A row is
 *
 *	X(IDENTIFIER, MODULE, LEVEL, "code.location", "what it means, for people")
 *
 * The location is the event's name in the log, in the event log page and in the man page. Where
 * the walk-through shows a literal, the row's name is that of the original. Detail is key=value
 * pairs, opened by the stream's xcoder where there is one. An event that the original shows with
 * fields of its own instead has them instead: see EVENTS_WITH_FIELDS.
 */
#ifndef TABLES_EVENTS_H
#define TABLES_EVENTS_H

#include "base/log.h"

/* Modules, each with its own level at run time (default INFO). */
#define EVENT_MODULES(X)                                                                           \
	X(SYSTEM, "system.process")                                                                \
	X(SETTINGS, "developer.clusterdb.restapi")                                                 \
	X(DNS, "network.dns")                                                                      \
	X(AXL, "network.axl")                                                                      \
	X(LINK, "network.link")                                                                    \
	X(ATTACHMENT, "network.attachment")                                                        \
	X(S2S, "XMPPFederation")                                                                   \
	X(STREAM, "developer.xcp.cm")                                                              \
	X(ROUTER, "developer.xcp.jabber")                                                          \
	X(POLICY, "developer.xcp.federation")                                                      \
	X(ADMIN, "network.admin")                                                                  \
	X(PROVISION, "developer.edgeconfigprovisioning")

#define EVENTS(X)                                                                                  \
	/* processes */                                                                            \
	X(PROCESS_START, SYSTEM, INFO, "process.start", "a process begins")                        \
	X(PROCESS_READY, SYSTEM, INFO, "process.ready", "a process serves")                        \
	X(PROCESS_STOP, SYSTEM, INFO, "process.stop", "a process ends as asked")                   \
	X(PROCESS_FAILED, SYSTEM, ERROR, "process.failed", "a process cannot start or go on")      \
	X(PROCESS_DIED, SYSTEM, ERROR, "process.died", "a child died; why says of what")           \
	X(PROCESS_RESTARTED, SYSTEM, WARN, "process.restarted", "a child was started again")       \
	X(PROCESS_KILLED, SYSTEM, WARN, "process.killed", "a child did not finish in time")        \
	X(SANDBOX_ENTERED, SYSTEM, INFO, "sandbox.entered", "a process gave up its rights")        \
	X(SANDBOX_FAILED, SYSTEM, ERROR, "sandbox.failed", "a wall of the sandbox is missing")     \
	X(IPC_REFUSED, SYSTEM, ERROR, "ipc.refused", "a message that its sender may not send")     \
	X(IPC_OVERFLOW, SYSTEM, ERROR, "ipc.overflow", "another process does not read")            \
	X(IPC_GONE, SYSTEM, INFO, "ipc.gone", "the channel to another process closed")             \
	X(LISTENER_OPEN, SYSTEM, INFO, "listener.open", "an address is listened on")               \
	X(LISTENER_FAILED, SYSTEM, ERROR, "listener.failed", "an address cannot be listened on")   \
	X(PROCESS_SAID, SYSTEM, WARN, "process.said", "what a library or the system wrote")        \
	X(LOG_DROPPED, SYSTEM, WARN, "log.dropped", "log lines were lost: nobody read them")       \
	/* settings */                                                                             \
	X(SNAPSHOT_TAKEN, SETTINGS, INFO, "snapshot.taken", "a process works by new settings")     \
	X(SNAPSHOT_REFUSED, SETTINGS, ERROR, "snapshot.refused", "a snapshot cannot be read")      \
	X(CONFIG_CHANGED, SETTINGS, INFO, "config.changed", "a setting was changed")               \
	X(CONFIG_FAULT, SETTINGS, ERROR, "config.fault", "these settings cannot work together")    \
	X(CONFIG_REFUSED, SETTINGS, WARN, "config.refused", "a change was refused")                \
	X(STORE_OPENED, SETTINGS, INFO, "store.opened", "the store was opened")                    \
	X(STORE_FAILED, SETTINGS, ERROR, "store.failed", "the store cannot be read or written")    \
	/* DNS */                                                                                  \
	X(DNS_LOOKUP, DNS, INFO, "Resolver", "Starting resolver lookup for ...")                   \
	X(DNS_RESOLVED, DNS, INFO, "debug", "resolved dialback address for host=...")              \
	X(DNS_ANSWER, DNS, DEBUG, "dns.answer", "one question and its answer")                     \
	X(DNS_FAILED, DNS, WARN, "dns.failed", "a question without a usable answer")               \
	X(DNS_BOGUS, DNS, WARN, "dns.bogus", "an answer that fails DNSSEC validation")             \
	X(DNS_CUT, DNS, WARN, "dns.cut", "an answer with more records than are used")              \
	X(RESOLVER_READY, DNS, INFO, "resolver.ready", "the resolver knows whom to ask")           \
	X(RESOLVER_LOST, DNS, WARN, "resolver.lost", "the resolver process is gone")               \
	X(RESOLVER_REBUILT, DNS, INFO, "resolver.rebuilt", "the resolver asks others from now on") \
	/* s2s: the lines of the walk-through */                                                   \
	X(STANZA_OUT, STREAM, INFO, "stanza.component.out", "sending:: ...")                       \
	X(STANZA_IN, STREAM, INFO, "stanza.component.in", "received:: ...")                        \
	X(STREAM_OUT, STREAM, DEBUG, "stream.out", "an outbound stream's steps")                   \
	X(STREAM_IN, STREAM, INFO, "stream.in", "closing stream used for dialback only")           \
	X(STREAM_OPENED, STREAM, INFO, "onStreamOpen", "onStreamOpen:: <stream:stream ...>")       \
	X(STREAM_FEATURES, STREAM, DEBUG, "stream.features", "what a stream offers")               \
	X(STREAM_ERROR, STREAM, WARN, "stream.error", "the peer's stream error, word for word")    \
	X(CONNECTION_STATE, STREAM, INFO, "ConnInfoHistory", "Connection state change: A->B: ...") \
	X(DIALBACK_VERIFY, STREAM, INFO, "DBVerify", "DBVerify stream open, packet received")      \
	/* s2s */                                                                                  \
	X(S2S_OUT_ATTEMPT, S2S, DEBUG, "s2s.out.attempt", "one address is tried")                  \
	X(S2S_OUT_READY, S2S, INFO, "s2s.out.ready", "an outbound stream may carry stanzas")       \
	X(S2S_OUT_CLOSED, S2S, INFO, "s2s.out.closed", "an outbound stream ended")                 \
	X(S2S_OUT_FAILED, S2S, WARN, "s2s.out.failed", "an outbound stream was not reached")       \
	X(S2S_IN_ACCEPTED, S2S, DEBUG, "s2s.in.accepted", "a connection came in")                  \
	X(S2S_IN_REFUSED, S2S, WARN, "s2s.in.refused", "a connection beyond a limit was closed")   \
	X(S2S_IN_READY, S2S, INFO, "s2s.in.ready", "an inbound domain pair is proven")             \
	X(S2S_IN_CLOSED, S2S, INFO, "s2s.in.closed", "an inbound stream ended")                    \
	X(S2S_IN_FAILED, S2S, WARN, "s2s.in.failed", "an inbound stream did not get ready")        \
	X(S2S_TLS, S2S, INFO, "s2s.tls", "TLS is up, with the certificate's verdict")              \
	X(S2S_TLS_FAILED, S2S, WARN, "s2s.tls.failed", "TLS did not come up")                      \
	X(DIALBACK_VALID, S2S, INFO, "dialback.valid", "a dialback key was right")                 \
	X(DIALBACK_INVALID, S2S, WARN, "dialback.invalid", "a dialback key was wrong")             \
	X(S2S_REFUSED, S2S, WARN, "s2s.refused", "a peer did what it may not")                     \
	X(POLICY_DECIDED, POLICY, INFO, "policy.decided", "whether we may talk to a domain")       \
	/* links and attachments */                                                                \
	X(LINK_UP, LINK, INFO, "link.up", "a link to another node is open")                        \
	X(LINK_DOWN, LINK, WARN, "link.down", "a link to another node ended")                      \
	X(LINK_FAILED, LINK, WARN, "link.failed", "a link to another node was not reached")        \
	X(LINK_REALMS, LINK, INFO, "link.realms", "which edges a core can reach now")              \
	X(LINK_REFUSED, LINK, WARN, "link.refused", "a link was refused; why says by what rule")   \
	X(ATTACHMENT_UP, ATTACHMENT, INFO, "attachment.up", "the server with the users is there")  \
	X(ATTACHMENT_DOWN, ATTACHMENT, WARN, "attachment.down", "that server is gone")             \
	X(ATTACHMENT_FAILED, ATTACHMENT, WARN, "attachment.failed", "it was not reached")          \
	X(ATTACHMENT_S2S, ATTACHMENT, WARN, "attachment.s2s",                                      \
	  "that server federates past us, or not")                                                 \
	X(ATTACHMENT_REFUSED, ATTACHMENT, WARN, "attachment.refused", "it did what it may not")    \
	/* stanzas and their fates */                                                              \
	X(STANZA_ROUTED, ROUTER, DEBUG, "stanza.routed", "a stanza was handed to a port")          \
	X(STANZA_DELIVERED, ROUTER, DEBUG, "stanza.delivered", "the next server acknowledged it")  \
	X(STANZA_WRITTEN, ROUTER, DEBUG, "stanza.written", "the next server's TCP has it")         \
	X(STANZA_BOUNCED, ROUTER, INFO, "stanza.bounced", "its sender got an error")               \
	X(STANZA_REFUSED, ROUTER, WARN, "stanza.refused", "it breaks a rule")                      \
	X(STANZA_EXPIRED, ROUTER, INFO, "stanza.expired", "it waited too long")                    \
	X(STANZA_UNCERTAIN, ROUTER, WARN, "stanza.uncertain", "it may or may not have arrived")    \
	X(STANZA_LOGGED, ROUTER, INFO, "stanza.logged",                                            \
	  "a whole stanza, while log.stanzas has its domain")                                      \
	X(ROUTER_LOADED, ROUTER, INFO, "router.loaded", "the router works by this xmpps2snodes")   \
	X(ROUTER_RESTARTED, ROUTER, INFO, "router.restarted", "the router service was restarted")  \
	/* between our nodes */                                                                    \
	X(SSH_ACCEPTED, PROVISION, DEBUG, "ssh.accepted", "a connection came in to our SSH")       \
	X(SSH_REFUSED, PROVISION, WARN, "ssh.refused", "who came in to our SSH may not")           \
	X(TUNNEL_UP, PROVISION, INFO, "tunnel.up", "the SSH tunnel to another node is open")       \
	X(TUNNEL_DOWN, PROVISION, WARN, "tunnel.down", "the SSH tunnel to another node ended")     \
	X(TUNNEL_FAILED, PROVISION, WARN, "tunnel.failed", "the tunnel was not reached")           \
	X(PAIRING_CODE, PROVISION, INFO, "pairing.code", "a pairing code was made, or is void")    \
	X(PAIRING_DONE, PROVISION, INFO, "pairing.done", "two nodes know each other from now on")  \
	X(PAIRING_FAILED, PROVISION, WARN, "pairing.failed", "a pairing was refused; why")         \
	X(REPLICA_SENT, SETTINGS, INFO, "replica.sent", "settings went to another node")           \
	X(REPLICA_TAKEN, SETTINGS, INFO, "replica.taken", "another node's settings were stored")   \
	X(REPLICA_ACKNOWLEDGED, SETTINGS, INFO, "replica.acknowledged", "it has stored ours")      \
	X(REPLICA_REFUSED, SETTINGS, ERROR, "replica.refused", "one of both refused; why")         \
	X(AXL_CALL, AXL, INFO, "axl.call", "a request to a home server, or its answer")            \
	X(AXL_SERVED, AXL, INFO, "axl.served", "a request to our AXL service, and the answer")     \
	X(AXL_SYNCED, AXL, INFO, "axl.synced", "a home server's table is as it should be")         \
	X(AXL_FAILED, AXL, WARN, "axl.failed", "a home server's table could not be kept; why")     \
	X(NOTICE_RAISED, SETTINGS, WARN, "notice.raised", "the operator has to do something")      \
	X(NOTICE_CLEARED, SETTINGS, INFO, "notice.cleared", "a notification was deleted")          \
	/* people */                                                                               \
	X(ALARM_RAISED, ADMIN, WARN, "alarm.raised", "Alarm raised: id, title, what was seen")     \
	X(ALARM_LOWERED, ADMIN, INFO, "alarm.lowered", "Alarm lowered")                            \
	X(ADMIN_REQUEST, ADMIN, INFO, "admin.request", "somebody asked for something")             \
	X(ADMIN_LOOKED, ADMIN, DEBUG, "admin.looked", "somebody looked at how the node does")      \
	X(ADMIN_REFUSED, ADMIN, WARN, "admin.refused", "somebody asked for what they may not")     \
	X(ADMIN_LOGIN, ADMIN, INFO, "admin.login", "somebody logged in to the web page")           \
	X(ADMIN_LOGIN_FAILED, ADMIN, WARN, "admin.login.failed", "somebody could not log in; why") \
	X(ADMIN_LOGOUT, ADMIN, INFO, "admin.logout", "a session of the web page ended")            \
	X(ADMIN_LINK, ADMIN, INFO, "admin.link",                                                   \
	  "a link to set a password was made, used or void")                                       \
	X(LOG_LEVEL, SYSTEM, INFO, "log.level", "what a module logs was changed, or is as before") \
	X(DIAG_STARTED, ADMIN, WARN, "diag.started", "a diagnostic log began")                     \
	X(DIAG_MARK, ADMIN, INFO, "diag.mark", "a line that somebody wrote into it")               \
	X(DIAG_ENDED, ADMIN, INFO, "diag.ended", "a diagnostic log ended; why")                    \
	X(DIAG_TAKEN, ADMIN, WARN, "diag.taken", "somebody took what a diagnostic log brought")    \
	X(CAPTURE_STARTED, ADMIN, WARN, "capture.started", "packets are captured")                 \
	X(CAPTURE_ENDED, ADMIN, INFO, "capture.ended", "a capture ended; why, packets, bytes")     \
	X(CAPTURE_FAILED, ADMIN, ERROR, "capture.failed", "packets cannot be captured; why")

/* Logged by log_fields, without CodeLocation and Detail. */
#define EVENTS_WITH_FIELDS(X) X(AXL_CALL)

enum event_module {
#define X(id, name) EVENT_MODULE_##id,
	EVENT_MODULES(X)
#undef X
		EVENT_MODULE_COUNT
};

enum event_id {
#define X(id, module, level, location, text) EVENT_##id,
	EVENTS(X)
#undef X
		EVENT_COUNT
};

struct event_row {
	enum event_module module;
	enum log_level level;
	const char *location;
	const char *text;
};

extern const struct event_row event_rows[EVENT_COUNT];
extern enum log_level event_levels[EVENT_MODULE_COUNT]; /* what is logged; see log_set_level */

const char *event_module_name(enum event_module module);
/* False: no such module. */
bool log_set_level(const char *module, enum log_level level);

static inline bool event_is_on(enum event_id event)
{
	return event_rows[event].level <= event_levels[event_rows[event].module];
}

/* log_event(EVENT_S2S_OUT_READY, "xcoder=%s peer=%s", ...): the arguments cost nothing if off. */
#define log_event(event, ...) (event_is_on(event) ? event_write(event, __VA_ARGS__) : (void)0)
/* The same, and if `watched`, whatever the levels. */
#define log_watched(watched, event, ...)                                                           \
	(event_is_on(event) || (watched) ? event_write(event, __VA_ARGS__) : (void)0)
void event_write(enum event_id event, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* log_fields(EVENT_AXL_CALL, { "Action", "Send" }, { "URL", url }): likewise. */
#define log_fields(event, ...)                                                                     \
	(event_is_on(event)                                                                        \
		 ? event_write_fields(event, (const struct log_field[]){ __VA_ARGS__, { NULL } })  \
		 : (void)0)
void event_write_fields(enum event_id event, const struct log_field *fields);

#endif
