#include "router/s2s_pair.h"

#include "tables/events.h"

#include <inttypes.h>

#define RETRY_FIRST_MS 1000 /* after a short life */
#define SHORT_LIFE_MS 2000  /* a stream that breaks sooner is not opened again at once */
#define LINGER_MS 2000

void s2s_stream_drop(struct s2s_pair *p, bool in_order)
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
	p->certificate = "none";
}

static void log_closed(const struct s2s_pair *p, enum failure failure, const char *why)
{
	s2s_log(&p->name, EVENT_S2S_OUT_CLOSED,
		"xcoder=%s local=%s peer=%s why=%s detail=\"%s\" stanzas=%" PRIu64
		" seconds=%" PRIu64,
		p->name.xcoder, p->local, p->remote, failure_name(failure), why, p->stanzas,
		p->ready ? (s2s_pair_now_ms(p) - p->since_ms) / 1000 : 0);
	s2s_log_state(&p->name, p->ready ? "CONNECTED" : "PENDING", "DISCONNECTED",
		      failure_name(failure));
}

static void closed(struct s2s_pair *p, const struct s2s_action *action)
{
	bool was_ready = p->ready, ended_here = p->ended_here, unsent = false;
	enum failure failure = action->failure;
	char why[sizeof(p->why)];

	snprintf(why, sizeof(why), "%s", action->why ? action->why : "");
	s2s_step(&p->name, ATTEMPT_US, STEP_CLOSED,
		 was_ready || failure == FAILURE_NONE ? STEP_INFO : STEP_BAD,
		 "%s%s%s after %" PRIu64 " stanzas", failure_name(failure), *why ? ": " : "", why,
		 p->stanzas);
	if (was_ready || ended_here || failure == FAILURE_NONE) {
		attempt_closed(p->name.attempt, s2s_pair_now_ms(p), failure, why);
		attempts_count(p->owner->attempts, p->remote, p->stanzas);
		log_closed(p, failure, why);
	}
	if (was_ready)
		unsent = s2s_flight_recover(p);
	worker_write_out(p->conn, s2s_out_output(p->session));
	s2s_stream_drop(p, !unsent);
	loop_arm(p->worker->loop, &p->every_second, 1000); /* nothing may need it any more */
	if (p->owner->stopping) {
		router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, FAILURE_SHUTDOWN);
	} else if (ended_here || failure == FAILURE_NONE) {
		s2s_probe_ended(p);
		s2s_pair_need(p); /* judges anew */
	} else if (was_ready) {
		if (!failure_rows[failure].retry)
			router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, failure);
		if (s2s_pair_now_ms(p) - p->since_ms < SHORT_LIFE_MS)
			loop_arm(p->worker->loop, &p->retry, RETRY_FIRST_MS);
		s2s_pair_need(p);
	} else if (failure == FAILURE_DIALBACK_REFUSED || failure == FAILURE_DIALBACK_ERROR) {
		s2s_dial_failed(p, failure, why); /* another address would hear the same */
	} else {
		s2s_dial_next(p, failure, why);
	}
}

/* A probe's stream has shown what was asked. */
static void leave_probe(struct s2s_pair *p)
{
	if (!p->probe_number)
		return;
	p->ended_here = true;
	s2s_out_close(p->session, NULL, FAILURE_NONE);
}

static void became_ready(struct s2s_pair *p)
{
	p->ready = true;
	p->failures = 0;
	p->since_ms = s2s_pair_now_ms(p);
	s2s_dial_set_why(p, FAILURE_NONE, "");
	s2s_dial_forget(p);
	attempt_ready(p->name.attempt, p->since_ms);
	s2s_step(&p->name, ATTEMPT_PEER, STEP_READY, STEP_OK, "stanzas may be sent");
	s2s_tally_ready(&p->owner->tally, &p->name, p->tls, p->since_ms - p->attempt_ms);
	s2s_log_state(&p->name, "PENDING", "CONNECTED", "auth=dialback");
	s2s_log(&p->name, EVENT_S2S_OUT_READY,
		"xcoder=%s local=%s peer=%s auth=dialback tls=%s took_ms=%" PRIu64 " waiting=%zu",
		p->name.xcoder, p->local, p->remote, p->tls[0] ? p->tls : "none",
		s2s_pair_now_ms(p) - p->attempt_ms, p->waiting.count);
	s2s_probe_ended(p);
	leave_probe(p);
}

static void start_tls(struct s2s_pair *p)
{
	const struct config *config = p->worker->config;

	if (!config->stream_tls) {
		s2s_out_closed(p->session, FAILURE_TLS_FAILED, "tls.certificate is not set");
		return;
	}
	s2s_step(&p->name, ATTEMPT_PEER, STEP_STARTTLS, STEP_OK, "<proceed/>");
	s2s_step(&p->name, ATTEMPT_US, STEP_TLS, STEP_INFO, "handshake");
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

void s2s_stream_pump(struct s2s_pair *p)
{
	while (p->session) {
		struct s2s_action action = s2s_out_next(p->session);

		switch (action.type) {
		case S2S_NONE:
			worker_write_out(p->conn, s2s_out_output(p->session));
			s2s_questions_settle(&p->questions);
			s2s_flight_write(p);
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
			s2s_dial_back_off(p, action.failure, action.why);
			leave_probe(p);
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

void s2s_stream_on_timer(struct timer *timer)
{
	struct s2s_pair *p = (void *)((char *)timer - offsetof(struct s2s_pair, session_timer));

	if (!p->session)
		return;
	s2s_pair_tell_time(p);
	s2s_out_timeout(p->session);
	s2s_stream_pump(p);
}

/* The connection's events */

static void on_connected(void *owner)
{
	struct s2s_pair *p = owner;
	struct policy_decision decision = s2s_pair_decide(p);
	const struct config *config = p->worker->config;

	p->reached = true;
	s2s_step_done(&p->name, ATTEMPT_PEER, STEP_TCP, STEP_OK, "connected to %s", p->address);
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
	s2s_pair_tell_time(p);
	s2s_questions_ask(&p->questions, p->session);
	if (s2s_pair_wants_ready(p))
		s2s_out_want_ready(p->session);
	s2s_out_connected(p->session);
	s2s_stream_pump(p);
}

static char *on_room(void *owner, size_t *len)
{
	struct s2s_pair *p = owner;

	return s2s_out_room(p->session, len);
}

static void on_filled(void *owner, size_t len)
{
	struct s2s_pair *p = owner;

	s2s_pair_tell_time(p);
	s2s_out_filled(p->session, len);
	s2s_stream_pump(p);
}

static void on_secured(void *owner)
{
	struct s2s_pair *p = owner;
	struct s2s_tls tls;

	p->secured = true;
	p->tls = SSL_get_version(conn_tls(p->conn));
	p->certificate = s2s_judge(p->conn, p->remote, p->verify_certificate, &p->name, &tls);
	p->certificate_valid = tls.certificate_valid;
	s2s_pair_tell_time(p);
	s2s_out_secured(p->session, &tls);
	s2s_stream_pump(p);
}

static void on_ended(void *owner, enum conn_end how, const char *why)
{
	struct s2s_pair *p = owner;
	enum failure failure = s2s_failure_of(how);

	if (how == CONN_TLS_FAILED) {
		s2s_step_done(&p->name, ATTEMPT_US, STEP_TLS, STEP_BAD, "%s", why);
		s2s_log(&p->name, EVENT_S2S_TLS_FAILED,
			"xcoder=%s local=%s peer=%s direction=OUT why=\"%s\"", p->name.xcoder,
			p->local, p->remote, why);
	}
	if (p->session) {
		s2s_pair_tell_time(p);
		s2s_out_closed(p->session, failure, why);
		s2s_stream_pump(p);
	} else {
		s2s_step_done(&p->name, how == CONN_REFUSED ? ATTEMPT_PEER : ATTEMPT_US, STEP_TCP,
			      STEP_BAD, "%s: %s", p->address, why);
		s2s_stream_drop(p, false);
		s2s_dial_next(p, failure, why);
	}
}

static const struct conn_handler handler = {
	.connected = on_connected,
	.room = on_room,
	.filled = on_filled,
	.secured = on_secured,
	.ended = on_ended,
};

void s2s_stream_dial(struct s2s_pair *p, const struct conn_address *to)
{
	conn_address_text(to, p->address);
	p->conn = conn_dial(p->worker->loop, to, p->worker->config->timeout_tcp_s * 1000, &handler,
			    p);
}

void s2s_stream_end(struct s2s_pair *p, const char *condition, enum failure failure)
{
	p->ended_here = true;
	s2s_pair_tell_time(p);
	s2s_out_close(p->session, condition, failure);
	s2s_stream_pump(p);
}
