/*
 * What the files of the s2s port share: s2s_port.c (the port, its pairs and streams by name),
 * s2s_pair.h (outbound), s2s_inbound.c, s2s_notes.c (the lines of the log), s2s_steps.c (the steps
 * of an attempt, router/attempts.h), s2s_tally.c (counters).
 */
#ifndef ROUTER_S2S_INTERNAL_H
#define ROUTER_S2S_INTERNAL_H

#include "net/conn.h"
#include "net/target.h"
#include "router/attempts.h"
#include "router/histogram.h"
#include "router/s2s_port.h"
#include "router/s2s_questions.h"
#include "xmpp/s2s_in.h"
#include "xmpp/s2s_out.h"

#define XCODER_LEN 9
#define CONNECTION_ID_LEN 32 /* hex digits; shown as a UUID, its first 9 are the xcoder */

struct s2s_port;

/* Who a connection is, in every line of the log about it, and the attempt that it is part of. */
struct s2s_name {
	struct s2s_port *port;
	struct attempt *attempt; /* NULL: not recorded */
	char uuid[37], xcoder[XCODER_LEN + 1];
	const char *local, *remote; /* "" while unknown */
	bool out;
};
/* A new connection of that port begins, and with it an attempt; local and remote are set. */
void s2s_name_make(struct s2s_name *name, bool wanted);
bool s2s_is_watched(const struct s2s_name *name);
/* log_event of what has a name. */
#define s2s_log(name, event, ...) log_watched(s2s_is_watched(name), event, __VA_ARGS__)

/* A step of the attempt (router/attempts.h). */
__attribute__((format(printf, 5, 6))) void s2s_step(const struct s2s_name *name,
						    enum attempt_who who, enum attempt_step step,
						    enum attempt_verdict verdict,
						    const char *format, ...);
/* The same for what was begun before. */
__attribute__((format(printf, 5, 6))) void
s2s_step_done(const struct s2s_name *name, enum attempt_who who, enum attempt_step step,
	      enum attempt_verdict verdict, const char *format, ...);
void s2s_step_of_note(const struct s2s_name *name, enum s2s_note note, struct slice text);
void s2s_step_certificate(const struct s2s_name *name, const struct tls_peer *peer, bool valid,
			  bool required);
/* Somebody asks us about a key: in the attempt of the stream whose key it is. */
void s2s_step_asked(const struct s2s_port *port, const struct dialback_claim *claim, bool valid);
void s2s_log_note(const struct s2s_name *name, enum s2s_note note, struct slice text);
void s2s_log_refused(const struct s2s_name *name, const char *why);
/* "Connection state change: PENDING->CONNECTED: ..." */
void s2s_log_state(const struct s2s_name *name, const char *from, const char *to, const char *why);

struct s2s_pair;
struct s2s_inbound;

/* What is counted, of both directions: [1] is out. */
struct s2s_tally {
	uint64_t ready[2], failed[2][FAILURE_COUNT];
	struct histogram setup[2]; /* from the attempt's beginning until stanzas may flow */
	uint64_t tls_1_2, tls_1_3, tls_none;
	uint64_t keys_valid, keys_invalid; /* of ours, that others asked about */
	uint64_t verified[3];		   /* of others, that we asked about, by s2s_verdict */
};
void s2s_tally_ready(struct s2s_tally *tally, const struct s2s_name *name, const char *tls,
		     uint64_t took_ms);
void s2s_tally_write(const struct s2s_tally *tally, struct buffer *out);

struct s2s_port {
	struct port port;
	struct worker *worker;
	struct map pairs;     /* "local remote": s2s_pair */
	struct map inbound;   /* number, 8 bytes: s2s_inbound */
	struct map addresses; /* of inbound peers, "192.0.2.1": how many, unsigned */
	uint64_t next_number;
	struct listener *listeners[16];
	size_t listeners_count;
	bool stopping;
	uint64_t accepted, refused_connections;
	struct attempts *attempts;
	struct s2s_tally tally;
	struct s2s_pair *probes[S2S_PROBES_MAX];
	unsigned probes_begun;
	struct map dead;     /* remote domain: why no static address of it was reached, char * */
	struct timer resume; /* while inbound streams are paused: looks again */
};

/* Whether one of a remote domain's static addresses was reached; NULL: yes. */
void s2s_port_note_route(struct s2s_port *port, const char *remote, const char *why);

/* s2s_pair.c: the outbound side of one domain pair. */
struct s2s_pair *s2s_pair_get(struct s2s_port *port, const char *local, const char *remote);
/* NULL: there is none. */
struct s2s_pair *s2s_pair_find(const struct s2s_port *port, const char *local, const char *remote);
void s2s_pair_destroy(struct s2s_pair *pair);
void s2s_pair_send(struct s2s_pair *pair, struct item *item);
/* Asks the authoritative server of the remote domain; the answer comes later, to the inbound
 * stream of that number, if it is still there. */
void s2s_pair_verify(struct s2s_pair *pair, uint64_t inbound, uint64_t request,
		     const struct dialback_claim *claim, struct slice key);
/* A back-off ends. */
void s2s_pair_retry(struct s2s_pair *pair);
void s2s_pair_apply(struct s2s_pair *pair);
void s2s_pair_try(const struct s2s_pair *pair, const struct config *candidate,
		  struct effects *effects);
void s2s_pair_shut_down(struct s2s_pair *pair);
bool s2s_pair_close(struct s2s_pair *pair, const char *xcoder);
/* The peer asks about the key of the stream of that id, whose authoritative server we are. */
void s2s_pair_note_asked(const struct s2s_pair *pair, const char *stream_id, bool valid);
bool s2s_pair_is_in_flight(const struct s2s_pair *pair); /* stanzas, not acknowledged by TCP */
bool s2s_pair_has_stream(const struct s2s_pair *pair);
void s2s_pair_status(const struct s2s_pair *pair, struct buffer *out);
void s2s_pair_add_queue(const struct s2s_pair *pair, struct buffer *out); /* if something waits */
bool s2s_pair_is_probe(const struct s2s_pair *pair);
const char *s2s_pair_remote(const struct s2s_pair *pair);

/* s2s_inbound.c: one connection that came in. */
void s2s_inbound_accept(struct s2s_port *port, int fd, const struct conn_address *from);
void s2s_inbound_destroy(struct s2s_inbound *inbound);
void s2s_inbound_verified(struct s2s_inbound *inbound, uint64_t request, enum s2s_verdict verdict,
			  enum failure failure);
void s2s_inbound_apply(struct s2s_inbound *inbound);
void s2s_inbound_try(const struct s2s_inbound *inbound, const struct config *candidate,
		     struct effects *effects);
void s2s_inbound_close(struct s2s_inbound *inbound, const char *condition, enum failure failure);
bool s2s_inbound_is(const struct s2s_inbound *inbound, const char *xcoder);
void s2s_inbound_resume(struct s2s_inbound *inbound);
void s2s_inbound_status(const struct s2s_inbound *inbound, struct buffer *out);

/* Answers a session's question about a key, with the secret of this node. */
bool s2s_check_key(struct s2s_port *port, const struct s2s_name *name,
		   const struct s2s_action *action);
/* The stream error that tells a peer why its stream is closed by new settings. */
const char *s2s_condition(enum failure failure);
enum failure s2s_failure_of(enum conn_end how);
/* That the settings would close this stream. */
void s2s_note_close(const struct s2s_name *name, enum failure failure, struct effects *effects);
/* `required`: a certificate that is not valid ends the stream. Returns the verdict in a word. */
const char *s2s_judge(struct conn *conn, const char *domain, bool required,
		      const struct s2s_name *name, struct s2s_tls *tls);

/* What a stream's record shows. */
struct s2s_stream_view {
	const char *state, *tls, *cipher;
	const char *address;	 /* the peer's */
	const char *certificate; /* "valid", "invalid", "none" */
	uint64_t stanzas, seconds;
	uint64_t bytes; /* sent on an outbound stream, received on an inbound one */
};
/* Appends the record `stream`. */
void s2s_add_stream(struct buffer *out, const struct s2s_name *name,
		    const struct s2s_stream_view *view);

/* How a domain of the world does now: of several streams, the best state. */
enum s2s_peer_state { S2S_PEER_NONE, S2S_PEER_WAITING, S2S_PEER_CONNECTING, S2S_PEER_READY };
struct s2s_peer {
	enum s2s_peer_state out, in;
	size_t waiting;
	uint64_t retry_ms; /* UINT64_MAX: none is waited for */
	uint64_t stanzas;
};
struct s2s_peer *s2s_peer_of(struct map *peers, const char *remote);
void s2s_pair_tell_peer(const struct s2s_pair *pair, struct map *peers);
void s2s_inbound_tell_peers(const struct s2s_inbound *inbound, struct map *peers);

#endif
