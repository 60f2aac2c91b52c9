#include "router/s2s_pair.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>

#define KEY_BYTES (2 * DOMAIN_BYTES + 16)

static bool holds(const struct s2s_pair *p)
{
	return timer_is_armed(&p->retry) && p->last_failure != FAILURE_NONE &&
	       !failure_rows[p->last_failure].retry;
}

void s2s_pair_send(struct s2s_pair *p, struct item *item)
{
	struct policy_decision decision = s2s_pair_decide(p);
	const struct queue_limits *limits = s2s_flight_is_open(p) ? &p->worker->config->link_limits
								  : &p->worker->config->pair_limits;
	enum failure failure = decision.refused;

	if (p->owner->stopping)
		failure = FAILURE_SHUTDOWN;
	else if (failure == FAILURE_NONE && holds(p))
		failure = p->last_failure;
	else if (failure == FAILURE_NONE && (p->waiting.count >= limits->stanzas ||
					     p->waiting.bytes + item->cost > limits->bytes))
		failure = FAILURE_QUEUE_FULL;
	if (decision.refused != FAILURE_NONE) {
		attempts_refused(p->owner->attempts, p->remote, s2s_pair_now_ms(p),
				 decision.refused);
		s2s_log(&p->name, EVENT_POLICY_DECIDED,
			"local=%s peer=%s direction=OUT verdict=refused why=%s", p->local,
			p->remote, failure_name(failure));
	}
	if (failure != FAILURE_NONE) {
		router_settle(p->worker->router, &item, LINK_REFUSED, failure);
	} else {
		queue_push(&p->waiting, item);
		s2s_flight_write(p);
	}
	s2s_pair_need(p);
}

void s2s_pair_need(struct s2s_pair *p)
{
	if (p->owner->stopping || (!s2s_pair_wants_ready(p) && !p->questions.first))
		return;
	if (!timer_is_armed(&p->every_second))
		loop_arm(p->worker->loop, &p->every_second, 1000);
	if (p->session) {
		/* after a dialback error the stream stays, and so does the back-off */
		if (s2s_pair_wants_ready(p) && !p->ready && !timer_is_armed(&p->retry)) {
			s2s_pair_tell_time(p);
			s2s_out_want_ready(p->session);
			s2s_stream_pump(p);
		}
	} else if (!p->target && !p->conn && !timer_is_armed(&p->retry)) {
		s2s_dial_begin(p);
	}
}

static bool is_idle(const struct s2s_pair *p)
{
	return !p->session && !p->conn && !p->target && !p->waiting.first && !p->flight.first &&
	       !p->questions.first && !p->probe && !timer_is_armed(&p->retry);
}

static void on_retry(struct timer *timer)
{
	struct s2s_pair *p = (void *)((char *)timer - offsetof(struct s2s_pair, retry));

	s2s_pair_need(p);
	if (is_idle(p))
		s2s_pair_destroy(p);
}

/* What waited too long, and a pair that is no longer needed. Not armed for a stream at rest. */
static void on_every_second(struct timer *timer)
{
	struct s2s_pair *p = (void *)((char *)timer - offsetof(struct s2s_pair, every_second));
	uint64_t limit = p->worker->config->pair_limits.seconds * UINT64_C(1000);

	while (p->waiting.first && p->waiting.first->taken_ms + limit <= s2s_pair_now_ms(p)) {
		struct item *item = p->waiting.first;

		router_settle(p->worker->router, &item, LINK_REFUSED,
			      p->last_failure != FAILURE_NONE ? p->last_failure : FAILURE_EXPIRED);
	}
	s2s_questions_expire(&p->questions, s2s_pair_now_ms(p),
			     p->last_failure != FAILURE_NONE ? p->last_failure : FAILURE_TIMEOUT);
	if (is_idle(p))
		s2s_pair_destroy(p);
	else if (p->waiting.first || p->questions.first)
		loop_arm(p->worker->loop, &p->every_second, 1000);
}

struct s2s_pair *s2s_pair_find(const struct s2s_port *port, const char *local, const char *remote)
{
	char key[KEY_BYTES];

	snprintf(key, sizeof(key), "%s %s", local, remote);
	return map_get(&port->pairs, slice_of(key));
}

/* No domain has a space in it. */
static void write_key(const struct s2s_pair *p, char key[KEY_BYTES])
{
	if (p->probe_number)
		snprintf(key, KEY_BYTES, "%s %s %u", p->local, p->remote, p->probe_number);
	else
		snprintf(key, KEY_BYTES, "%s %s", p->local, p->remote);
}

struct s2s_pair *s2s_pair_create(struct s2s_port *port, const char *local, const char *remote,
				 unsigned probe_number)
{
	struct s2s_pair *p = xcalloc(1, sizeof(*p));
	char key[KEY_BYTES];

	p->probe_number = probe_number;
	p->owner = port;
	p->worker = port->worker;
	snprintf(p->local, sizeof(p->local), "%s", local);
	snprintf(p->remote, sizeof(p->remote), "%s", remote);
	p->name = (struct s2s_name){
		.port = port, .local = p->local, .remote = p->remote, .out = true
	};
	p->tls = "";
	p->certificate = "none";
	p->session_timer.fire = s2s_stream_on_timer;
	p->retry.fire = on_retry;
	p->every_second.fire = on_every_second;
	p->ack.fire = s2s_flight_on_ack;
	s2s_questions_init(&p->questions, port, p->worker->loop);
	write_key(p, key);
	map_put(&port->pairs, slice_of(key), p);
	loop_arm(p->worker->loop, &p->every_second, 1000);
	return p;
}

struct s2s_pair *s2s_pair_get(struct s2s_port *port, const char *local, const char *remote)
{
	struct s2s_pair *p = s2s_pair_find(port, local, remote);

	return p ? p : s2s_pair_create(port, local, remote, 0);
}

void s2s_pair_destroy(struct s2s_pair *p)
{
	char key[KEY_BYTES];

	write_key(p, key);
	s2s_probe_drop(p);
	map_remove(&p->owner->pairs, slice_of(key));
	if (p->conn && p->session)
		s2s_flight_recover(p);
	s2s_stream_drop(p, false);
	target_cancel(&p->target);
	loop_disarm(p->worker->loop, &p->retry);
	loop_disarm(p->worker->loop, &p->every_second);
	router_settle_lost(p->worker->router, &p->flight, FAILURE_LOST);
	router_settle_lost(p->worker->router, &p->waiting, FAILURE_LOST);
	s2s_questions_finish(&p->questions);
	s2s_dial_forget(p);
	attempt_release(&p->name.attempt);
	free(p);
}

void s2s_pair_verify(struct s2s_pair *p, uint64_t inbound, uint64_t request,
		     const struct dialback_claim *claim, struct slice key)
{
	uint64_t due_ms = s2s_pair_now_ms(p) + p->worker->config->timeouts.verify * UINT64_C(1000);
	struct s2s_question *question =
		s2s_questions_add(&p->questions, inbound, request, claim, key, due_ms);

	if (holds(p))
		s2s_questions_fail(&p->questions, p->last_failure);
	if (!question || holds(p))
		return;
	/* Somebody there speaks for the domain: worth another look at once. */
	loop_disarm(p->worker->loop, &p->retry);
	if (p->session && !p->ended_here) { /* else the next stream asks */
		s2s_pair_tell_time(p);
		s2s_question_ask(question, p->session);
		s2s_stream_pump(p);
	}
	s2s_pair_need(p);
}

void s2s_pair_retry(struct s2s_pair *p)
{
	if (!timer_is_armed(&p->retry))
		return;
	loop_disarm(p->worker->loop, &p->retry);
	loop_arm(p->worker->loop, &p->every_second, 1000); /* nothing may need it any more */
	p->failures = 0;
	s2s_pair_need(p);
}

/* What new settings have against the stream as it is, or as it is being set up. */
static enum failure objection(const struct s2s_pair *p, const struct policy_decision *decision)
{
	if (!p->session)
		return FAILURE_NONE;
	if (decision->refused != FAILURE_NONE)
		return decision->refused;
	if (!p->secured && decision->security == SECURITY_TLS_REQUIRED &&
	    p->security != SECURITY_TLS_REQUIRED)
		return FAILURE_NO_TLS;
	if (decision->verify_certificate &&
	    (p->secured ? !p->certificate_valid : !p->ready && !p->verify_certificate))
		return FAILURE_CERTIFICATE_REFUSED;
	return FAILURE_NONE;
}

void s2s_pair_apply(struct s2s_pair *p)
{
	struct policy_decision decision = s2s_pair_decide(p);

	if (decision.refused != FAILURE_NONE) {
		s2s_questions_fail(&p->questions, decision.refused);
		router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, decision.refused);
	}
	if (p->session) {
		enum failure failure = objection(p, &decision);

		if (failure != FAILURE_NONE)
			s2s_stream_end(p, s2s_condition(failure), failure);
	} else { /* what is looked up or dialled by the old settings begins anew */
		target_cancel(&p->target);
		s2s_dial_forget(p);
		s2s_stream_drop(p, false);
		loop_arm(p->worker->loop, &p->every_second, 1000); /* if nothing needs it */
	}
	s2s_pair_retry(p); /* what failed may work by the new settings */
	s2s_pair_need(p);
}

void s2s_pair_try(const struct s2s_pair *p, const struct config *candidate, struct effects *effects)
{
	struct policy_decision decision = policy_decide(candidate->policy, p->local, p->remote);
	enum failure failure = objection(p, &decision);

	effects->streams += s2s_pair_has_stream(p);
	if (failure != FAILURE_NONE && !p->ended_here)
		s2s_note_close(&p->name, failure, effects);
	if (decision.refused != FAILURE_NONE)
		effects->bounced += p->waiting.count;
}

void s2s_pair_shut_down(struct s2s_pair *p)
{
	target_cancel(&p->target);
	router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, FAILURE_SHUTDOWN);
	if (p->session)
		s2s_stream_end(p, "system-shutdown", FAILURE_SHUTDOWN);
	else
		s2s_stream_drop(p, false);
}

bool s2s_pair_close(struct s2s_pair *p, const char *xcoder)
{
	if (!p->session || strcmp(p->name.xcoder, xcoder) != 0)
		return false;
	s2s_stream_end(p, NULL, FAILURE_NONE);
	return true;
}

void s2s_pair_note_asked(const struct s2s_pair *p, const char *stream_id, bool valid)
{
	if (p->session && strcmp(s2s_out_stream_id(p->session), stream_id) == 0)
		s2s_step(&p->name, ATTEMPT_PEER, STEP_VERIFY, valid ? STEP_OK : STEP_BAD,
			 "they ask us about the key: %s", valid ? "it is ours" : "it is not ours");
}

bool s2s_pair_is_in_flight(const struct s2s_pair *p)
{
	return p->flight.first != NULL;
}

bool s2s_pair_has_stream(const struct s2s_pair *p)
{
	return p->session != NULL;
}

bool s2s_pair_is_probe(const struct s2s_pair *p)
{
	return p->probe_number != 0;
}

const char *s2s_pair_remote(const struct s2s_pair *p)
{
	return p->remote;
}

void s2s_pair_status(const struct s2s_pair *p, struct buffer *out)
{
	const char *state = p->session	? s2s_out_state(p->session)
			    : p->conn	? "connecting"
			    : p->target ? "resolving"
					: failure_name(p->last_failure);

	s2s_add_stream(out, &p->name,
		       &(struct s2s_stream_view){
			       .state = state,
			       .tls = p->tls,
			       .cipher = p->tls[0] ? SSL_get_cipher(conn_tls(p->conn)) : "",
			       .address = p->conn ? p->address : "",
			       .certificate = p->certificate,
			       .stanzas = p->stanzas,
			       .seconds = p->ready ? (s2s_pair_now_ms(p) - p->since_ms) / 1000 : 0,
			       .bytes = p->conn ? conn_appended(p->conn) : 0,
		       });
	s2s_pair_add_queue(p, out);
}

void s2s_pair_tell_peer(const struct s2s_pair *p, struct map *peers)
{
	struct s2s_peer *peer = s2s_peer_of(peers, p->remote);
	bool waits = timer_is_armed(&p->retry);
	/* a stream that only verifies gets nowhere further */
	enum s2s_peer_state state = p->ready		      ? S2S_PEER_READY
				    : waits		      ? S2S_PEER_WAITING
				    : s2s_pair_wants_ready(p) ? S2S_PEER_CONNECTING
							      : S2S_PEER_NONE;

	peer->out = state > peer->out ? state : peer->out;
	peer->waiting += p->waiting.count;
	peer->stanzas += p->session ? p->stanzas : 0;
	if (waits && !p->probe_number) {
		uint64_t now_ms = s2s_pair_now_ms(p);
		uint64_t in_ms = p->retry.due_ms > now_ms ? p->retry.due_ms - now_ms : 0;

		peer->retry_ms = in_ms < peer->retry_ms ? in_ms : peer->retry_ms;
	}
}

void s2s_pair_add_queue(const struct s2s_pair *p, struct buffer *out)
{
	char stanzas[24], bytes[24], seconds[24];

	if (!p->waiting.first)
		return;
	snprintf(stanzas, sizeof(stanzas), "%zu", p->waiting.count);
	snprintf(bytes, sizeof(bytes), "%zu", p->waiting.bytes);
	snprintf(seconds, sizeof(seconds), "%" PRIu64,
		 (s2s_pair_now_ms(p) - p->waiting.first->taken_ms) / 1000);
	snapshot_add(out, &(struct snapshot_record){ 6,
						     { slice_of("queue"), slice_of(p->local),
						       slice_of(p->remote), slice_of(stanzas),
						       slice_of(bytes), slice_of(seconds) } });
}
