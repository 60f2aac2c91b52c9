#include "router/s2s_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS 60000
#define SHORT_LIFE_MS 2000 /* a stream that breaks sooner is not opened again at once */
#define HOLD_MS 2000 /* after a failure that a retry cannot mend: refused without asking again */
#define LINGER_MS 2000
#define ACK_POLL_MS 20
#define ACK_POLL_BUSY_MS 5
#define BUSY_ITEMS 256
#define UNSENT_BYTES_MAX                                                                           \
	((size_t)1 << 20) /* handed to the connection and not yet to the kernel                    \
			   */

struct s2s_pair {
	struct s2s_port *owner;
	struct worker *worker;
	char local[DOMAIN_BYTES + 1], remote[DOMAIN_BYTES + 1];
	struct s2s_name name;
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
	const char *tls;
	struct timer session_timer, retry, every_second, ack;
	unsigned failures;
	enum failure last_failure;
	char why[200];
	uint64_t attempt_ms, since_ms, stanzas;
};

static void need(struct s2s_pair *p);
static void pump(struct s2s_pair *p);
static void dial_next(struct s2s_pair *p, enum failure failure, const char *why);

static uint64_t now_ms(const struct s2s_pair *p)
{
	return loop_now_ms(p->worker->loop);
}

/* Before each input of the session. */
static void tell_time(struct s2s_pair *p)
{
	s2s_out_tell_time(p->session, now_ms(p));
}

static struct policy_decision decide_by(const struct s2s_pair *p, const struct config *config)
{
	return policy_decide(config->policy, p->local, p->remote);
}

static struct policy_decision decide(const struct s2s_pair *p)
{
	return decide_by(p, p->worker->config);
}

static void set_why(struct s2s_pair *p, enum failure failure, const char *why)
{
	p->last_failure = failure;
	snprintf(p->why, sizeof(p->why), "%s", why ? why : "");
}

/* Stanzas */

/* Whether stanzas may be written: not any more once the session has said its footer. */
static bool takes_stanzas(const struct s2s_pair *p)
{
	return p->ready && p->conn && s2s_out_is_ready(p->session);
}

static void write_waiting(struct s2s_pair *p)
{
	struct buffer *out;
	bool wrote = false;

	if (!takes_stanzas(p))
		return;
	out = conn_out(p->conn);
	while (p->waiting.first && buffer_len(out) < UNSENT_BYTES_MAX) {
		struct item *item = p->waiting.first;

		queue_remove(item);
		queue_push(&p->flight, item);
		buffer_append_slice(out, item->stanza->bytes);
		item->mark = conn_appended(p->conn);
		item->given = true;
		p->stanzas++;
		wrote = true;
	}
	if (!wrote)
		return;
	conn_flush(p->conn);
	tell_time(p);
	s2s_out_used(p->session);
	if (!timer_is_armed(&p->ack))
		loop_arm(p->worker->loop, &p->ack, ACK_POLL_MS);
}

static void settle_acknowledged(struct s2s_pair *p)
{
	uint64_t acknowledged = conn_acknowledged(p->conn);

	while (p->flight.first && p->flight.first->mark <= acknowledged) {
		struct item *item = p->flight.first;

		router_settle(p->worker->router, &item, LINK_WRITTEN, FAILURE_NONE);
	}
}

static void on_ack(struct timer *timer)
{
	struct s2s_pair *p = (void *)((char *)timer - offsetof(struct s2s_pair, ack));

	if (!p->conn)
		return;
	settle_acknowledged(p);
	write_waiting(p);
	if (p->flight.first || p->waiting.first)
		loop_arm(p->worker->loop, &p->ack,
			 p->flight.count > BUSY_ITEMS ? ACK_POLL_BUSY_MS : ACK_POLL_MS);
}

/* The stream broke: what the kernel never had goes out on the next stream, in its place before
 * what waits; the rest nobody can know. True: there is such, so this connection must not send
 * another byte. */
static bool recover_flight(struct s2s_pair *p)
{
	bool unsent;

	uint64_t written = conn_written(p->conn);
	struct queue again = { 0 };

	settle_acknowledged(p);
	while (p->flight.first) {
		struct item *item = p->flight.first;

		if (item->mark - item->stanza->bytes.len >= written) {
			queue_remove(item);
			item->given = false;
			item->mark = 0;
			queue_push(&again, item);
		} else {
			router_settle(p->worker->router, &item, LINK_UNCERTAIN, FAILURE_UNCERTAIN);
		}
	}
	unsent = again.first != NULL;
	while (p->waiting.first) {
		struct item *item = p->waiting.first;

		queue_remove(item);
		queue_push(&again, item);
	}
	while (again.first) {
		struct item *item = again.first;

		queue_remove(item);
		queue_push(&p->waiting, item);
	}
	return unsent;
}

static bool holds(const struct s2s_pair *p)
{
	return timer_is_armed(&p->retry) && p->last_failure != FAILURE_NONE &&
	       !failure_rows[p->last_failure].retry;
}

void s2s_pair_send(struct s2s_pair *p, struct item *item)
{
	struct policy_decision decision = decide(p);
	const struct queue_limits *limits = takes_stanzas(p) ? &p->worker->config->link_limits
							     : &p->worker->config->pair_limits;
	enum failure failure = decision.refused;

	if (p->owner->stopping)
		failure = FAILURE_SHUTDOWN;
	else if (failure == FAILURE_NONE && holds(p))
		failure = p->last_failure;
	else if (failure == FAILURE_NONE && (p->waiting.count >= limits->stanzas ||
					     p->waiting.bytes + item->cost > limits->bytes))
		failure = FAILURE_QUEUE_FULL;
	if (decision.refused != FAILURE_NONE)
		log_event(EVENT_POLICY_DECIDED,
			  "local=%s peer=%s direction=OUT verdict=refused why=%s", p->local,
			  p->remote, failure_name(failure));
	if (failure != FAILURE_NONE) {
		router_settle(p->worker->router, &item, LINK_REFUSED, failure);
	} else {
		queue_push(&p->waiting, item);
		write_waiting(p);
	}
	need(p);
}

/* The stream's life */

static void drop_stream(struct s2s_pair *p, bool in_order)
{
	s2s_out_destroy(&p->session);
	loop_disarm(p->worker->loop, &p->session_timer);
	loop_disarm(p->worker->loop, &p->ack);
	if (p->conn && in_order)
		conn_finish(&p->conn, LINGER_MS);
	else
		conn_destroy(&p->conn);
	p->ready = p->secured = p->ended_here = p->certificate_valid = false;
	p->tls = "";
}

static void forget_candidates(struct s2s_pair *p)
{
	free(p->candidates);
	p->candidates = NULL;
	p->candidates_count = p->next_candidate = 0;
}

/* Stanzas cannot be written for now: they wait for a retry, or are refused. */
static void back_off(struct s2s_pair *p, enum failure failure, const char *why)
{
	bool retry = failure_rows[failure].retry;

	set_why(p, failure, why);
	p->failures++;
	log_event(EVENT_S2S_OUT_FAILED,
		  "xcoder=%s local=%s peer=%s why=%s detail=\"%s\" waiting=%zu", p->name.xcoder,
		  p->local, p->remote, failure_name(failure), p->why, p->waiting.count);
	s2s_log_state(&p->name, "PENDING", "DISCONNECTED", failure_name(failure));
	loop_arm(p->worker->loop, &p->retry,
		 retry ? worker_back_off_ms(p->failures, RETRY_FIRST_MS, RETRY_MOST_MS) : HOLD_MS);
	if (!retry)
		router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, failure);
}

/* All candidates failed, or there were none. */
static void attempt_failed(struct s2s_pair *p, enum failure failure, const char *why)
{
	back_off(p, failure, why);
	s2s_questions_fail(&p->questions, failure);
}

static void log_closed(const struct s2s_pair *p, enum failure failure, const char *why)
{
	log_event(EVENT_S2S_OUT_CLOSED,
		  "xcoder=%s local=%s peer=%s why=%s detail=\"%s\" stanzas=%" PRIu64
		  " seconds=%" PRIu64,
		  p->name.xcoder, p->local, p->remote, failure_name(failure), why, p->stanzas,
		  p->ready ? (now_ms(p) - p->since_ms) / 1000 : 0);
	s2s_log_state(&p->name, p->ready ? "CONNECTED" : "PENDING", "DISCONNECTED",
		      failure_name(failure));
}

static void closed(struct s2s_pair *p, const struct s2s_action *action)
{
	bool was_ready = p->ready, ended_here = p->ended_here, unsent = false;
	enum failure failure = action->failure;
	char why[sizeof(p->why)];

	snprintf(why, sizeof(why), "%s", action->why ? action->why : "");
	if (was_ready || ended_here || failure == FAILURE_NONE)
		log_closed(p, failure, why);
	if (was_ready)
		unsent = recover_flight(p);
	worker_write_out(p->conn, s2s_out_output(p->session));
	drop_stream(p, !unsent);
	loop_arm(p->worker->loop, &p->every_second, 1000); /* nothing may need it any more */
	if (p->owner->stopping) {
		router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, FAILURE_SHUTDOWN);
	} else if (ended_here || failure == FAILURE_NONE) {
		need(p); /* judges anew */
	} else if (was_ready) {
		if (!failure_rows[failure].retry)
			router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, failure);
		if (now_ms(p) - p->since_ms < SHORT_LIFE_MS)
			loop_arm(p->worker->loop, &p->retry, RETRY_FIRST_MS);
		need(p);
	} else if (failure == FAILURE_DIALBACK_REFUSED || failure == FAILURE_DIALBACK_ERROR) {
		attempt_failed(p, failure, why); /* another address would hear the same */
	} else {
		dial_next(p, failure, why);
	}
}

static void became_ready(struct s2s_pair *p)
{
	p->ready = true;
	p->failures = 0;
	p->since_ms = now_ms(p);
	set_why(p, FAILURE_NONE, "");
	forget_candidates(p);
	s2s_log_state(&p->name, "PENDING", "CONNECTED", "auth=dialback");
	log_event(EVENT_S2S_OUT_READY,
		  "xcoder=%s local=%s peer=%s auth=dialback tls=%s took_ms=%" PRIu64 " waiting=%zu",
		  p->name.xcoder, p->local, p->remote, p->tls[0] ? p->tls : "none",
		  now_ms(p) - p->attempt_ms, p->waiting.count);
}

static void start_tls(struct s2s_pair *p)
{
	const struct config *config = p->worker->config;

	if (!config->stream_tls) {
		s2s_out_closed(p->session, FAILURE_TLS_FAILED, "tls.certificate is not set");
		return;
	}
	worker_write_out(p->conn, s2s_out_output(p->session));
	conn_start_tls(p->conn, tls_dialling(config->stream_tls, p->remote),
		       config->timeout_tls_s * 1000);
}

static void make_key(struct s2s_pair *p, const struct s2s_action *action)
{
	char key[DIALBACK_KEY_LEN + 1] = "";

	if (p->worker->config->secret)
		dialback_key(p->worker->config->secret, &action->claim, key);
	s2s_out_key(p->session, key);
}

static void pump(struct s2s_pair *p)
{
	while (p->session) {
		struct s2s_action action = s2s_out_next(p->session);

		switch (action.type) {
		case S2S_NONE:
			worker_write_out(p->conn, s2s_out_output(p->session));
			s2s_questions_settle(&p->questions);
			write_waiting(p);
			return;
		case S2S_TIMER:
			if (action.seconds)
				loop_arm(p->worker->loop, &p->session_timer,
					 action.seconds * UINT64_C(1000));
			else
				loop_disarm(p->worker->loop, &p->session_timer);
			break;
		case S2S_START_TLS:
			start_tls(p);
			break;
		case S2S_MAKE_KEY:
			make_key(p, &action);
			break;
		case S2S_CHECK_KEY:
			s2s_out_key_checked(p->session, action.request,
					    s2s_check_key(p->owner, &p->name, &action));
			break;
		case S2S_VERIFIED:
			s2s_questions_take(&p->questions, &action);
			break;
		case S2S_READY:
			became_ready(p);
			break;
		case S2S_NOT_READY: /* questions may still be answered on this stream */
			back_off(p, action.failure, action.why);
			break;
		case S2S_REFUSED:
			s2s_log_refused(&p->name, action.why);
			break;
		case S2S_NOTE:
			s2s_log_note(&p->name, action.note, action.text);
			break;
		case S2S_CLOSED:
			closed(p, &action);
			return;
		case S2S_VERIFY:
		case S2S_STANZA: /* an outbound session asks for neither */
			break;
		}
	}
}

static void on_session_timer(struct timer *timer)
{
	struct s2s_pair *p = (void *)((char *)timer - offsetof(struct s2s_pair, session_timer));

	if (!p->session)
		return;
	tell_time(p);
	s2s_out_timeout(p->session);
	pump(p);
}

/* The connection's events */

static void on_connected(void *owner)
{
	struct s2s_pair *p = owner;
	struct policy_decision decision = decide(p);
	const struct config *config = p->worker->config;

	p->reached = true;
	s2s_port_note_route(p->owner, p->remote, NULL);
	p->security = decision.security;
	p->verify_certificate = decision.verify_certificate;
	p->session = s2s_out_create(&(struct s2s_out_options){
		.local_domain = p->local,
		.remote_domain = p->remote,
		.security = decision.security,
		.verify_certificate = decision.verify_certificate,
		.timeouts = config->timeouts,
		.limits = &config->limits_before,
	});
	tell_time(p);
	s2s_questions_ask(&p->questions, p->session);
	if (p->waiting.first)
		s2s_out_want_ready(p->session);
	s2s_out_connected(p->session);
	pump(p);
}

static char *on_room(void *owner, size_t *len)
{
	struct s2s_pair *p = owner;

	return s2s_out_room(p->session, len);
}

static void on_filled(void *owner, size_t len)
{
	struct s2s_pair *p = owner;

	tell_time(p);
	s2s_out_filled(p->session, len);
	pump(p);
}

static void on_secured(void *owner)
{
	struct s2s_pair *p = owner;
	struct s2s_tls tls;

	p->secured = true;
	p->tls = SSL_get_version(conn_tls(p->conn));
	s2s_judge(p->conn, p->remote, &p->name, &tls);
	p->certificate_valid = tls.certificate_valid;
	tell_time(p);
	s2s_out_secured(p->session, &tls);
	pump(p);
}

static void on_ended(void *owner, enum conn_end how, const char *why)
{
	struct s2s_pair *p = owner;
	enum failure failure = s2s_failure_of(how);

	if (how == CONN_TLS_FAILED)
		log_event(EVENT_S2S_TLS_FAILED,
			  "xcoder=%s local=%s peer=%s direction=OUT why=\"%s\"", p->name.xcoder,
			  p->local, p->remote, why);
	if (p->session) {
		tell_time(p);
		s2s_out_closed(p->session, failure, why);
		pump(p);
	} else {
		drop_stream(p, false);
		dial_next(p, failure, why);
	}
}

static const struct conn_handler handler = {
	.connected = on_connected,
	.room = on_room,
	.filled = on_filled,
	.secured = on_secured,
	.ended = on_ended,
};

/* No static address was reached: the last of them, and what became of it. */
static void note_dead_route(struct s2s_pair *p, const char *why)
{
	char address[CONN_ADDRESS_TEXT] = "no address", *text;

	if (p->reached || !config_has_static_route(p->worker->config, p->remote))
		return;
	if (p->candidates_count)
		conn_address_text(&p->candidates[p->candidates_count - 1].address, address);
	text = xasprintf("%s: %s", address, why);
	s2s_port_note_route(p->owner, p->remote, text);
	free(text);
}

/* Tries the next address; with none left the attempt has failed as the last one did. */
static void dial_next(struct s2s_pair *p, enum failure failure, const char *why)
{
	const struct target_candidate *candidate;
	char address[CONN_ADDRESS_TEXT];

	if (p->next_candidate == p->candidates_count) {
		note_dead_route(p, why);
		forget_candidates(p);
		attempt_failed(p, failure, why);
		return;
	}
	candidate = &p->candidates[p->next_candidate++];
	conn_address_text(&candidate->address, address);
	log_event(EVENT_S2S_OUT_ATTEMPT, "xcoder=%s local=%s peer=%s host=%s address=%s after=%s",
		  p->name.xcoder, p->local, p->remote, log_text(candidate->host), address,
		  failure_name(failure));
	p->conn = conn_dial(p->worker->loop, &candidate->address,
			    p->worker->config->timeout_tcp_s * 1000, &handler, p);
}

static void on_found(void *arg, const struct target_answer *answer)
{
	struct s2s_pair *p = arg;

	p->target = NULL;
	if (answer->failure != FAILURE_NONE) {
		attempt_failed(p, answer->failure, answer->why);
		return;
	}
	forget_candidates(p);
	p->candidates = xmalloc(answer->count * sizeof(p->candidates[0]));
	memcpy(p->candidates, answer->candidates, answer->count * sizeof(p->candidates[0]));
	p->candidates_count = answer->count;
	p->reached = false;
	dial_next(p, FAILURE_NONE, NULL);
}

static void begin_attempt(struct s2s_pair *p)
{
	struct policy_decision decision = decide(p);
	const struct config *config = p->worker->config;

	if (decision.refused != FAILURE_NONE) {
		attempt_failed(p, decision.refused, failure_rows[decision.refused].text);
		return;
	}
	s2s_name_make(&p->name, true);
	p->name.local = p->local;
	p->name.remote = p->remote;
	p->attempt_ms = now_ms(p);
	p->stanzas = 0;
	p->target = target_find(p->worker->loop, p->worker->dns, p->remote, p->name.xcoder,
				&(struct target_rules){
					.routes = decision.routes,
					.routes_count = decision.routes_count,
					.allowed = config->allowed_networks,
					.allowed_count = config->allowed_networks_count,
					.own = p->worker->own,
					.own_count = p->worker->own_count,
					.random = worker_random,
				},
				on_found, p);
}

/* Does what is needed for what waits. */
static void need(struct s2s_pair *p)
{
	if (p->owner->stopping || (!p->waiting.first && !p->questions.first))
		return;
	if (!timer_is_armed(&p->every_second))
		loop_arm(p->worker->loop, &p->every_second, 1000);
	if (p->session) {
		/* after a dialback error the stream stays, and so does the back-off */
		if (p->waiting.first && !p->ready && !timer_is_armed(&p->retry)) {
			tell_time(p);
			s2s_out_want_ready(p->session);
			pump(p);
		}
	} else if (!p->target && !p->conn && !timer_is_armed(&p->retry)) {
		begin_attempt(p);
	}
}

static bool is_idle(const struct s2s_pair *p)
{
	return !p->session && !p->conn && !p->target && !p->waiting.first && !p->flight.first &&
	       !p->questions.first && !timer_is_armed(&p->retry);
}

static void on_retry(struct timer *timer)
{
	struct s2s_pair *p = (void *)((char *)timer - offsetof(struct s2s_pair, retry));

	need(p);
	if (is_idle(p))
		s2s_pair_destroy(p);
}

/* What waited too long, and a pair that is no longer needed. Not armed for a stream at rest. */
static void on_every_second(struct timer *timer)
{
	struct s2s_pair *p = (void *)((char *)timer - offsetof(struct s2s_pair, every_second));
	uint64_t limit = p->worker->config->pair_limits.seconds * UINT64_C(1000);

	while (p->waiting.first && p->waiting.first->taken_ms + limit <= now_ms(p)) {
		struct item *item = p->waiting.first;

		router_settle(p->worker->router, &item, LINK_REFUSED,
			      p->last_failure != FAILURE_NONE ? p->last_failure : FAILURE_EXPIRED);
	}
	s2s_questions_expire(&p->questions, now_ms(p),
			     p->last_failure != FAILURE_NONE ? p->last_failure : FAILURE_TIMEOUT);
	if (is_idle(p))
		s2s_pair_destroy(p);
	else if (p->waiting.first || p->questions.first)
		loop_arm(p->worker->loop, &p->every_second, 1000);
}

struct s2s_pair *s2s_pair_get(struct s2s_port *port, const char *local, const char *remote)
{
	char key[2 * DOMAIN_BYTES + 2];
	struct s2s_pair *p;

	snprintf(key, sizeof(key), "%s %s", local, remote);
	p = map_get(&port->pairs, slice_of(key));
	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->owner = port;
	p->worker = port->worker;
	snprintf(p->local, sizeof(p->local), "%s", local);
	snprintf(p->remote, sizeof(p->remote), "%s", remote);
	p->name = (struct s2s_name){ .local = p->local, .remote = p->remote, .out = true };
	p->tls = "";
	p->session_timer.fire = on_session_timer;
	p->retry.fire = on_retry;
	p->every_second.fire = on_every_second;
	p->ack.fire = on_ack;
	s2s_questions_init(&p->questions, port, p->worker->loop);
	map_put(&port->pairs, slice_of(key), p);
	loop_arm(p->worker->loop, &p->every_second, 1000);
	return p;
}

void s2s_pair_destroy(struct s2s_pair *p)
{
	char key[2 * DOMAIN_BYTES + 2];

	snprintf(key, sizeof(key), "%s %s", p->local, p->remote);
	map_remove(&p->owner->pairs, slice_of(key));
	if (p->conn && p->session)
		recover_flight(p);
	drop_stream(p, false);
	target_cancel(&p->target);
	loop_disarm(p->worker->loop, &p->retry);
	loop_disarm(p->worker->loop, &p->every_second);
	router_settle_lost(p->worker->router, &p->flight, FAILURE_LOST);
	router_settle_lost(p->worker->router, &p->waiting, FAILURE_LOST);
	s2s_questions_finish(&p->questions);
	forget_candidates(p);
	free(p);
}

void s2s_pair_verify(struct s2s_pair *p, uint64_t inbound, uint64_t request,
		     const struct dialback_claim *claim, struct slice key)
{
	uint64_t due_ms = now_ms(p) + p->worker->config->timeouts.verify * UINT64_C(1000);
	struct s2s_question *question =
		s2s_questions_add(&p->questions, inbound, request, claim, key, due_ms);

	if (holds(p))
		s2s_questions_fail(&p->questions, p->last_failure);
	if (!question || holds(p))
		return;
	/* Somebody there speaks for the domain: worth another look at once. */
	loop_disarm(p->worker->loop, &p->retry);
	if (p->session && !p->ended_here) { /* else the next stream asks */
		tell_time(p);
		s2s_question_ask(question, p->session);
		pump(p);
	}
	need(p);
}

void s2s_pair_retry(struct s2s_pair *p)
{
	if (!timer_is_armed(&p->retry))
		return;
	loop_disarm(p->worker->loop, &p->retry);
	loop_arm(p->worker->loop, &p->every_second, 1000); /* nothing may need it any more */
	p->failures = 0;
	need(p);
}

/* Ends the session in order; it asks for its last actions. */
static void end_session(struct s2s_pair *p, const char *condition, enum failure failure)
{
	p->ended_here = true;
	tell_time(p);
	s2s_out_close(p->session, condition, failure);
	pump(p);
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
	struct policy_decision decision = decide(p);

	if (decision.refused != FAILURE_NONE) {
		s2s_questions_fail(&p->questions, decision.refused);
		router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, decision.refused);
	}
	if (p->session) {
		enum failure failure = objection(p, &decision);

		if (failure != FAILURE_NONE)
			end_session(p, s2s_condition(failure), failure);
	} else { /* what is looked up or dialled by the old settings begins anew */
		target_cancel(&p->target);
		forget_candidates(p);
		drop_stream(p, false);
		loop_arm(p->worker->loop, &p->every_second, 1000); /* if nothing needs it */
	}
	s2s_pair_retry(p); /* what failed may work by the new settings */
	need(p);
}

void s2s_pair_try(const struct s2s_pair *p, const struct config *candidate, struct effects *effects)
{
	struct policy_decision decision = decide_by(p, candidate);
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
		end_session(p, "system-shutdown", FAILURE_SHUTDOWN);
	else
		drop_stream(p, false);
}

bool s2s_pair_close(struct s2s_pair *p, const char *xcoder)
{
	if (!p->session || strcmp(p->name.xcoder, xcoder) != 0)
		return false;
	end_session(p, NULL, FAILURE_NONE);
	return true;
}

bool s2s_pair_exists(const struct s2s_port *port, const char *local, const char *remote)
{
	char key[2 * DOMAIN_BYTES + 2];

	snprintf(key, sizeof(key), "%s %s", local, remote);
	return map_get(&port->pairs, slice_of(key)) != NULL;
}

bool s2s_pair_is_in_flight(const struct s2s_pair *p)
{
	return p->flight.first != NULL;
}

bool s2s_pair_has_stream(const struct s2s_pair *p)
{
	return p->session != NULL;
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

	s2s_add_stream(out, &p->name, state, p->tls, p->stanzas,
		       p->ready ? (now_ms(p) - p->since_ms) / 1000 : 0);
	if (p->waiting.first) {
		char stanzas[24], bytes[24], seconds[24];

		snprintf(stanzas, sizeof(stanzas), "%zu", p->waiting.count);
		snprintf(bytes, sizeof(bytes), "%zu", p->waiting.bytes);
		snprintf(seconds, sizeof(seconds), "%" PRIu64,
			 (now_ms(p) - p->waiting.first->taken_ms) / 1000);
		snapshot_add(out,
			     &(struct snapshot_record){ 6,
							{ slice_of("queue"), slice_of(p->local),
							  slice_of(p->remote), slice_of(stanzas),
							  slice_of(bytes), slice_of(seconds) } });
	}
}
