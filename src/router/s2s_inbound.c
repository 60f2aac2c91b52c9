#include "router/s2s_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define LINGER_MS 2000
#define RESUME_MS 20

struct s2s_inbound {
	struct s2s_port *owner;
	struct worker *worker;
	uint64_t number;
	struct s2s_name name;
	char local[DOMAIN_BYTES + 1], remote[DOMAIN_BYTES + 1]; /* of the first proven pair */
	char address[ADDRESS_TEXT];
	struct conn *conn;
	struct s2s_in *session;
	struct timer timer;
	bool secured, ready, paused;
	const char *tls, *certificate;
	uint64_t since_ms, stanzas, bytes;
};

static void pump(struct s2s_inbound *in);

static struct slice key_of(const uint64_t *number)
{
	return (struct slice){ (const char *)number, sizeof(*number) };
}

static unsigned connections_of(const struct s2s_port *port, const char *address)
{
	const unsigned *count = map_get(&port->addresses, slice_of(address));

	return count ? *count : 0;
}

static void count_connection(struct s2s_port *port, const char *address)
{
	unsigned *count = map_get(&port->addresses, slice_of(address));

	if (!count) {
		count = xcalloc(1, sizeof(*count));
		map_put(&port->addresses, slice_of(address), count);
	}
	++*count;
}

static void uncount_connection(struct s2s_port *port, const char *address)
{
	unsigned *count = map_get(&port->addresses, slice_of(address));

	if (--*count == 0)
		free(map_remove(&port->addresses, slice_of(address)));
}

void s2s_inbound_destroy(struct s2s_inbound *in)
{
	map_remove(&in->owner->inbound, key_of(&in->number));
	attempt_release(&in->name.attempt);
	uncount_connection(in->owner, in->address);
	loop_disarm(in->worker->loop, &in->timer);
	s2s_in_destroy(&in->session);
	conn_destroy(&in->conn);
	free(in);
}

static void closed(struct s2s_inbound *in, const struct s2s_action *action)
{
	bool good = in->ready || action->failure == FAILURE_NONE;
	uint64_t now_ms = loop_now_ms(in->worker->loop);

	s2s_step(&in->name, ATTEMPT_US, STEP_CLOSED, good ? STEP_INFO : STEP_BAD,
		 "%s%s%s after %" PRIu64 " stanzas", failure_name(action->failure),
		 action->why && *action->why ? ": " : "", action->why ? action->why : "",
		 in->stanzas);
	if (!good)
		in->owner->tally.failed[0][action->failure]++;
	(good ? attempt_closed : attempt_failed)(in->name.attempt, now_ms, action->failure,
						 action->why);
	attempts_count(in->owner->attempts, in->remote, in->stanzas);
	s2s_log(&in->name, good ? EVENT_S2S_IN_CLOSED : EVENT_S2S_IN_FAILED,
		"xcoder=%s local=%s peer=%s address=%s why=%s detail=\"%s\" stanzas=%" PRIu64
		" seconds=%" PRIu64,
		in->name.xcoder, in->name.local, in->name.remote, in->address,
		failure_name(action->failure), action->why ? action->why : "", in->stanzas,
		(now_ms - in->since_ms) / 1000);
	if (in->ready)
		s2s_log_state(&in->name, "CONNECTED", "DISCONNECTED",
			      failure_name(action->failure));
	worker_write_out(in->conn, s2s_in_output(in->session));
	conn_finish(&in->conn, LINGER_MS);
	s2s_inbound_destroy(in);
}

static void start_tls(struct s2s_inbound *in)
{
	const struct config *config = in->worker->config;

	if (!config->stream_tls) {
		s2s_in_closed(in->session, FAILURE_TLS_FAILED, "tls.certificate is not set");
		return;
	}
	s2s_step(&in->name, ATTEMPT_PEER, STEP_STARTTLS, STEP_OK, "<starttls/>, we proceed");
	s2s_step(&in->name, ATTEMPT_US, STEP_TLS, STEP_INFO, "handshake");
	worker_write_out(in->conn, s2s_in_output(in->session));
	conn_start_tls(in->conn, tls_accepting(config->stream_tls, in->name.remote),
		       config->timeout_tls_s * 1000);
}

static void became_ready(struct s2s_inbound *in, const struct s2s_action *action)
{
	struct s2s_name name = in->name;

	name.local = action->claim.target_domain;
	name.remote = action->claim.sender_domain;
	if (!in->ready) {
		snprintf(in->local, sizeof(in->local), "%s", name.local);
		snprintf(in->remote, sizeof(in->remote), "%s", name.remote);
		in->name.local = in->local;
		in->name.remote = in->remote;
		in->ready = true;
		s2s_tally_ready(&in->owner->tally, &in->name, in->tls,
				loop_now_ms(in->worker->loop) - in->since_ms);
		in->since_ms = loop_now_ms(in->worker->loop);
		attempt_name(in->name.attempt, in->local, in->remote);
		attempt_ready(in->name.attempt, in->since_ms);
	}
	s2s_step(&name, ATTEMPT_US, STEP_READY, STEP_OK, "%s may send to %s", name.remote,
		 name.local);
	s2s_log_state(&name, "PENDING", "CONNECTED", "auth=dialback");
	s2s_log(&name, EVENT_S2S_IN_READY,
		"xcoder=%s local=%s peer=%s address=%s auth=dialback tls=%s", name.xcoder,
		name.local, name.remote, in->address, in->tls[0] ? in->tls : "none");
}

static void pause_if_congested(struct s2s_inbound *in, const struct port *port)
{
	if (!port || !port->congested || in->paused)
		return;
	in->paused = true;
	conn_pause(in->conn, true);
	if (!timer_is_armed(&in->owner->resume))
		loop_arm(in->worker->loop, &in->owner->resume, RESUME_MS);
}

static void take_stanza(struct s2s_inbound *in, const struct s2s_action *action)
{
	const char *why;
	struct stanza *stanza = stanza_copy(action->stanza, &why);

	in->stanzas++;
	if (stanza) {
		router_take(in->worker->router, &in->owner->port, NULL, 0, &stanza);
	} else {
		s2s_log_refused(&in->name, why);
		stanza = worker_hollow(action->stanza);
		router_refuse(in->worker->router, &in->owner->port, NULL, 0, &stanza,
			      FAILURE_NOT_FORWARDABLE);
	}
	pause_if_congested(
		in, router_port_of(in->worker->router, SIDE_IN, action->claim.target_domain));
}

/* A claim makes us look a domain up and dial it, and costs its maker nothing: pairs that only
 * claims ask for are as many as connections may be (SEC-21). */
static bool may_ask(const struct s2s_inbound *in, const struct dialback_claim *claim)
{
	return in->owner->pairs.count < in->worker->config->connections_max ||
	       s2s_pair_find(in->owner, claim->target_domain, claim->sender_domain);
}

static void verify(struct s2s_inbound *in, const struct s2s_action *action)
{
	struct s2s_pair *pair;

	if (in->owner->stopping || !may_ask(in, &action->claim)) {
		s2s_in_verified(in->session, action->request, S2S_VERDICT_ERROR,
				in->owner->stopping ? FAILURE_SHUTDOWN : FAILURE_QUEUE_FULL);
		return;
	}
	if (!in->ready)
		attempt_name(in->name.attempt, action->claim.target_domain,
			     action->claim.sender_domain);
	s2s_step(&in->name, ATTEMPT_US, STEP_VERIFY, STEP_INFO, "asking the server of %s",
		 action->claim.sender_domain);
	pair = s2s_pair_get(in->owner, action->claim.target_domain, action->claim.sender_domain);
	s2s_pair_verify(pair, in->number, action->request, &action->claim, action->key);
}

/* Until a pair is proven, the log calls the stream by what its header claims. */
static void name_by_header(struct s2s_inbound *in)
{
	if (in->ready)
		return;
	in->name.local = s2s_in_to(in->session);
	in->name.remote = s2s_in_from(in->session);
	attempt_name(in->name.attempt, in->name.local, in->name.remote);
}

static void pump(struct s2s_inbound *in)
{
	for (;;) {
		struct s2s_action action = s2s_in_next(in->session);

		name_by_header(in);
		switch (action.type) {
		case S2S_NONE:
			worker_write_out(in->conn, s2s_in_output(in->session));
			return;
		case S2S_TIMER:
			if (action.seconds)
				loop_arm(in->worker->loop, &in->timer,
					 action.seconds * UINT64_C(1000));
			else
				loop_disarm(in->worker->loop, &in->timer);
			break;
		case S2S_START_TLS:
			start_tls(in);
			break;
		case S2S_CHECK_KEY:
			s2s_in_key_checked(in->session, action.request,
					   s2s_check_key(in->owner, &in->name, &action));
			break;
		case S2S_VERIFY:
			verify(in, &action);
			break;
		case S2S_READY:
			became_ready(in, &action);
			break;
		case S2S_STANZA:
			take_stanza(in, &action);
			break;
		case S2S_REFUSED:
			s2s_log_refused(&in->name, action.why);
			break;
		case S2S_NOTE:
			s2s_log_note(&in->name, action.note, action.text);
			break;
		case S2S_CLOSED:
			closed(in, &action);
			return;
		case S2S_MAKE_KEY:
		case S2S_VERIFIED:
		case S2S_NOT_READY: /* an inbound session asks for neither */
			break;
		}
	}
}

static void tell_time(struct s2s_inbound *in)
{
	s2s_in_tell_time(in->session, loop_now_ms(in->worker->loop));
}

static void on_timer(struct timer *timer)
{
	struct s2s_inbound *in = (void *)((char *)timer - offsetof(struct s2s_inbound, timer));

	tell_time(in);
	s2s_in_timeout(in->session);
	pump(in);
}

static char *on_room(void *owner, size_t *len)
{
	struct s2s_inbound *in = owner;

	return s2s_in_room(in->session, len);
}

static void on_filled(void *owner, size_t len)
{
	struct s2s_inbound *in = owner;

	router_tell_time(in->worker->router, loop_now_ms(in->worker->loop));
	tell_time(in);
	in->bytes += len;
	s2s_in_filled(in->session, len);
	pump(in);
}

static void on_secured(void *owner)
{
	struct s2s_inbound *in = owner;
	struct s2s_tls tls;

	in->secured = true;
	in->tls = SSL_get_version(conn_tls(in->conn));
	in->certificate = s2s_judge(in->conn, NULL, false, &in->name, &tls);
	tell_time(in);
	s2s_in_secured(in->session, &tls);
	pump(in);
}

static void on_ended(void *owner, enum conn_end how, const char *why)
{
	struct s2s_inbound *in = owner;

	if (how == CONN_TLS_FAILED) {
		s2s_step_done(&in->name, ATTEMPT_US, STEP_TLS, STEP_BAD, "%s", why);
		s2s_log(&in->name, EVENT_S2S_TLS_FAILED,
			"xcoder=%s address=%s direction=IN why=\"%s\"", in->name.xcoder,
			in->address, why);
	}
	tell_time(in);
	s2s_in_closed(in->session, how == CONN_EOF ? FAILURE_NONE : s2s_failure_of(how), why);
	pump(in);
}

static const struct conn_handler handler = {
	.room = on_room,
	.filled = on_filled,
	.secured = on_secured,
	.ended = on_ended,
};

static void plain_address(const struct conn_address *from, char text[ADDRESS_TEXT])
{
	const struct sockaddr_in6 *v6 = (const void *)&from->storage;
	const struct sockaddr_in *v4 = (const void *)&from->storage;

	if (from->storage.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, text, ADDRESS_TEXT);
	else
		inet_ntop(AF_INET, &v4->sin_addr, text, ADDRESS_TEXT);
}

/* Each stream on the connection gets an id of its own; the xcoder opens them all. */
static struct s2s_in *make_session(const struct s2s_inbound *in)
{
	const struct config *config = in->worker->config;
	char ids[S2S_IN_STREAM_IDS][S2S_STREAM_ID_LEN + 1];
	struct s2s_in_options options = {
		.policy = config->policy,
		.timeouts = config->timeouts,
		.limits_before = &config->limits_before,
		.limits_after = &config->limits_after,
		.verify_pending_max = config->verify_pending_max,
	};

	for (size_t i = 0; i < S2S_IN_STREAM_IDS; i++) {
		worker_random_hex(ids[i], S2S_STREAM_ID_LEN, true);
		memcpy(ids[i], in->name.xcoder, XCODER_LEN);
		options.stream_ids[i] = ids[i];
	}
	return s2s_in_create(&options);
}

void s2s_inbound_accept(struct s2s_port *port, int fd, const struct conn_address *from)
{
	const struct config *config = port->worker->config;
	struct s2s_inbound *in;
	char address[ADDRESS_TEXT] = "?";

	plain_address(from, address);
	if (config->fault) {
		port->refused_connections++;
		log_event(EVENT_S2S_IN_REFUSED, "address=%s why=\"%s\"", address, config->fault);
		close(fd);
		return;
	}
	if (port->stopping || port->inbound.count >= config->connections_max ||
	    connections_of(port, address) >= config->connections_per_address_max) {
		port->refused_connections++;
		log_event(EVENT_S2S_IN_REFUSED,
			  "address=%s connections=%zu why=\"limits.connections "
			  "or limits.connections_per_address\"",
			  address, port->inbound.count);
		close(fd);
		return;
	}
	in = xcalloc(1, sizeof(*in));
	in->owner = port;
	in->worker = port->worker;
	in->number = ++port->next_number;
	in->tls = "";
	in->certificate = "none";
	in->timer.fire = on_timer;
	in->since_ms = loop_now_ms(port->worker->loop);
	memcpy(in->address, address, sizeof(address));
	in->name.port = port;
	in->name.local = in->name.remote = "";
	s2s_name_make(&in->name, false);
	s2s_step(&in->name, ATTEMPT_PEER, STEP_TCP, STEP_OK, "from %s", address);
	map_put(&port->inbound, key_of(&in->number), in);
	count_connection(port, address);
	port->accepted++;
	in->session = make_session(in);
	in->conn = conn_accept(port->worker->loop, fd, &handler, in);
	log_event(EVENT_S2S_IN_ACCEPTED, "xcoder=%s address=%s", in->name.xcoder, address);
	tell_time(in);
	pump(in); /* its first deadline */
}

void s2s_inbound_verified(struct s2s_inbound *in, uint64_t request, enum s2s_verdict verdict,
			  enum failure failure)
{
	static const char *const words[] = {
		[S2S_VALID] = "the key is theirs", [S2S_INVALID] = "the key is not theirs"
	};

	s2s_step(&in->name, ATTEMPT_PEER, STEP_VERIFY, verdict == S2S_VALID ? STEP_OK : STEP_BAD,
		 "%s%s", verdict == S2S_VERDICT_ERROR ? "could not be asked: " : words[verdict],
		 verdict == S2S_VERDICT_ERROR ? failure_name(failure) : "");
	in->owner->tally.verified[verdict]++;
	tell_time(in);
	s2s_in_verified(in->session, request, verdict, failure);
	pump(in);
}

void s2s_inbound_apply(struct s2s_inbound *in)
{
	tell_time(in);
	s2s_in_set_policy(in->session, in->worker->config->policy);
	pump(in);
}

void s2s_inbound_try(const struct s2s_inbound *in, const struct config *candidate,
		     struct effects *effects)
{
	enum failure failure = s2s_in_objection(in->session, candidate->policy);

	effects->streams++;
	if (failure != FAILURE_NONE)
		s2s_note_close(&in->name, failure, effects);
}

void s2s_inbound_close(struct s2s_inbound *in, const char *condition, enum failure failure)
{
	tell_time(in);
	s2s_in_close(in->session, condition, failure);
	pump(in);
}

bool s2s_inbound_is(const struct s2s_inbound *in, const char *xcoder)
{
	return strcmp(in->name.xcoder, xcoder) == 0;
}

void s2s_inbound_resume(struct s2s_inbound *in)
{
	if (!in->paused)
		return;
	in->paused = false;
	conn_pause(in->conn, false);
}

void s2s_inbound_status(const struct s2s_inbound *in, struct buffer *out)
{
	s2s_add_stream(out, &in->name,
		       &(struct s2s_stream_view){
			       .state = s2s_in_state(in->session),
			       .tls = in->tls,
			       .cipher = in->tls[0] ? SSL_get_cipher(conn_tls(in->conn)) : "",
			       .address = in->address,
			       .certificate = in->certificate,
			       .stanzas = in->stanzas,
			       .seconds = (loop_now_ms(in->worker->loop) - in->since_ms) / 1000,
			       .bytes = in->bytes,
		       });
}

/* A pair that is proven counts as ready; until one is, what the header claims as connecting. */
void s2s_inbound_tell_peers(const struct s2s_inbound *in, struct map *peers)
{
	struct dialback_claim pair;
	struct s2s_peer *peer;

	for (size_t place = 0; s2s_in_next_pair(in->session, &place, &pair);)
		s2s_peer_of(peers, pair.sender_domain)->in = S2S_PEER_READY;
	if (!in->name.remote[0])
		return;
	peer = s2s_peer_of(peers, in->name.remote);
	if (peer->in == S2S_PEER_NONE)
		peer->in = S2S_PEER_CONNECTING;
	peer->stanzas += in->stanzas;
}
