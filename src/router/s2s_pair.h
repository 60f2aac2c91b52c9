/*
 * What the files of one domain pair's outbound side share: s2s_pair.c (its life, and what is asked
 * of it), s2s_flight.c (its stanzas), s2s_dial.c (from a domain to a connection, and back-offs),
 * s2s_stream.c (the session on it).
 */
#ifndef ROUTER_S2S_PAIR_H
#define ROUTER_S2S_PAIR_H

#include "router/s2s_internal.h"

struct s2s_pair {
	struct s2s_port *owner;
	struct worker *worker;
	char local[DOMAIN_BYTES + 1], remote[DOMAIN_BYTES + 1];
	struct s2s_name name;
	unsigned probe_number;	 /* 0: carries stanzas */
	struct s2s_probe *probe; /* NULL: none, or it has ended */
	struct queue waiting, flight;
	struct s2s_questions questions;
	struct target *target;
	struct target_candidate *candidates;
	size_t candidates_count, next_candidate;
	struct conn *conn;
	struct s2s_out *session;
	bool secured, ready;
	bool reached;	 /* in this attempt, an address */
	bool ended_here; /* we end the session: its end says nothing about what waits */
	/* what the session was made with, and what it saw */
	enum security_mode security;
	bool verify_certificate, certificate_valid;
	const char *tls, *certificate;
	char address[CONN_ADDRESS_TEXT]; /* of the peer */
	struct timer session_timer, retry, every_second, ack;
	unsigned failures;
	enum failure last_failure;
	char why[200];
	uint64_t attempt_ms, since_ms, stanzas;
};

static inline uint64_t s2s_pair_now_ms(const struct s2s_pair *p)
{
	return loop_now_ms(p->worker->loop);
}

/* Before each input of the session. */
static inline void s2s_pair_tell_time(struct s2s_pair *p)
{
	s2s_out_tell_time(p->session, s2s_pair_now_ms(p));
}

static inline struct policy_decision s2s_pair_decide(const struct s2s_pair *p)
{
	return policy_decide(p->worker->config->policy, p->local, p->remote);
}

/* `probe_number` 0: the one that s2s_pair_get finds. */
struct s2s_pair *s2s_pair_create(struct s2s_port *port, const char *local, const char *remote,
				 unsigned probe_number);
/* Whether somebody wants a stream that can carry stanzas. */
static inline bool s2s_pair_wants_ready(const struct s2s_pair *p)
{
	return p->waiting.first || p->probe;
}
/* Does what is needed for what waits. */
void s2s_pair_need(struct s2s_pair *p);

/* s2s_probe.c; a pair that is no probe, or whose probe has ended: fine. */
void s2s_probe_ended(struct s2s_pair *p);
void s2s_probe_drop(struct s2s_pair *p);

/* Whether stanzas may be written: not any more once the session has said its footer. */
bool s2s_flight_is_open(const struct s2s_pair *p);
void s2s_flight_write(struct s2s_pair *p); /* what waits, if it may */
/*
 * The stream broke: what the kernel never had goes out on the next stream, in its place before
 * what waits; the rest nobody can know. True: there is such, so this connection must not send
 * another byte.
 */
bool s2s_flight_recover(struct s2s_pair *p);
void s2s_flight_on_ack(struct timer *timer);

void s2s_dial_begin(struct s2s_pair *p);
/* Tries the next address; with none left the attempt has failed as the last one did. */
void s2s_dial_next(struct s2s_pair *p, enum failure failure, const char *why);
/* All candidates failed, or there were none. */
void s2s_dial_failed(struct s2s_pair *p, enum failure failure, const char *why);
/* Stanzas cannot be written for now: they wait for a retry, or are refused. */
void s2s_dial_back_off(struct s2s_pair *p, enum failure failure, const char *why);
void s2s_dial_forget(struct s2s_pair *p); /* the addresses left */
void s2s_dial_set_why(struct s2s_pair *p, enum failure failure, const char *why);

void s2s_stream_dial(struct s2s_pair *p, const struct conn_address *to);
void s2s_stream_pump(struct s2s_pair *p);
void s2s_stream_drop(struct s2s_pair *p, bool in_order);
/* Ends the session in order; it asks for its last actions. */
void s2s_stream_end(struct s2s_pair *p, const char *condition, enum failure failure);
void s2s_stream_on_timer(struct timer *timer);

#endif
