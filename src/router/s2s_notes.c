#include "router/s2s_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t unix_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void s2s_name_make(struct s2s_name *name, bool wanted)
{
	char id[CONNECTION_ID_LEN + 1];

	worker_random_hex(id, CONNECTION_ID_LEN, false);
	snprintf(name->uuid, sizeof(name->uuid), "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12,
		 id + 16, id + 20);
	snprintf(name->xcoder, sizeof(name->xcoder), "%.9s", id);
	for (char *c = name->xcoder; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	attempt_begin(name->port->attempts, &name->attempt,
		      &(struct attempt_start){
			      .local = name->local,
			      .remote = name->remote,
			      .xcoder = name->xcoder,
			      .out = name->out,
			      .wanted = wanted,
			      .now_ms = loop_now_ms(name->port->worker->loop),
			      .unix_ms = unix_ms(),
		      });
}

bool s2s_is_watched(const struct s2s_name *name)
{
	const struct watches *watches = &name->port->worker->watches;

	return watches->count &&
	       (watches_have(watches, name->remote) || watches_have(watches, name->local) ||
		watches_have(watches, name->xcoder));
}

static const char *direction(const struct s2s_name *name)
{
	return name->out ? "OUT" : "IN";
}

void s2s_log_note(const struct s2s_name *name, enum s2s_note note, struct slice text)
{
	static const struct {
		enum event_id event;
		const char *words;
	} notes[] = {
		[S2S_NOTE_SENT] = { EVENT_STANZA_OUT, "sending:: " },
		[S2S_NOTE_RECEIVED] = { EVENT_STANZA_IN, "received:: " },
		[S2S_NOTE_STREAM_OPEN] = { EVENT_STREAM_OPENED, "onStreamOpen:: " },
		[S2S_NOTE_DIALBACK_TIMER] = { EVENT_STREAM_OUT, "Scheduling dialback timeout in " },
		[S2S_NOTE_VERIFY_SENT] = { EVENT_DIALBACK_VERIFY,
					   "DBVerify stream is open. Sending db:verify packet: " },
		[S2S_NOTE_VERIFY_RECEIVED] = { EVENT_DIALBACK_VERIFY, "DBVerify Packet Received " },
		[S2S_NOTE_DIALBACK_ONLY] = { EVENT_STREAM_IN,
					     "closing stream used for dialback only" },
		[S2S_NOTE_FEATURES] = { EVENT_STREAM_FEATURES, "features:: " },
		[S2S_NOTE_PEER_ERROR] = { EVENT_STREAM_ERROR, "the peer's stream error:: " },
	};

	s2s_step_of_note(name, note, text);
	s2s_log(name, notes[note].event, "(%s, %s:%s, %s) xcoder=%s %s%.*s%s", name->uuid,
		name->local, name->remote, direction(name), name->xcoder, notes[note].words,
		SLICE_ARGS(text), note == S2S_NOTE_DIALBACK_TIMER ? " secs." : "");
}

void s2s_log_refused(const struct s2s_name *name, const char *why)
{
	s2s_step(name, ATTEMPT_US, STEP_STREAM, STEP_BAD, "refused: %s", why);
	s2s_log(name, EVENT_S2S_REFUSED, "xcoder=%s local=%s peer=%s direction=%s why=\"%s\"",
		name->xcoder, name->local, name->remote, direction(name), why);
}

void s2s_log_state(const struct s2s_name *name, const char *from, const char *to, const char *why)
{
	s2s_log(name, EVENT_CONNECTION_STATE,
		"Connection state change: %s->%s: (%s, %s:%s, %s) xcoder=%s %s", from, to,
		name->uuid, name->local, name->remote, direction(name), name->xcoder,
		why ? why : "");
}

bool s2s_check_key(struct s2s_port *port, const struct s2s_name *name,
		   const struct s2s_action *action)
{
	const struct dialback_secret *secret = port->worker->config->secret;
	bool valid = secret && dialback_verify(secret, &action->claim, action->key);
	struct slice shown = action->key; /* whatever a stranger calls a key */

	shown.len = shown.len < DIALBACK_SHORT_LEN ? shown.len : DIALBACK_SHORT_LEN;
	++*(valid ? &port->tally.keys_valid : &port->tally.keys_invalid);
	s2s_step_asked(port, &action->claim, valid);
	s2s_log(name, valid ? EVENT_DIALBACK_VALID : EVENT_DIALBACK_INVALID,
		"xcoder=%s role=authoritative from=%s to=%s id=%.64s key=%s...%s", name->xcoder,
		action->claim.sender_domain, action->claim.target_domain,
		log_text(action->claim.stream_id), log_value(shown),
		secret ? "" : " why=\"federation.dialback_secret is not set\"");
	return valid;
}

const char *s2s_condition(enum failure failure)
{
	return failure == FAILURE_FEDERATION_OFF || failure == FAILURE_SHUTDOWN ? "system-shutdown"
	       : failure == FAILURE_NOT_FEDERATED				? "host-gone"
						  : "policy-violation";
}

enum failure s2s_failure_of(enum conn_end how)
{
	static const enum failure failures[] = {
		[CONN_REFUSED] = FAILURE_TCP_REFUSED,
		[CONN_UNREACHABLE] = FAILURE_TCP_UNREACHABLE,
		[CONN_TIMEOUT] = FAILURE_TCP_TIMEOUT,
		[CONN_TLS_FAILED] = FAILURE_TLS_FAILED,
		[CONN_EOF] = FAILURE_LOST,
		[CONN_LOST] = FAILURE_LOST,
	};

	return failures[how];
}

void s2s_note_close(const struct s2s_name *name, enum failure failure, struct effects *effects)
{
	const char *local = name->local && name->local[0] ? name->local : "?";
	const char *remote = name->remote && name->remote[0] ? name->remote : "?";
	char *what =
		xasprintf("stream %s from %s to %s (%s)", name->xcoder, name->out ? local : remote,
			  name->out ? remote : local, name->out ? "out" : "in");

	effects_close(effects, what, failure);
	free(what);
}

const char *s2s_judge(struct conn *conn, const char *domain, bool required,
		      const struct s2s_name *name, struct s2s_tls *tls)
{
	const char *verdict;
	struct tls_peer peer;

	tls_judge(conn_tls(conn), domain && domain[0] ? domain : NULL, &peer);
	*tls = (struct s2s_tls){ .certificate_valid = peer.chain_valid && peer.name_valid,
				 .why = peer.why };
	verdict = !peer.has_certificate ? "none" : tls->certificate_valid ? "valid" : "invalid";
	s2s_step_done(name, ATTEMPT_US, STEP_TLS, STEP_OK, "%s %s", peer.version, peer.cipher);
	s2s_step_certificate(name, &peer, tls->certificate_valid, required);
	s2s_log(name, EVENT_S2S_TLS,
		"xcoder=%s local=%s peer=%s direction=%s tls=%s cipher=%s certificate=%s "
		"why=\"%s\"",
		name->xcoder, name->local, name->remote, direction(name), peer.version, peer.cipher,
		verdict, peer.why ? peer.why : "");
	return verdict;
}
